//! Fleet updates: plan, start, follow, pause, resume, cancel.

pub mod plans;
pub mod views;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_domain::{
    changes::Change,
    fleet_updates::{self, Brings, Event, FleetUpdate, Planning, brings, hosts::FleetUpdateHost},
    refused::Refused,
    words::word,
};
use muster_schemas::{
    access::Role,
    fleet_updates::ActionOnFleetUpdate,
    fleet_updates::{FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView},
    ids::FleetUpdateId,
    pages::{MAX_HOSTS_LIMIT, Page},
    problems::{Problem, ProblemCode},
};
use serde::Deserialize;
use serde_json::json;

use self::{
    plans::{check, check_note, max_in_flight, plan, planned, selection, waves},
    views::{hosts_at, view},
};
use super::{
    auth::{Operator, may},
    extract::{DigestedBody, Id, IdempotencyKey, JsonBody, PageParams, Paging, Params},
    found::{found, published},
    idempotency::Once,
    lists::{List, page, turn},
    looks::{Hold, Look, Snapshot},
    problem::Failure,
    route::{self, PAGE, PAGE_OF_HOSTS, REVISION, Route},
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{Commit, CommitError, Extras},
    records,
    store::{Consistency, Order, Query, Versioned},
};

/// Whether to start it.
#[derive(Debug, Default, Deserialize)]
pub struct CreateParams {
    #[serde(default)]
    dry_run: bool,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/fleet-updates", create)
            .says("Start a fleet update, or with `dry_run` get its plan.")
            .asks(&[("dry_run", "boolean", "Answer the plan with status 200, and start nothing.")])
            .takes::<FleetUpdateRequest>()
            .gives::<FleetUpdateView>(201)
            .gives_dry::<FleetUpdatePlan>(),
        route::get("/api/v1/fleet-updates", list)
            .says("List fleet updates, newest first.")
            .asks(&PAGE)
            .gives::<Page<FleetUpdateView>>(200),
        route::get("/api/v1/fleet-updates/{id}", get)
            .says("Get a fleet update, or with `wait` its next change.")
            .waits()
            .asks(&REVISION)
            .gives::<FleetUpdateView>(200),
        route::get("/api/v1/fleet-updates/{id}/hosts", hosts)
            .says("List the hosts of a fleet update, each with what it is waiting on, or with `wait` the next change of the page.")
            .asks(&PAGE_OF_HOSTS)
            .waits()
            .gives::<Page<FleetUpdateHostView>>(200),
        route::post("/api/v1/fleet-updates/{id}/pause", pause)
            .says("Pause a fleet update: it is offered to no further host.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        route::post("/api/v1/fleet-updates/{id}/resume", resume)
            .says("Resume a fleet update.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        route::post("/api/v1/fleet-updates/{id}/cancel", cancel)
            .says("Cancel a fleet update.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        route::post("/api/v1/fleet-updates/{id}/retry-failed", retry_failed)
            .says("Retry the failed hosts of a fleet update.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        route::post("/api/v1/fleet-updates/{id}/write-off", write_off)
            .says("Write off a lost host, so that its slot is free again.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
    ]
}

/// `POST /api/v1/fleet-updates`, with `?dry_run=true` for the plan alone.
pub async fn create(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Params(params): Params<CreateParams>,
    key: IdempotencyKey,
    DigestedBody { body, sha256, .. }: DigestedBody<FleetUpdateRequest>,
) -> Result<Response, Failure> {
    let mut once = Once::of(&operator.cause(), key, "fleet-update", &sha256);
    if let Some(view) = earlier(&app, &mut once, operator.role()).await? {
        return Ok((StatusCode::CREATED, Json(view)).into_response());
    }
    let version = check(&body)?;
    let release = published(&app, version).await?;
    let selection = selection(&app, &body).await?;
    if params.dry_run {
        return Ok(Json(planned(&app, &body, &release, &selection).await?).into_response());
    }
    let brings = Brings::Release(brings::releases::Release::of(&release));
    refuse_second(&app, &brings.rules().lock()).await?;
    let plan = Box::new(plan(app.now(), &body, brings.clone(), operator.cause()));
    let planning = Planning { selection, waves: waves(&body), max_in_flight: max_in_flight(&body), from: None };
    let id = FleetUpdateId::new(app.now(), rand::random());
    let own = Extras { writes: once.write(&app, &id).into_iter().collect(), ..Extras::default() };
    let change = Change::FleetUpdate(id, Event::Start { id, plan, planning: Box::new(planning) });
    unless_locked(&app, advance_with(&app, change, &operator.cause(), own).await).await?;
    Ok((StatusCode::CREATED, Json(current(&app, id, operator.role()).await?)).into_response())
}

/// `GET /api/v1/fleet-updates`: newest first.
pub async fn list(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Paging(params): Paging,
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
        Ok(Snapshot { revision: view.revision, over: view.ended_at.is_some(), view })
    };
    let held = Hold { caller: operator.actor(), topics: &[id.to_string()], again: None };
    look.answer(app, held, see).await
}

/// `GET /api/v1/fleet-updates/{id}/hosts`: in the order of their turns, each with why it waits; with `?wait=30` for another
/// answer than `If-None-Match` names.
pub async fn hosts(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Paging(params): Paging,
    look: Look,
) -> Result<Response, Failure> {
    let (app, params) = (&app, &params);
    let see = || async move {
        let Versioned { record, revision } = found::<FleetUpdate>(app, &id).await?;
        let (over, view) = (record.ended_at.is_some(), hosts_page(app, &record, params).await?);
        Ok(Snapshot { revision, over, view })
    };
    let held = Hold { caller: operator.actor(), topics: &[id.to_string()], again: None };
    look.answer(app, held, see).await
}

async fn hosts_page(
    app: &App,
    fleet_update: &FleetUpdate,
    params: &PageParams,
) -> Result<Page<FleetUpdateHostView>, Failure> {
    let _turn = turn(app, &params.caller).await?;
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
    JsonBody { body, .. }: JsonBody<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    check_note(&body.note)?;
    act(&app, &operator, id, Event::Pause(body.note)).await
}

/// `POST /api/v1/fleet-updates/{id}/resume`: continues; after a halt a note is required.
pub async fn resume(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    JsonBody { body, .. }: JsonBody<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    check_note(&body.note)?;
    act(&app, &operator, id, Event::Resume(body.note)).await
}

/// `POST /api/v1/fleet-updates/{id}/cancel`: ends it. Hosts that are being updated finish, and their results are recorded.
pub async fn cancel(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    JsonBody { body, .. }: JsonBody<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    check_note(&body.note)?;
    act(&app, &operator, id, Event::Cancel(body.note)).await
}

/// `POST /api/v1/fleet-updates/{id}/retry-failed`: gives failed hosts another turn.
pub async fn retry_failed(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    JsonBody { body, .. }: JsonBody<FleetUpdateAction>,
) -> Result<Json<FleetUpdateView>, Failure> {
    check_note(&body.note)?;
    act(&app, &operator, id, Event::RetryFailed(body.note)).await
}

/// `POST /api/v1/fleet-updates/{id}/write-off`: gives up the slot of a lost host.
pub async fn write_off(
    operator: Operator<may::ManageFleetUpdates>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    JsonBody { body, .. }: JsonBody<FleetUpdateAction>,
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
    // To resume one that has halted takes the lock again.
    unless_locked(app, advance(app, Change::FleetUpdate(id, event), &operator.cause()).await).await?;
    current(app, id, operator.role()).await.map(Json)
}

/// The fleet update as operators of this role see it.
async fn current(app: &App, id: FleetUpdateId, role: Role) -> Result<FleetUpdateView, Failure> {
    view(app, found::<FleetUpdate>(app, &id).await?, role).await
}

/// A change that met a lock is refused with the one that holds it.
async fn unless_locked(app: &App, done: Result<Commit, CommitError>) -> Result<(), Failure> {
    if let Err(CommitError::Locked(lock)) = &done {
        refuse_second(app, lock).await?;
    }
    Ok(done.map(drop)?)
}

/// 409 with the id of the one that is active, and its state. The lock decides; this only says so early and well.
async fn refuse_second(app: &App, lock: &str) -> Result<(), Failure> {
    let holder = app.load::<String>(&records::locks::key(lock), Consistency::Strong).await?;
    let Some(holder) = holder.map(|holder| holder.record) else { return Ok(()) };
    let mut problem = Problem::new(ProblemCode::FleetUpdateActive).with("fleet_update_id", holder.clone());
    let active = match holder.parse() {
        Ok(id) => app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await?,
        Err(_) => None,
    };
    let state = active.map(|active| active.record.state);
    let is = state.map_or_else(|| "active".into(), word);
    problem = problem.detail(format_args!("{holder} is {is}; it must come to its end, or be cancelled, first"));
    Err(problem.with("state", json!(state)).with("lock", lock).into())
}

async fn earlier(app: &App, once: &mut Once, role: Role) -> Result<Option<FleetUpdateView>, Failure> {
    let Some(id) = once.earlier(app).await?.and_then(|id| id.parse().ok()) else { return Ok(None) };
    current(app, id, role).await.map(Some)
}
