//! Hosts: what they are, what they are called, and whether they are served.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use muster_domain::{
    access::actions,
    changes::Change,
    hosts::{Event, Host, Standing},
    jobs::{Asked, NewJob, Origin},
    mailboxes::{self, Mailbox},
    refused::Refused,
    releases::Release,
    times::after,
};
use muster_schemas::{
    access::Role,
    hosts::{HostChange, HostState, HostUpdateRequest, HostView, Reason},
    ids::{HostId, JobId},
    jobs::{JobSpec, JobView, SelfUpdateSpec},
    pages::{MAX_HOSTS_LIMIT, Page},
    problems::Problem,
    releases::ReleaseState,
};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    enrollment::check_labels,
    extract::{Id, IfMatch, Paged, Params, Sent, check_text},
    found::{found, mailbox},
    jobs,
    lists::List,
    looks::{Held, Look, Seen, tagged},
    problem::Failure,
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::Extras,
    polls, records,
    store::{Consistency, Versioned},
    workers::fleet_updates::with_mailboxes,
};

/// How long an update of a single host may take, in seconds.
const UPDATE_SECONDS: u32 = 1_200;
/// How many hosts are looked at in one go, at least, and how many by one request.
const STRIDE: usize = 100;
const MAX_LOOKED_AT: usize = 2_000;
/// How much an answer says of why hosts are not served, in bytes: with the host itself, and with each action it has not.
const MAX_REASON_BYTES: usize = 512 * 1024;
const REASON_TOLD: usize = 4;

/// Which hosts are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    os: Option<String>,
    version: Option<String>,
    /// `behind`: those that a published release is newer for.
    updates: Option<String>,
    online: Option<bool>,
    state: Option<HostState>,
}

/// `GET /api/v1/hosts`
pub async fn list(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Params(filter): Params<Filter>,
    Params(query): Params<Vec<(String, String)>>,
    Paged(params): Paged,
) -> Result<Json<Page<HostView>>, Failure> {
    let (limit, labels) = (params.limit_up_to(MAX_HOSTS_LIMIT)?, labels(&query)?);
    if filter.updates.as_deref().is_some_and(|updates| updates != "behind") {
        return Err(Problem::invalid("updates", "must be behind").into());
    }
    let newest = newest_release(&app).await?;
    let mut cursor = params.cursor;
    let mut items = Vec::new();
    let stride = limit.max(STRIDE);
    let mut reasons = 0;
    for _ in 0..MAX_LOOKED_AT / stride {
        let (records, more) = List::all("hosts").before::<Host>(&app, cursor.as_deref(), stride).await?;
        let full = more && records.len() < stride;
        let mailboxes = records.iter().map(|(_, host)| records::mailboxes::key(host.record.id)).collect::<Vec<_>>();
        let mailboxes = app.load_many::<Mailbox>(&mailboxes).await?;
        for ((place, host), mailbox) in records.into_iter().zip(mailboxes) {
            cursor = Some(place);
            let Some(mailbox) = mailbox else { continue };
            let view = view(&app, host, &mailbox.record, newest.as_ref(), operator.role());
            if filter.wants(&view, &labels) {
                reasons += view.state_reason.as_ref().map_or(0, String::len) * REASON_TOLD;
                items.push(view);
            }
            if items.len() == limit || reasons > MAX_REASON_BYTES {
                return Ok(Json(Page { items, next_cursor: cursor }));
            }
        }
        if !more {
            return Ok(Json(Page { items, next_cursor: None }));
        }
        if full && !items.is_empty() {
            break;
        }
    }
    Ok(Json(Page { items, next_cursor: cursor }))
}

