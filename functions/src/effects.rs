//! Effects: what a commit asked for is done here, after it. Each may be done twice, and what is not done is found again
//! by the tick: changes in the outbox, fleet updates in the due index.

use std::collections::VecDeque;

use muster_domain::{
    fleet_update_hosts::FleetUpdateHost,
    fleet_updates::{self, Candidate, FleetUpdate},
    hosts::Host,
    machine::Change,
    mailboxes::Mailbox,
    releases::Release,
};
use muster_schemas::ids::{FleetUpdateId, JobId};

use crate::{
    advance::{AdvanceError, Cause, FollowUp, Own, commit},
    app::{App, Versioned},
    store::{Consistency, Expect, StoreError, Write, keys},
};

/// How many follow-ups one request does at most; the tick does the rest.
const BOUND: usize = 500;
/// How many offline hosts that are waited for are looked at in one go.
const MAX_LOOKED_AT: usize = 50;

/// Does what follows a commit, and what follows that. Faults are logged and left to the tick.
pub(crate) async fn follow_up(app: &App, cause: &Cause, first: Vec<FollowUp>) {
    let mut queue = VecDeque::from(first);
    for _ in 0..BOUND {
        let Some(next) = queue.pop_front() else { return };
        let done = match next {
            FollowUp::Wake(topic) => {
                app.polls.wake(topic);
                Ok(Vec::new())
            }
            FollowUp::Change(id, change) => happen(app, cause, &id, &change).await,
            FollowUp::Offer(id) => offer(app, cause, id).await,
        };
        match done {
            Ok(more) => queue.extend(more),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "A follow-up is left to the tick."),
        }
    }
}

/// A change of the outbox happens, and is crossed out. Refused by the rules is done as well.
pub(crate) async fn happen(app: &App, cause: &Cause, id: &str, change: &Change) -> Result<Vec<FollowUp>, AdvanceError> {
    let more = match commit(app, change, cause, &Own::default()).await {
        Ok(advanced) => advanced.follow_ups,
        Err(AdvanceError::Refused(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let crossed_out = Write::Delete { key: keys::outbox(id), expect: Expect::Any };
    app.table.commit(vec![crossed_out], rand::random()).await.map_err(AdvanceError::Store)?;
    Ok(more)
}

/// Offers the release to the next host whose turn has come; asks to be called again while there may be more.
async fn offer(app: &App, cause: &Cause, id: FleetUpdateId) -> Result<Vec<FollowUp>, AdvanceError> {
    let found = app.load::<FleetUpdate>(&keys::fleet_update(id), Consistency::Strong).await;
    let Some(Versioned { record: fleet_update, .. }) = found.map_err(AdvanceError::Store)? else {
        return Ok(Vec::new());
    };
    let Some((position, candidate)) = next(app, &fleet_update).await.map_err(AdvanceError::Store)? else {
        return Ok(Vec::new());
    };
    let job_id = JobId::new(app.now(), rand::random());
    let event = fleet_updates::Event::Admit { position, candidate: Box::new(candidate), job_id };
    match commit(app, &Change::FleetUpdate(id, event), cause, &Own::default()).await {
        Ok(advanced) => Ok(advanced.follow_ups),
        // Somebody else was faster, or the host's mailbox takes nothing: the next tick looks again.
        Err(AdvanceError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
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
    let (id, version) = (fleet_update.id, &fleet_update.plan.version);
    let key = keys::fleet_update_host(id, position);
    let Some(planned) = app.load::<FleetUpdateHost>(&key, Consistency::Strong).await? else { return Ok(None) };
    let host_id = planned.record.host_id;
    let host = app.load::<Host>(&keys::host(host_id), Consistency::Strong).await?.map(|host| host.record);
    let mailbox = app.load::<Mailbox>(&keys::mailbox(host_id), Consistency::Strong).await?;
    let mailbox = mailbox.map(|mailbox| mailbox.record);
    let release = app.load::<Release>(&keys::release(version), Consistency::Strong).await?;
    let facts = host.as_ref().map(|host| host.facts.clone()).unwrap_or_default();
    let candidate = Candidate {
        host_id,
        state: mailbox.as_ref().map(|mailbox| mailbox.state),
        online: mailbox.as_ref().is_some_and(|mailbox| app.settings.pacing.is_online(mailbox, app.now())),
        update_open: mailbox.as_ref().is_some_and(|mailbox| mailbox.update().is_some()),
        agent: host.and_then(|host| host.agent),
        os: facts.os,
        architecture: facts.architecture,
        has_room: mailbox.as_ref().is_some_and(Mailbox::has_room),
        yanked: release.and_then(|release| release.record.yanked),
        attempts: planned.record.attempts,
    };
    Ok(Some((position, candidate)))
}
