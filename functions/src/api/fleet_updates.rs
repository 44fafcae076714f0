//! Fleet updates: planned, started, watched, and braked.

use std::collections::BTreeSet;

use axum::response::Response;
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use muster_domain::{
    changes::Change,
    fleet_updates::{
        self, Brings, Event, FleetUpdate, MAX_FAILURES, MAX_IN_FLIGHT, Plan, Planning, Selection, best_case_seconds,
        brings::{self, Exclusion, Turn},
        hosts::FleetUpdateHost,
    },
    mailboxes::Mailbox,
    refused::Refused,
    releases::Release,
    times::after,
    windows,
};
use muster_schemas::{
    access::Role,
    actions::ActionOnFleetUpdate,
    fleet_updates::{
        FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView, PlannedHost,
        Share,
    },
    hosts::HostState,
    ids::FleetUpdateId,
    pages::{MAX_HOSTS_LIMIT, Page},
    problems::{Problem, ProblemCode},
};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    enrollment::check_labels,
    extract::{Id, IdempotencyKey, PageParams, Paged, Params, Sent, check_text},
    found::found,
    hosts,
    idempotency::Once,
    lists::{List, page},
    looks::{Held, Look, Seen},
    problem::Failure,
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{Cause, CommitError, Extras},
    records,
    store::{Consistency, Order, Query, Versioned},
    workers::fleet_updates::{stretch, turn_of},
};

/// What a host needs at best to prove itself, in seconds: the default probation of the agent.
const PROBATION_SECONDS: u32 = 60;
/// How many hosts a request may name.
const MAX_HOST_IDS: usize = 1_000;
/// After how many hosts a dry run stops looking.
const MAX_DRY_RUN: usize = 5_000;
/// How many hosts in flight are shown with a fleet update.
const MAX_SHOWN_IN_FLIGHT: usize = 100;

