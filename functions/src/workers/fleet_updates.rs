//! Fleet updates go on: what follows a step of theirs. Hosts get their places, then they are offered the release, one commit
//! at a time; the next worker continues where another one stopped.

use muster_domain::{
    changes::Change,
    fleet_updates::{
        Brings, Candidate, Event, FleetUpdate, Planning, Selection,
        brings::{self, Turn},
        hosts::{FleetUpdateHost, Place},
        turn,
    },
    hosts::Host,
    mailboxes::Mailbox,
    releases::Release,
};
use muster_schemas::{
    hosts::HostState,
    ids::{FleetUpdateId, HostId, JobId},
    jobs::HOST,
};

use crate::{
    app::App,
    commit::{Cause, CommitError, Extras, FollowUp, commit, put},
    records,
    store::{Consistency, Expect, Index, Key, Order, Query, StoreError, Versioned},
};

/// How many hosts get their place with one commit.
const STRETCH: usize = 90;
/// How many offline hosts that are waited for are looked at in one go.
const MAX_LOOKED_AT: usize = 50;

/// Does the next step; asks to be called again while there may be more.
pub(crate) async fn go_on(app: &App, cause: &Cause, id: FleetUpdateId) -> Result<Vec<FollowUp>, CommitError> {
    let found = app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await;
    let Some(Versioned { record: fleet_update, .. }) = found.map_err(CommitError::Store)? else {
        return Ok(Vec::new());
    };
    let (event, own) = if let Some(planning) = &fleet_update.planning {
        plan_more(app, &fleet_update, planning).await.map_err(CommitError::Store)?
    } else if fleet_update.is_behind(app.now()) {
        (Event::Tick, Extras::default())
    } else if let Some((position, candidate)) = next(app, &fleet_update).await.map_err(CommitError::Store)? {
        let job_id = JobId::new(app.now(), rand::random());
        (Event::Admit { position, candidate: Box::new(candidate), job_id }, Extras::default())
    } else {
        return Ok(Vec::new());
    };
    match commit(app, &Change::FleetUpdate(id, event), cause, &own).await {
        Ok(advanced) => Ok(advanced.follow_ups),
        // Somebody else was faster, or the host's mailbox takes nothing: the next tick looks again.
        Err(CommitError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The decision of the rules about a host that was never offered this.
pub(crate) fn turn_of(app: &App, host: &Host, mailbox: &Mailbox, release: &Release) -> Turn {
    let brings = Brings::Release(brings::releases::Release::of(release));
    let resource = brings.rules().job().rules().resource().unwrap_or_default();
    let online = app.is_online(mailbox);
    let candidate = Candidate::new(host, mailbox, online, &resource, release);
    turn(&brings, &candidate, JobId::new(app.now(), 0))
}

/// The next hosts that are meant, those that joined first first, without retired ones; and from where on to look for more.
pub(crate) async fn stretch(
    app: &App,
    selection: &Selection,
    from: Option<&String>,
) -> Result<(Vec<(Host, Mailbox)>, Option<String>), StoreError> {
    let (hosts, to) = match selection {
        Selection::Hosts(ids) => {
            let from = from.and_then(|from| from.parse::<HostId>().ok());
            let mut left = ids.iter().copied().filter(|id| from.is_none_or(|from| *id >= from));
            let keys = left.by_ref().take(STRETCH).map(records::hosts::key).collect::<Vec<_>>();
            let hosts = app.load_many::<Host>(&keys).await?.into_iter().flatten().map(|host| host.record);
            (hosts.collect::<Vec<_>>(), left.next().map(|id| id.to_string()))
        }
        Selection::Matching(selector) => {
            let query = Query {
                partition: "hosts".into(),
                from: None,
                to: None,
                order: Order::Ascending,
                limit: STRETCH,
                cursor: from.cloned(),
            };
            let rows = app.table.query_index(Index::List, query).await?;
            let hosts = rows.items.iter().map(|item| Ok(Versioned::<Host>::read(item)?.record));
            let hosts = hosts.collect::<Result<Vec<_>, StoreError>>()?;
            (hosts.into_iter().filter(|host| host.matches(selector)).collect(), rows.cursor)
        }
    };
    let mut pairs = with_mailboxes(app, hosts).await?;
    pairs.retain(|(_, mailbox)| mailbox.state != HostState::Retired);
    Ok((pairs, to))
}

/// Hosts with what is served to them.
pub(crate) async fn with_mailboxes(app: &App, hosts: Vec<Host>) -> Result<Vec<(Host, Mailbox)>, StoreError> {
    let mailboxes = app.load_many(&mailboxes_of(&hosts)).await?;
    Ok(paired(hosts, mailboxes))
}

/// The same, cheaper and perhaps a moment old: for figures of many.
pub(crate) async fn with_lagging_mailboxes(app: &App, hosts: Vec<Host>) -> Result<Vec<(Host, Mailbox)>, StoreError> {
    let mailboxes = app.load_many_lagging(&mailboxes_of(&hosts)).await?;
    Ok(paired(hosts, mailboxes))
}

fn mailboxes_of(hosts: &[Host]) -> Vec<Key> {
    hosts.iter().map(|host| records::mailboxes::key(host.id)).collect()
}

fn paired(hosts: Vec<Host>, mailboxes: Vec<Option<Versioned<Mailbox>>>) -> Vec<(Host, Mailbox)> {
    hosts.into_iter().zip(mailboxes).filter_map(|(host, mailbox)| Some((host, mailbox?.record))).collect()
}

async fn plan_more(app: &App, fleet_update: &FleetUpdate, planning: &Planning) -> Result<(Event, Extras), StoreError> {
    let (hosts, to) = stretch(app, &planning.selection, planning.from.as_ref()).await?;
    let release = release(app, fleet_update).await?;
    let is_ready = |(host, mailbox): &&(Host, Mailbox)| {
        release.as_ref().is_some_and(|release| matches!(turn_of(app, host, mailbox, release), Turn::Offer(_)))
    };
    let (ready, others): (Vec<_>, Vec<_>) = hosts.iter().partition(is_ready);
    let (first_ready, first_other) = fleet_update.next_positions();
    let placed = (first_ready..).zip(&ready).chain((first_other..).zip(&others));
    let writes = placed.map(|(position, (host, _))| {
        let planned = FleetUpdateHost::planned(Place { fleet_update_id: fleet_update.id, position }, host.id);
        put(records::fleet_update_hosts::key(fleet_update.id, position), 1, Vec::new(), &planned, Expect::Absent)
    });
    let own = Extras { writes: writes.collect(), ..Extras::default() };
    let count = |hosts: Vec<_>| u32::try_from(hosts.len()).unwrap_or(u32::MAX);
    Ok((Event::Planned { from: planning.from.clone(), ready: count(ready), others: count(others), to }, own))
}

async fn next(app: &App, fleet_update: &FleetUpdate) -> Result<Option<(u32, Candidate)>, StoreError> {
    let now = app.now();
    if let Some(position) = fleet_update.turns(now).first() {
        return candidate(app, fleet_update, *position).await;
    }
    let deferred = fleet_update.deferred(now);
    // From a random place on, so that those behind many silent ones are looked at, too.
    let start = if deferred.is_empty() { 0 } else { rand::random_range(0..deferred.len()) };
    for position in deferred[start..].iter().chain(&deferred[..start]).copied().take(MAX_LOOKED_AT) {
        let found = candidate(app, fleet_update, position).await?;
        if let Some(found) = found.filter(|(_, candidate)| candidate.online) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The host at a position, as it is now.
async fn candidate(
    app: &App,
    fleet_update: &FleetUpdate,
    position: u32,
) -> Result<Option<(u32, Candidate)>, StoreError> {
    let key = records::fleet_update_hosts::key(fleet_update.id, position);
    let Some(planned) = app.load::<FleetUpdateHost>(&key, Consistency::Strong).await? else { return Ok(None) };
    let FleetUpdateHost { host_id, job_id, attempts, .. } = planned.record;
    let host = app.load::<Host>(&records::hosts::key(host_id), Consistency::Strong).await?;
    let mailbox = app.load::<Mailbox>(&records::mailboxes::key(host_id), Consistency::Strong).await?;
    let release = release(app, fleet_update).await?;
    let (Some(host), Some(mailbox), Some(release)) = (host, mailbox, release) else {
        return Ok(Some((position, Candidate::deleted(host_id))));
    };
    let (host, mailbox) = (host.record, mailbox.record);
    let online = app.is_online(&mailbox);
    let resource = fleet_update.plan.brings.rules().job().rules().resource().unwrap_or_default();
    // Its own last job may be over without its end having been told.
    let is_busy = |resource| mailbox.open_on(resource).is_some_and(|open| Some(open.id) != job_id);
    let update_open = is_busy(&resource) || is_busy(HOST) || has_slot_elsewhere(app, fleet_update, &mailbox).await?;
    let candidate = Candidate::new(&host, &mailbox, online, &resource, &release);
    Ok(Some((position, Candidate { update_open, attempts, ..candidate })))
}

/// Whether the host is still in an unproven update of another fleet update, one that has halted.
async fn has_slot_elsewhere(app: &App, fleet_update: &FleetUpdate, mailbox: &Mailbox) -> Result<bool, StoreError> {
    let elsewhere = mailbox.fleet_update.filter(|place| place.fleet_update_id != fleet_update.id);
    let Some(Place { fleet_update_id, position }) = elsewhere else { return Ok(false) };
    let key = records::fleet_update_hosts::key(fleet_update_id, position);
    let found = app.load::<FleetUpdateHost>(&key, Consistency::Strong).await?;
    Ok(found.is_some_and(|found| found.record.slot.is_some()))
}

/// The release that a fleet update brings, as it is now.
async fn release(app: &App, fleet_update: &FleetUpdate) -> Result<Option<Release>, StoreError> {
    let Brings::Release(brings::releases::Release { version, .. }) = &fleet_update.plan.brings;
    let found = app.load::<Release>(&records::releases::key(version), Consistency::Strong).await?;
    Ok(found.map(|found| found.record))
}
