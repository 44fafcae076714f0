//! Fleet updates: planned, started, watched, and braked.

use axum::response::Response;
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use muster_domain::{
    fleet_update_hosts::FleetUpdateHost,
    fleet_updates::{self, Event, FleetUpdate, LOCK, MAX_IN_FLIGHT, Plan, best_case_seconds},
    hosts::Host,
    machine::{Change, Refused},
    mailboxes::Mailbox,
    pacing::after,
    releases::Release,
    windows,
};
use muster_schemas::{
    fleet_updates::{
        FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView, PlannedHost,
        Share,
    },
    hosts::HostState,
    ids::FleetUpdateId,
    pages::Page,
    problems::{Problem, ProblemCode},
};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    extract::{Id, IdempotencyKey, PageParams, Params, Sent, etag},
    hosts,
    idempotency::Once,
    jobs::WaitParams,
    lists::{List, page},
    problem::Failure,
};
use crate::{
    advance::{AdvanceError, Own, advance, advance_with, put},
    app::{App, Versioned},
    store::{Consistency, Expect, Order, Query, keys},
};

/// What a host needs at best to prove itself, in seconds: the default probation of the agent.
const PROBATION_SECONDS: u32 = 60;
/// How many hosts are written with one commit.
const CHUNK: usize = 90;

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
    let once = Once::of(&operator.cause(), key, "fleet-update", &sha256);
    if let Some(view) = earlier(&app, &once).await? {
        return Ok((StatusCode::CREATED, Json(view)).into_response());
    }
    check(&body)?;
    let release = hosts::published(&app, &body.version).await?;
    let hosts = meant(&app, &body).await?;
    if params.dry_run {
        return Ok(Json(planned(&app, &body, &release, hosts)).into_response());
    }
    refuse_second(&app).await?;
    let plan = plan(&app, &body, release, &hosts, operator.identity.actor.clone());
    let id = FleetUpdateId::new(app.now(), rand::random());
    write_hosts(&app, id, &plan, &hosts).await?;
    let own = Own { writes: once.write(&app, &id).into_iter().collect(), ..Own::default() };
    let change = Change::FleetUpdate(id, Event::Start(Box::new(plan), id));
    match advance_with(&app, change, &operator.cause(), own).await {
        Ok(_) => {}
        Err(AdvanceError::Locked(_)) => {
            refuse_second(&app).await?;
            return Err(Failure::of(ProblemCode::FleetUpdateActive));
        }
        Err(error) => return Err(error.into()),
    }
    let found = load(&app, id).await?;
    Ok((StatusCode::CREATED, Json(found.record.view(app.now(), found.revision))).into_response())
}