/// Whether to start it.
#[derive(Debug, Default, Deserialize)]
pub struct CreateParams {
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/v1/fleet-updates`, with `?dry_run=true` for the plan alone.
pub async fn create(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Params(params): Params<CreateParams>,
    key: IdempotencyKey,
    Sent { body, sha256 }: Sent<FleetUpdateRequest>,
) -> Result<Response, Failure> {
    let mut once = Once::of(&operator.cause(), key, "fleet-update", &sha256);
    if let Some(view) = earlier(&app, &mut once, operator.role()).await? {
        return Ok((StatusCode::CREATED, Json(view)).into_response());
    }
    let version = check(&body)?;
    let release = hosts::published(&app, version).await?;
    let selection = selection(&app, &body).await?;
    if params.dry_run {
        return Ok(Json(planned(&app, &body, &release, &selection).await?).into_response());
    }
    let brings = Brings::Release(brings::releases::Release::of(&release));
    refuse_second(&app, &brings).await?;
    let plan = Box::new(plan(app.now(), &body, brings.clone(), operator.cause()));
    let planning = Planning { selection, waves: waves(&body), max_in_flight: max_in_flight(&body), from: None };
    let id = FleetUpdateId::new(app.now(), rand::random());
    let own = Extras { writes: once.write(&app, &id).into_iter().collect(), ..Extras::default() };
    let change = Change::FleetUpdate(id, Event::Start { id, plan, planning: Box::new(planning) });
    match advance_with(&app, change, &operator.cause(), own).await {
        Ok(_) => {}
        Err(CommitError::Locked(_)) => {
            refuse_second(&app, &brings).await?;
            return Err(Failure::of(ProblemCode::FleetUpdateActive));
        }
        Err(error) => return Err(error.into()),
    }
    Ok((StatusCode::CREATED, Json(current(&app, id, operator.role()).await?)).into_response())
}

/// `GET /api/v1/fleet-updates`: newest first.
pub async fn list(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Paged(params): Paged,
) -> Result<Json<Page<FleetUpdateView>>, Failure> {
    let Page { items: found, next_cursor } = page(&app, List::all("fleet-updates"), &params, Some).await?;
    let mut items = Vec::with_capacity(found.len());
    for found in found {
        items.push(view(&app, found, operator.role()).await?);
    }
    Ok(Json(Page { items, next_cursor }))
}

/// `GET /api/v1/fleet-updates/{id}`, with `?wait=30` for its next change, or for another answer than `If-None-Match` names.
pub async fn get(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    look: Look,
) -> Result<Response, Failure> {
    let (app, role) = (&app, operator.role());
    let see = || async move {
        let view = current(app, id, role).await?;
        Ok(Seen { revision: view.revision, over: view.ended_at.is_some(), view })
    };
    let held = Held { caller: operator.actor(), topics: &[id.to_string()], again: None };
    look.answer(app, held, see).await
}

/// `GET /api/v1/fleet-updates/{id}/hosts`: in the order of their turns, each with why it waits; with `?wait=30` for another
/// answer than `If-None-Match` names.
pub async fn hosts(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Paged(params): Paged,
    look: Look,
) -> Result<Response, Failure> {
    let (app, params) = (&app, &params);
    let see = || async move {
        let Versioned { record, revision } = found::<FleetUpdate>(app, &id).await?;
        let (over, view) = (record.ended_at.is_some(), hosts_page(app, &record, params).await?);
        Ok(Seen { revision, over, view })
    };
    let held = Held { caller: operator.actor(), topics: &[id.to_string()], again: None };
    look.answer(app, held, see).await
}

async fn hosts_page(
    app: &App,
    fleet_update: &FleetUpdate,
    params: &PageParams,
) -> Result<Page<FleetUpdateHostView>, Failure> {
    let id = fleet_update.id;
    let position = |position: u32| records::fleet_update_hosts::key(id, position);
    let query = Query {
        partition: position(0).partition,
        from: Some(position(0).sort),
        to: Some("host$".into()),
        order: Order::Ascending,
        limit: params.limit_up_to(MAX_HOSTS_LIMIT)?,
        cursor: params.cursor.clone(),
    };
    let rows = app.table.query(query).await?;
    let now = app.now();
    let view = |item| Ok(fleet_update.host_view(&Versioned::<FleetUpdateHost>::read(item)?.record, now));
    let items = rows.items.iter().map(view).collect::<Result<_, Failure>>()?;
    Ok(Page { items, next_cursor: rows.cursor })
}

/// `POST /api/v1/fleet-updates/{id}/pause`: offers the release to no further host.
pub async fn pause(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Sent { .. }: Sent<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    act(&app, &operator, id, Event::Pause).await
}

/// `POST /api/v1/fleet-updates/{id}/resume`: goes on; after a halt with a note.
pub async fn resume(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Sent { body, .. }: Sent<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    act(&app, &operator, id, Event::Resume(note(body.note)?)).await
}

/// `POST /api/v1/fleet-updates/{id}/cancel`: ends it. Hosts already updating finish and are recorded.
pub async fn cancel(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Sent { body, .. }: Sent<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    act(&app, &operator, id, Event::Cancel(note(body.note)?)).await
}

/// `POST /api/v1/fleet-updates/{id}/retry-failed`: gives failed hosts another turn.
pub async fn retry_failed(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Sent { body, .. }: Sent<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    act(&app, &operator, id, Event::RetryFailed(note(body.note)?)).await
}

/// `POST /api/v1/fleet-updates/{id}/write-off`: gives up the slot of a lost host.
pub async fn write_off(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Sent { body, .. }: Sent<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    let host_id = body.host_id.ok_or_else(|| Problem::invalid("host_id", "must name the lost host"))?;
    let fleet_update = found::<FleetUpdate>(&app, &id).await?.record;
    fleet_update.can(ActionOnFleetUpdate::WriteOff)?;
    let lost = hosts_at(&app, id, &fleet_update.lost).await?.into_iter().find(|host| host.host_id == host_id);
    let lost = lost.ok_or_else(|| Refused::wrong_state(format_args!("{host_id} is not lost in this fleet update")))?;
    advance(&app, lost.place.change(fleet_updates::hosts::Event::WriteOff), &operator.cause()).await?;
    current(&app, id, operator.role()).await.map(Json)
}

async fn act(
    app: &App,
    operator: &Operator<may::ManageFleetUpdates>,
    id: FleetUpdateId,
    event: Event,
) -> Result<Json<FleetUpdateView>, Failure> {
    advance(app, Change::FleetUpdate(id, event), &operator.cause()).await?;
    current(app, id, operator.role()).await.map(Json)
}

/// Those that are not over: the one that has the lock.
pub async fn active(app: &App, role: Role) -> Result<Vec<FleetUpdateView>, Failure> {
    let holder = app.load::<String>(&records::locks::key(brings::releases::LOCK), Consistency::Strong).await?;
    let Some(id) = holder.and_then(|holder| holder.record.parse().ok()) else { return Ok(Vec::new()) };
    let found = app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await?;
    // It may have ended in between.
    let Some(found) = found.filter(|found| found.record.ended_at.is_none()) else { return Ok(Vec::new()) };
    Ok(vec![view(app, found, role).await?])
}

/// The fleet update as operators of this role see it.
async fn current(app: &App, id: FleetUpdateId, role: Role) -> Result<FleetUpdateView, Failure> {
    view(app, found::<FleetUpdate>(app, &id).await?, role).await
}

async fn view(app: &App, found: Versioned<FleetUpdate>, role: Role) -> Result<FleetUpdateView, Failure> {
    let Versioned { record, revision } = found;
    let in_flight = hosts_at(app, record.id, record.slots.iter().take(MAX_SHOWN_IN_FLIGHT)).await?;
    let in_flight = in_flight.into_iter().map(|host| host.host_id).collect();
    Ok(record.view(role, app.now(), revision, in_flight))
}

async fn hosts_at(
    app: &App,
    id: FleetUpdateId,
    positions: impl IntoIterator<Item = &u32>,
) -> Result<Vec<FleetUpdateHost>, Failure> {
    let keys =
        positions.into_iter().map(|position| records::fleet_update_hosts::key(id, *position)).collect::<Vec<_>>();
    Ok(app.load_many(&keys).await?.into_iter().flatten().map(|host| host.record).collect())
}

fn note(note: String) -> Result<String, Failure> {
    check_text("note", &note, 1_024)?;
    Ok(note)
}

/// Whether a request keeps the rules; the version of the release that it asks for.
pub fn check(request: &FleetUpdateRequest) -> Result<&str, Failure> {
    let rule = "must name a release: a fleet update brings exactly one thing";
    let version = request.version.as_deref().ok_or_else(|| Problem::invalid("version", rule))?;
    let within = |field: &str, value: Option<u32>, least: u32, most: u32| match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(Failure::from(Problem::invalid(field, format_args!("must be {least} to {most}"))))
        }
        _ => Ok(()),
    };
    within("max_failures", request.max_failures, 1, MAX_FAILURES)?;
    within("soak_seconds", request.soak_seconds, 0, 7 * 86_400)?;
    within("host_time_limit_seconds", request.host_time_limit_seconds, 60, 86_400)?;
    within("deadline_seconds", request.deadline_seconds, 60, 30 * 86_400)?;
    if matches!(request.max_in_flight, Some(Share::Count(count)) if !(1..=MAX_IN_FLIGHT).contains(&count)) {
        let rule = format!("must be 1 to {MAX_IN_FLIGHT}; a share of more hosts means {MAX_IN_FLIGHT}");
        return Err(Problem::invalid("max_in_flight", rule).into());
    }
    let labels = request.selector.iter().flat_map(|selector| &selector.labels);
    check_labels(labels.map(|(key, value)| (key, Some(value))))?;
    if request.selector.as_ref().and_then(|selector| selector.os.as_ref()).is_some_and(|os| os.len() > 64) {
        return Err(Problem::invalid("selector.os", "must be at most 64 bytes").into());
    }
    let waves = request.waves.iter().flatten();
    if waves.clone().count() > 20 || waves.clone().any(|share| *share == Share::Count(0)) {
        return Err(Problem::invalid("waves", "must be at most 20, each at least 1").into());
    }
    if let Some(Err(field)) = request.maintenance_window.as_ref().map(windows::parse) {
        return Err(
            Problem::invalid(format!("maintenance_window.{field}"), "must be HH:MM, start and end not equal").into()
        );
    }
    note(request.note.clone()).map(|_| version)
}

/// Which hosts are meant: at least one.
async fn selection(app: &App, request: &FleetUpdateRequest) -> Result<Selection, Failure> {
    let FleetUpdateRequest { host_ids, selector, .. } = request;
    if host_ids.is_empty() {
        let selection = Selection::Matching(selector.clone().unwrap_or_default());
        let mut from = None;
        loop {
            let (hosts, to) = stretch(app, &selection, from.as_ref()).await?;
            match to {
                _ if !hosts.is_empty() => return Ok(selection),
                None => return Err(Problem::invalid("selector", "matches no host").into()),
                to => from = to,
            }
        }
    }
    if selector.is_some() {
        return Err(Problem::invalid("host_ids", "say either host_ids or selector").into());
    }
    if host_ids.len() > MAX_HOST_IDS {
        let rule = format_args!("must be at most {MAX_HOST_IDS}; a selector means any number");
        return Err(Problem::invalid("host_ids", rule).into());
    }
    let mailboxes = host_ids.iter().copied().collect::<BTreeSet<_>>();
    let keys = mailboxes.iter().copied().map(records::mailboxes::key).collect::<Vec<_>>();
    let found = app.load_many::<Mailbox>(&keys).await?;
    let is_there = |found: &Option<Versioned<Mailbox>>| {
        found.as_ref().is_some_and(|mailbox| mailbox.record.state != HostState::Retired)
    };
    if let Some((unknown, _)) = mailboxes.iter().zip(&found).find(|(_, found)| !is_there(found)) {
        return Err(Problem::invalid("host_ids", format_args!("there is no host {unknown}")).into());
    }
    Ok(Selection::Hosts(mailboxes))
}

/// The waves that are asked for.
pub fn waves(request: &FleetUpdateRequest) -> Vec<Share> {
    request.waves.clone().unwrap_or_else(|| vec![Share::Count(1)])
}

/// How many hosts may be in an unproven update at once, as asked for.
pub fn max_in_flight(request: &FleetUpdateRequest) -> Share {
    request.max_in_flight.unwrap_or(Share::Count(1))
}

/// The plan that is asked for, before its hosts are known.
pub fn plan(now: Timestamp, request: &FleetUpdateRequest, brings: Brings, cause: Cause) -> Plan {
    let Cause { actor: created_by, name: created_by_name, .. } = cause;
    Plan {
        brings,
        waves: Vec::new(),
        max_in_flight: 0,
        max_failures: request.max_failures.unwrap_or(1),
        soak_seconds: request.soak_seconds.unwrap_or(300),
        host_time_limit_seconds: request.host_time_limit_seconds.unwrap_or(1_200),
        offline_policy: request.offline_policy,
        maintenance_window: request.maintenance_window.clone(),
        deadline_at: after(now, request.deadline_seconds.unwrap_or(7 * 86_400)),
        note: request.note.clone(),
        created_by,
        created_by_name,
        created_at: now,
    }
}

/// What it would do, by what is known now.
async fn planned(
    app: &App,
    request: &FleetUpdateRequest,
    release: &Release,
    selection: &Selection,
) -> Result<FleetUpdatePlan, Failure> {
    let (mut ready, mut others, mut current) = (Vec::new(), Vec::new(), Vec::new());
    let mut from = None;
    loop {
        let (hosts, to) = stretch(app, selection, from.as_ref()).await?;
        for (host, mailbox) in hosts {
            let turn = turn_of(app, &host, &mailbox, release);
            current.extend(matches!(turn, Turn::LeaveOut(Exclusion::HasIt(_))).then_some(host.id));
            let list = if matches!(turn, Turn::Offer(_)) { &mut ready } else { &mut others };
            list.push(PlannedHost {
                host_id: host.id,
                name: host.name,
                version: host.agent.map(|agent| agent.version),
                online: app.settings.pacing.is_online(&mailbox, app.now()),
            });
        }
        from = to;
        if from.is_none() || ready.len() + others.len() >= MAX_DRY_RUN {
            break;
        }
    }
    let total = u32::try_from(ready.len() + others.len()).unwrap_or(u32::MAX);
    let sizes = fleet_updates::waves(total, &waves(request));
    let mut hosts = ready.into_iter().chain(others);
    let waves = sizes.iter().map(|size| hosts.by_ref().take(*size as usize).collect()).collect::<Vec<Vec<_>>>();
    let max_in_flight = fleet_updates::max_in_flight(total, max_in_flight(request));
    let soak_seconds = request.soak_seconds.unwrap_or(300);
    Ok(FleetUpdatePlan {
        version: release.manifest.version.clone(),
        current,
        offline: waves.iter().flatten().filter(|host| !host.online).map(|host| host.host_id).collect(),
        best_case_seconds: best_case_seconds(&sizes, max_in_flight, PROBATION_SECONDS, soak_seconds),
        waves,
        max_in_flight,
        incomplete: from.is_some(),
    })
}

/// 409 with the id of the one that is active. The lock decides; this only says so early and well.
async fn refuse_second(app: &App, brings: &Brings) -> Result<(), Failure> {
    let lock = records::locks::key(&brings.rules().lock());
    let Some(holder) = app.load::<String>(&lock, Consistency::Strong).await? else { return Ok(()) };
    let problem = Problem::new(ProblemCode::FleetUpdateActive)
        .detail(format_args!("{} is active", holder.record))
        .with("fleet_update_id", holder.record);
    Err(problem.into())
}

async fn earlier(app: &App, once: &mut Once, role: Role) -> Result<Option<FleetUpdateView>, Failure> {
    let Some(id) = once.earlier(app).await?.and_then(|id| id.parse().ok()) else { return Ok(None) };
    current(app, id, role).await.map(Some)
}
