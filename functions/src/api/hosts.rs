//! Hosts: list, describe, retire, readmit, update.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use muster_domain::{
    access::actions,
    changes::Change,
    hosts::{Event, Host, Standing},
    jobs::{JobOrder, NewJob, Origin},
    mailboxes::{self, Mailbox},
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
};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    checks::{check_labels, check_text},
    extract::{Id, IfMatch, JsonBody, Paging, Params},
    found::{found, mailbox, newest_release, published},
    lists::{List, turn},
    looks::{Hold, Look, Snapshot, tagged},
    orders,
    problem::Failure,
    route::{self, PAGE_OF_HOSTS, Route},
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::Extras,
    polls, records,
    store::Versioned,
};

/// How long an update of a single host may take, in seconds.
const UPDATE_SECONDS: u32 = 1_200;
/// How many hosts are read at once at least, and how many by one request at most.
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

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/hosts", list)
            .says("List hosts.")
            .asks(&[
                ("label", "strings", "A label as `key=value`. May be given several times; all of them must match."),
                ("os", "string", "The operating system."),
                ("version", "string", "The version of the agent."),
                ("updates", "string", "`behind`: only hosts that a newer published release exists for."),
                ("online", "boolean", "Whether the host was heard from lately."),
                ("state", "HostState", "The state of the host. Absent: every state but `retired`."),
            ])
            .asks(&PAGE_OF_HOSTS)
            .gives::<Page<HostView>>(200),
        route::get("/api/v1/hosts/{id}", get)
            .says("Get a host, or with `wait` its next change.")
            .waits()
            .gives::<HostView>(200),
        route::patch("/api/v1/hosts/{id}", change)
            .says("Change the name and the labels of a host.")
            .takes::<HostChange>()
            .gives::<HostView>(200),
        route::delete("/api/v1/hosts/{id}", retire)
            .says("Retire a host for good.")
            .asks(&[("force", "boolean", "Give up its open jobs."), ("reason", "string", "Why, for people.")])
            .ends(204),
        route::post("/api/v1/hosts/{id}/readmit", readmit)
            .says("Readmit a quarantined host.")
            .takes::<Reason>()
            .gives::<HostView>(200),
        route::post("/api/v1/hosts/{id}/update", update)
            .says("Update the agent of one host to a release.")
            .takes::<HostUpdateRequest>()
            .gives::<JobView>(202),
    ]
}

/// `GET /api/v1/hosts`
pub async fn list(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Params(filter): Params<Filter>,
    Params(query): Params<Vec<(String, String)>>,
    Paging(params): Paging,
) -> Result<Json<Page<HostView>>, Failure> {
    let (limit, labels) = (params.limit_up_to(MAX_HOSTS_LIMIT)?, labels(&query)?);
    if filter.updates.as_deref().is_some_and(|updates| updates != "behind") {
        return Err(Problem::invalid("updates", "must be behind").into());
    }
    let _turn = turn(&app, &params.caller).await?;
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
    let held = Hold { caller: operator.actor(), topics: &topics, again: None };
    let (app, role) = (&app, operator.role());
    // Where check-ins are held, the host receives everything at once anyway.
    let gives_attention = operator.is_person() && app.settings.pacing.max_hold_seconds == 0;
    let cause = &operator.cause();
    let see = || async move {
        let (host, mailbox) = (found::<Host>(app, &id).await?, mailbox(app, id).await?);
        if gives_attention && mailbox.lacks_attention(app.now()) {
            // Lost, the next look gives it.
            drop(advance(app, Change::Mailbox(id, mailboxes::Event::LookedAt), cause).await);
        }
        let view = view(app, host, &mailbox, newest_release(app).await?.as_ref(), role);
        Ok(Snapshot { revision: view.revision, over: false, view })
    };
    look.answer(app, held, see).await
}

/// `PATCH /api/v1/hosts/{id}`
pub async fn change(
    operator: Operator<may::DescribeHosts>,
    State(app): State<App>,
    Id(id): Id<HostId>,
    IfMatch(revision): IfMatch,
    JsonBody { body, .. }: JsonBody<HostChange>,
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
    JsonBody { body, .. }: JsonBody<Reason>,
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
    JsonBody { body, .. }: JsonBody<HostUpdateRequest>,
) -> Result<(StatusCode, Json<JobView>), Failure> {
    let (host, mailbox) = (found::<Host>(&app, &id).await?.record, mailbox(&app, id).await?);
    let release = published(&app, &body.version).await?;
    let online = app.is_online(&mailbox);
    Standing { host: &host, mailbox: &mailbox, online, release: Some(&release) }.can_be_updated()?;
    let spec = SelfUpdateSpec { version: body.version, manifest_sha256: release.manifest_sha256 };
    let spec = JobSpec::SelfUpdate(spec);
    let asked = JobOrder {
        resource: spec.rules().resource(),
        spec,
        origin: Origin::Caller(operator.identity.actor.clone()),
        caller_name: operator.identity.name.clone(),
        start_by: after(app.now(), UPDATE_SECONDS),
        time_limit_seconds: UPDATE_SECONDS,
    };
    let job = NewJob { id: JobId::new(app.now(), rand::random()), asked };
    let job = orders::enqueue(&app, id, job, &operator.cause(), Vec::new()).await?;
    Ok((StatusCode::ACCEPTED, Json(job.record.view(operator.role(), app.now(), job.revision, online))))
}

/// A host as operators of this role see it.
async fn current(app: &App, id: HostId, role: Role) -> Result<HostView, Failure> {
    let host = found::<Host>(app, &id).await?;
    let newest = newest_release(app).await?;
    Ok(view(app, host, &mailbox(app, id).await?, newest.as_ref(), role))
}

fn view(app: &App, host: Versioned<Host>, mailbox: &Mailbox, newest: Option<&Release>, role: Role) -> HostView {
    let online = app.is_online(mailbox);
    let standing = Standing { host: &host.record, mailbox, online, release: newest };
    let actions = actions(|action| standing.allows(action, role));
    let update_available = standing.is_behind();
    let Host { id, public_key: _, name, is_named: _, labels, facts, agent, upstreams, enrolled_at } = host.record;
    HostView {
        id,
        state: mailbox.state,
        state_reason: mailbox.state_reason.clone(),
        name,
        labels,
        online: mailbox.state != HostState::Retired && online,
        connected: mailbox.state == HostState::Active && app.is_connected(mailbox),
        last_seen_at: app.presence.last(id).max(mailbox.last_seen_at(app.now())),
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