/// `GET /api/v1/hosts/{id}`, with `?wait=30` for another answer than `If-None-Match` names.
pub async fn get(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<HostId>,
    look: Look,
) -> Result<Response, Failure> {
    let topics = [polls::page_of_host(id), polls::RELEASES.into()];
    let held = Held { caller: operator.actor(), topics: &topics, again: None };
    let (app, role) = (&app, operator.role());
    // Where polls are held the host hears of everything at once.
    let gives_attention = operator.is_person() && app.settings.pacing.max_hold_seconds == 0;
    let cause = &operator.cause();
    let see = || async move {
        let (host, mailbox) = (found::<Host>(app, &id).await?, mailbox(app, id).await?);
        if gives_attention && mailbox.lacks_attention(app.now()) {
            // Lost, the next look gives it.
            drop(advance(app, Change::Mailbox(id, mailboxes::Event::LookedAt), cause).await);
        }
        let view = view(app, host, &mailbox, newest_release(app).await?.as_ref(), role);
        Ok(Seen { revision: view.revision, over: false, view })
    };
    look.answer(app, held, see).await
}

/// `PATCH /api/v1/hosts/{id}`
pub async fn change(
    operator: Operator<may::DescribeHosts>,
    State(app): State<App>,
    Id(id): Id<HostId>,
    IfMatch(revision): IfMatch,
    Sent { body, .. }: Sent<HostChange>,
) -> Result<Response, Failure> {
    let HostChange { name, labels } = body;
    let short = |name: &String| (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !name.as_ref().is_none_or(short) {
        return Err(Problem::invalid("name", "must be 1 to 128 printable characters").into());
    }
    check_labels(labels.iter().map(|(key, value)| (key, value.as_ref())))?;
    let own = Extras { revision, ..Extras::default() };
    let change = Change::Host(id, Event::Described { name, labels });
    advance_with(&app, change, &operator.cause(), own).await?;
    let view = current(&app, id, operator.role()).await?;
    tagged(view.revision, view)
}

/// How to retire a host.
#[derive(Debug, Default, Deserialize)]
pub struct RetireParams {
    #[serde(default)]
    force: bool,
    #[serde(default)]
    reason: String,
}

/// `DELETE /api/v1/hosts/{id}`: its identity is revoked with its next request; the record stays.
pub async fn retire(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    Id(id): Id<HostId>,
    Params(params): Params<RetireParams>,
) -> Result<StatusCode, Failure> {
    let RetireParams { force, reason } = params;
    check_text("reason", &reason, 1_024)?;
    let reason = if reason.is_empty() { "retired by an operator".to_owned() } else { reason };
    let event = mailboxes::Event::Retire { reason, force };
    advance(&app, Change::Mailbox(id, event), &operator.cause()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/hosts/{id}/readmit`: a quarantined host is served again.
pub async fn readmit(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    Id(id): Id<HostId>,
    Sent { body, .. }: Sent<Reason>,
) -> Result<Json<HostView>, Failure> {
    check_text("reason", &body.reason, 1_024)?;
    advance(&app, Change::Mailbox(id, mailboxes::Event::Readmit(body.reason)), &operator.cause()).await?;
    Ok(Json(current(&app, id, operator.role()).await?))
}

/// `POST /api/v1/hosts/{id}/update`: brings one host's agent to a release.
pub async fn update(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<HostId>,
    Sent { body, .. }: Sent<HostUpdateRequest>,
) -> Result<(StatusCode, Json<JobView>), Failure> {
    let (host, mailbox) = (found::<Host>(&app, &id).await?.record, mailbox(&app, id).await?);
    let release = published(&app, &body.version).await?;
    let online = app.settings.pacing.is_online(&mailbox, app.now());
    Standing { host: &host, mailbox: &mailbox, online, release: Some(&release) }.can_be_updated()?;
    let spec = SelfUpdateSpec { version: body.version, manifest_sha256: release.manifest_sha256 };
    let spec = JobSpec::SelfUpdate(spec);
    let asked = Asked {
        resource: spec.rules().resource(),
        spec,
        origin: Origin::Caller(operator.identity.actor.clone()),
        caller_name: operator.identity.name.clone(),
        start_by: after(app.now(), UPDATE_SECONDS),
        time_limit_seconds: UPDATE_SECONDS,
    };
    let job = NewJob { id: JobId::new(app.now(), rand::random()), asked };
    let job = jobs::enqueue(&app, id, job, &operator.cause(), Vec::new()).await?;
    Ok((StatusCode::ACCEPTED, Json(jobs::view(&app, &job, operator.role()))))
}

/// A release that can be offered.
pub async fn published(app: &App, version: &str) -> Result<Release, Failure> {
    let found = app.load::<Release>(&records::releases::key(version), Consistency::Strong).await?;
    let release = found.ok_or_else(|| Problem::invalid("version", "no such release"))?.record;
    match release.state() {
        ReleaseState::Published => Ok(release),
        ReleaseState::Draft => Err(Refused::wrong_state("files of the release are missing").into()),
        ReleaseState::Yanked => Err(Refused::wrong_state("the release was yanked").into()),
    }
}

/// A host as operators of this role see it.
async fn current(app: &App, id: HostId, role: Role) -> Result<HostView, Failure> {
    let host = found::<Host>(app, &id).await?;
    let newest = newest_release(app).await?;
    Ok(view(app, host, &mailbox(app, id).await?, newest.as_ref(), role))
}

/// The active hosts that are wanted, `most` of them and perhaps a few more; those that joined last first.
pub async fn some(app: &App, wanted: impl Fn(&Host) -> bool, most: usize) -> Result<Vec<HostId>, Failure> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let (records, more) = List::all("hosts").before::<Host>(app, cursor.as_deref(), STRIDE).await?;
        cursor = records.last().map(|(place, _)| place.clone());
        let hosts = records.into_iter().map(|(_, host)| host.record).filter(|host| wanted(host)).collect::<Vec<_>>();
        let pairs = with_mailboxes(app, hosts).await?.into_iter();
        let active = pairs.filter(|(_, mailbox)| mailbox.state == HostState::Active);
        found.extend(active.map(|(host, _)| host.id));
        if !more || found.len() >= most {
            return Ok(found);
        }
    }
}

/// The newest release that is published.
pub async fn newest_release(app: &App) -> Result<Option<Release>, Failure> {
    let newest = List::all("releases").find::<Release>(app, |release| release.state() == ReleaseState::Published);
    Ok(newest.await?.map(|found| found.record))
}

fn view(app: &App, host: Versioned<Host>, mailbox: &Mailbox, newest: Option<&Release>, role: Role) -> HostView {
    let online = app.settings.pacing.is_online(mailbox, app.now());
    let standing = Standing { host: &host.record, mailbox, online, release: newest };
    let actions = actions(|action| standing.allows(action, role));
    let update_available = standing.is_behind();
    let Host { id, public_key: _, name, labels, facts, agent, upstreams, enrolled_at } = host.record;
    HostView {
        id,
        state: mailbox.state,
        state_reason: mailbox.state_reason.clone(),
        name,
        labels,
        online: mailbox.state != HostState::Retired && online,
        last_seen_at: mailbox.last_seen_at,
        session: mailbox.session,
        open_jobs: u32::try_from(mailbox.open.len()).unwrap_or(u32::MAX),
        update_available,
        facts,
        agent,
        upstreams,
        enrolled_at,
        revision: host.revision,
        actions,
    }
}

/// `?label=key=value`, any number of times; all must hold.
fn labels(query: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let pairs = query.iter().filter(|(name, _)| name == "label").map(|(_, pair)| {
        let pair = pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        pair.ok_or_else(|| Failure::from(Problem::invalid("label", "must be key=value")))
    });
    pairs.collect()
}

impl Filter {
    fn wants(&self, host: &HostView, labels: &BTreeMap<String, String>) -> bool {
        let version = host.agent.as_ref().map(|agent| &agent.version);
        labels.iter().all(|(key, value)| host.labels.get(key) == Some(value))
            && self.os.as_ref().is_none_or(|os| *os == host.facts.os)
            && self.version.as_ref().is_none_or(|wanted| version == Some(wanted))
            && (self.updates.is_none() || host.update_available)
            && self.online.is_none_or(|online| online == host.online)
            && self.state.map_or(host.state != HostState::Retired, |state| state == host.state)
    }
}