/// `GET /api/v1/fleet-updates`: newest first.
pub async fn list(
    _: Operator<may::Look>,
    State(app): State<App>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<FleetUpdateView>>, Failure> {
    let now = app.now();
    let view = |found: Versioned<FleetUpdate>| Some(found.record.view(now, found.revision));
    page(&app, List::all("fleet-updates"), &params, view).await.map(Json)
}

/// `GET /api/v1/fleet-updates/{id}`, with `?wait=30` for its next change.
pub async fn get(
    _: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Params(params): Params<WaitParams>,
) -> Result<impl IntoResponse, Failure> {
    let over = |fleet_update: &FleetUpdate| fleet_update.ended_at.is_some();
    let found = params.wait_for(&app, id, &keys::fleet_update(id), over).await?;
    Ok((etag(found.revision), Json(found.record.view(app.now(), found.revision))))
}

/// `GET /api/v1/fleet-updates/{id}/hosts`: in the order of their turns, each with why it waits.
pub async fn hosts(
    _: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<FleetUpdateId>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<FleetUpdateHostView>>, Failure> {
    let fleet_update = load(&app, id).await?.record;
    let position = |position: u32| keys::fleet_update_host(id, position);
    let query = Query {
        partition: position(0).partition,
        from: Some(position(0).sort),
        to: Some("host$".into()),
        order: Order::Ascending,
        limit: params.limit()?,
        cursor: params.cursor,
    };
    let rows = app.table.query(query).await?;
    let now = app.now();
    let view = |item| Ok(fleet_update.host_view(&Versioned::<FleetUpdateHost>::read(item)?.record, now));
    let items = rows.items.iter().map(view).collect::<Result<_, Failure>>()?;
    Ok(Json(Page { items, next_cursor: rows.cursor }))
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
    act(&app, &operator, id, Event::WriteOff(host_id)).await
}

async fn act(
    app: &App,
    operator: &Operator<may::ManageFleetUpdates>,
    id: FleetUpdateId,
    event: Event,
) -> Result<Json<FleetUpdateView>, Failure> {
    advance(app, Change::FleetUpdate(id, event), &operator.cause()).await?;
    let found = load(app, id).await?;
    Ok(Json(found.record.view(app.now(), found.revision)))
}

fn note(note: String) -> Result<String, Failure> {
    if note.chars().count() > 1024 {
        return Err(Problem::invalid("note", "must be at most 1024 characters").into());
    }
    Ok(note)
}

fn check(request: &FleetUpdateRequest) -> Result<(), Failure> {
    let within = |field: &str, value: Option<u32>, least: u32, most: u32| match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(Failure::from(Problem::invalid(field, format_args!("must be {least} to {most}"))))
        }
        _ => Ok(()),
    };
    within("max_failures", request.max_failures, 1, u32::MAX)?;
    within("soak_seconds", request.soak_seconds, 0, 7 * 86_400)?;
    within("host_time_limit_seconds", request.host_time_limit_seconds, 60, 86_400)?;
    within("deadline_seconds", request.deadline_seconds, 60, 30 * 86_400)?;
    if matches!(request.max_in_flight, Some(Share::Count(count)) if !(1..=MAX_IN_FLIGHT).contains(&count)) {
        let rule = format!("must be 1 to {MAX_IN_FLIGHT}; a share of more hosts means {MAX_IN_FLIGHT}");
        return Err(Problem::invalid("max_in_flight", rule).into());
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
    note(request.note.clone()).map(drop)
}

/// The hosts that are meant, in the order of their turns: those that can be updated now go first, so that the canary is
/// one of them; among equals those that joined first.
async fn meant(app: &App, request: &FleetUpdateRequest) -> Result<Vec<(Host, Mailbox)>, Failure> {
    let FleetUpdateRequest { host_ids, selector, .. } = request;
    if !host_ids.is_empty() && selector.is_some() {
        return Err(Problem::invalid("host_ids", "say either host_ids or selector").into());
    }
    let named = |host: &Host| host_ids.is_empty() || host_ids.contains(&host.id);
    let selected = |host: &Host| selector.as_ref().is_none_or(|selector| host.matches(selector));
    let mut hosts = hosts::all(app, |host| named(host) && selected(host)).await?;
    let can_be_updated = |host: &Host, mailbox: &Mailbox| {
        let outdated = host.agent.as_ref().is_some_and(|agent| agent.version != request.version);
        outdated && mailbox.state == HostState::Active && app.settings.pacing.is_online(mailbox, app.now())
    };
    hosts.sort_by_key(|(host, mailbox)| (!can_be_updated(host, mailbox), host.id));
    if let Some(unknown) = host_ids.iter().find(|id| hosts.iter().all(|(host, _)| host.id != **id)) {
        return Err(Problem::invalid("host_ids", format_args!("there is no host {unknown}")).into());
    }
    if hosts.is_empty() {
        return Err(Problem::invalid("selector", "matches no host").into());
    }
    Ok(hosts)
}

fn waves(request: &FleetUpdateRequest, hosts: usize) -> Vec<u32> {
    let total = u32::try_from(hosts).unwrap_or(u32::MAX);
    fleet_updates::waves(total, request.waves.as_deref().unwrap_or(&[Share::Count(1)]))
}

fn max_in_flight(request: &FleetUpdateRequest, hosts: usize) -> u32 {
    let total = u32::try_from(hosts).unwrap_or(u32::MAX);
    request.max_in_flight.unwrap_or(Share::Count(1)).of(total).min(total.max(1)).min(MAX_IN_FLIGHT)
}

fn plan(
    app: &App,
    request: &FleetUpdateRequest,
    release: Release,
    hosts: &[(Host, Mailbox)],
    created_by: String,
) -> Plan {
    let now = app.now();
    Plan {
        version: request.version.clone(),
        manifest_sha256: release.manifest_sha256,
        targets: release.manifest.targets,
        waves: waves(request, hosts.len()),
        max_in_flight: max_in_flight(request, hosts.len()),
        max_failures: request.max_failures.unwrap_or(1),
        soak_seconds: request.soak_seconds.unwrap_or(300),
        host_time_limit_seconds: request.host_time_limit_seconds.unwrap_or(1_200),
        offline_policy: request.offline_policy,
        maintenance_window: request.maintenance_window.clone(),
        deadline_at: after(now, request.deadline_seconds.unwrap_or(7 * 86_400)),
        note: request.note.clone(),
        created_by,
        created_at: now,
    }
}

/// What it would do, by what is known now.
fn planned(app: &App, request: &FleetUpdateRequest, release: &Release, hosts: Vec<(Host, Mailbox)>) -> FleetUpdatePlan {
    let runs_it = |host: &Host| {
        let target = release.target(&host.facts.os, &host.facts.architecture);
        let digest = |agent: &muster_schemas::check_ins::AgentReport| {
            agent.version == request.version && target.is_some_and(|target| target.sha256 == agent.executable_sha256)
        };
        host.agent.as_ref().is_some_and(digest)
    };
    let total = hosts.len();
    let sizes = waves(request, total);
    let current = hosts.iter().filter(|(host, _)| runs_it(host)).map(|(host, _)| host.id).collect();
    let views = hosts.into_iter().map(|(host, mailbox)| PlannedHost {
        host_id: host.id,
        name: host.name,
        version: host.agent.map(|agent| agent.version),
        online: app.settings.pacing.is_online(&mailbox, app.now()),
    });
    let mut views = views.collect::<Vec<_>>().into_iter();
    let waves = sizes.iter().map(|size| views.by_ref().take(*size as usize).collect()).collect::<Vec<Vec<_>>>();
    let max_in_flight = max_in_flight(request, total);
    let soak_seconds = request.soak_seconds.unwrap_or(300);
    FleetUpdatePlan {
        version: request.version.clone(),
        current,
        offline: waves.iter().flatten().filter(|host| !host.online).map(|host| host.host_id).collect(),
        best_case_seconds: best_case_seconds(&sizes, max_in_flight, PROBATION_SECONDS, soak_seconds),
        waves,
        max_in_flight,
    }
}

/// Written before the fleet update itself: without it nobody reads them.
async fn write_hosts(app: &App, id: FleetUpdateId, plan: &Plan, hosts: &[(Host, Mailbox)]) -> Result<(), Failure> {
    let of_wave = |(wave, size): (usize, &u32)| std::iter::repeat_n(wave, *size as usize);
    let waves = plan.waves.iter().enumerate().flat_map(of_wave);
    let writes = hosts.iter().zip(waves).enumerate().map(|(position, ((host, _), wave))| {
        let (position, wave) = (u32::try_from(position).unwrap_or(u32::MAX), u32::try_from(wave).unwrap_or(u32::MAX));
        let planned = FleetUpdateHost::planned(id, position, wave, host.id);
        put(keys::fleet_update_host(id, position), 1, Vec::new(), &planned, Expect::Absent)
    });
    let writes = writes.collect::<Vec<_>>();
    for chunk in writes.chunks(CHUNK) {
        app.table.commit(chunk.to_vec(), rand::random()).await?;
    }
    Ok(())
}

/// 409 with the id of the one that is active. The lock decides; this only says so early and well.
async fn refuse_second(app: &App) -> Result<(), Failure> {
    let Some(holder) = app.load::<String>(&keys::lock(LOCK), Consistency::Strong).await? else { return Ok(()) };
    let problem = Problem::new(ProblemCode::FleetUpdateActive)
        .detail(format_args!("{} is active", holder.record))
        .with("fleet_update_id", holder.record);
    Err(problem.into())
}

async fn earlier(app: &App, once: &Once) -> Result<Option<FleetUpdateView>, Failure> {
    let Some(id) = once.earlier(app).await?.and_then(|id| id.parse().ok()) else { return Ok(None) };
    let found = load(app, id).await?;
    Ok(Some(found.record.view(app.now(), found.revision)))
}

async fn load(app: &App, id: FleetUpdateId) -> Result<Versioned<FleetUpdate>, Failure> {
    let found = app.load::<FleetUpdate>(&keys::fleet_update(id), Consistency::Strong).await?;
    found.ok_or_else(|| Refused::not_found("fleet update").into())
}
