//! Jobs: create, list, follow, cancel, and their logs.

mod logs;

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use muster_domain::{
    changes::Change,
    hosts::Host,
    jobs::{Event, Job, JobOrder, Origin},
    load::Sheddable,
    mailboxes::Mailbox,
    times::after,
};
use muster_schemas::{
    access::Role,
    hosts::{HostState, Reason},
    ids::{HostId, JobId},
    jobs::{
        ActionOnJob, HostRefused, JobRequest, JobSpec, JobState, JobView, JobsCreated, LOG_COMPLETE_HEADER,
        LOG_GONE_HEADER, LOG_NEXT_HEADER, LogErased,
    },
    pages::Page,
    problems::Problem,
};
use serde::Deserialize;

use self::logs::Part;
use super::{
    auth::{Operator, may},
    checks::check_text,
    extract::{DigestedBody, Id, IdempotencyKey, JsonBody, LIST_AGAIN_SECONDS, Paging, Params},
    found::found,
    idempotency::Once,
    lists::{List, page, turn},
    looks::{Hold, Look, MAX_HELD, Snapshot, held},
    orders::order,
    problem::Failure,
    route::{self, Answer, PAGE, REVISION, Route},
};
use crate::{
    advance::advance,
    app::App,
    commit::Cause,
    logs::do_chore,
    records,
    store::{Consistency, Versioned},
    workers::fleet_updates::with_mailboxes,
};

/// How many hosts one request may mean.
const MAX_HOSTS: usize = 100;
/// How many hosts are read at once.
const STRIDE: usize = 100;
const DEFAULT_START_SECONDS: u32 = 3_600;
const MAX_START_SECONDS: i64 = 30 * 86_400;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/jobs", create)
            .says("Run the same job on one or more hosts.")
            .takes::<JobRequest>()
            .gives::<JobsCreated>(202),
        route::get("/api/v1/jobs", list)
            .says("List jobs, newest first.")
            .asks(&[
                ("host", "HostId", "The host that the job is for."),
                ("state", "JobState", "The state of the job."),
                ("kind", "string", "The kind of the job."),
            ])
            .asks(&PAGE)
            .gives::<Page<JobView>>(200),
        route::get("/api/v1/jobs/{id}", get)
            .says("Get a job, or with `wait` its next change.")
            .waits()
            .asks(&REVISION)
            .gives::<JobView>(200),
        route::post("/api/v1/jobs/{id}/cancel", cancel).says("Cancel a job.").gives::<JobView>(200),
        route::post("/api/v1/jobs/{id}/give-up", give_up)
            .says("Give up a job whose host is lost: it is presumed lost, and a late report still corrects it.")
            .gives::<JobView>(200),
        route::delete("/api/v1/jobs/{id}/log", erase_log)
            .says("Erase the log of a job. No further output of it is kept.")
            .takes::<Reason>()
            .gives::<JobView>(200),
        route::get("/api/v1/jobs/{id}/log", log)
            .says("Get the log of a job as text, from a byte on.")
            .gives_other(Answer::Text("text/plain"))
            .tells(&[
                (LOG_NEXT_HEADER, "The byte that the rest of the log starts at: the next `after`."),
                (LOG_COMPLETE_HEADER, "`true` if this is the end of the log, else `false`."),
                (LOG_GONE_HEADER, "`erased` or `expired` if the log is not kept any more."),
            ])
            .asks(&[
                ("after", "integer", "The byte to start at. Absent: 0."),
                ("wait", "integer", "How long to wait for more of the log: 0 to 60 seconds."),
                (
                    "timestamps",
                    "boolean",
                    "Whether each line begins with the time at which it was printed, by the host's clock, and a space; `-` where nobody has told. `after` counts no times.",
                ),
            ]),
    ]
}

/// `POST /api/v1/jobs`
pub async fn create(
    operator: Operator<may::RunJobs>,
    State(app): State<App>,
    key: IdempotencyKey,
    DigestedBody { body, sha256, .. }: DigestedBody<JobRequest>,
) -> Result<(StatusCode, Json<JobsCreated>), Failure> {
    let asked = asked(app.now(), &body, operator.cause())?;
    let hosts = meant(&app, operator.actor(), &body).await?;
    let (mut items, mut refused) = (Vec::new(), Vec::new());
    for host_id in &hosts {
        let mut once = Once::of(&operator.cause(), IdempotencyKey(key.0.clone()), &host_id.to_string(), &sha256);
        match order(&app, *host_id, &asked, body.if_offline, &operator.cause(), &mut once).await {
            Ok(job) => items.push(view(&app, operator.role(), &job).await?),
            Err(Failure::Refused(problem)) if hosts.len() > 1 => {
                refused.push(HostRefused { host_id: *host_id, problem: *problem });
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok((StatusCode::ACCEPTED, Json(JobsCreated { items, refused })))
}

/// Which jobs are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    host: Option<HostId>,
    state: Option<JobState>,
    kind: Option<String>,
}

/// `GET /api/v1/jobs`: newest first.
pub async fn list(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Params(filter): Params<Filter>,
    Paging(params): Paging,
) -> Result<Json<Page<JobView>>, Failure> {
    let list = match filter.host {
        Some(host) => List::owned(format_args!("host#{host}")),
        None => List::all("jobs"),
    };
    let wanted = |job: &Job| {
        filter.state.is_none_or(|state| state == job.state)
            && filter.kind.as_ref().is_none_or(|kind| kind == job.asked.spec.kind())
    };
    let Page { items, next_cursor } =
        page(&app, list, &params, |found: Versioned<Job>| wanted(&found.record).then_some(found)).await?;
    Ok(Json(Page { items: views(&app, operator.role(), &items).await?, next_cursor }))
}

/// `GET /api/v1/jobs/{id}`, with `?wait=30` for its next change, or for another answer than `If-None-Match` names.
pub async fn get(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<JobId>,
    look: Look,
) -> Result<Response, Failure> {
    let (app, role) = (&app, operator.role());
    let see = || async move {
        let job = found::<Job>(app, &id).await?;
        let view = view(app, role, &job).await?;
        Ok(Snapshot { revision: job.revision, over: job.record.state.is_final(), view })
    };
    let held = Hold { caller: operator.actor(), topics: &[id.to_string()], again: None };
    look.answer(app, held, see).await
}

/// `POST /api/v1/jobs/{id}/cancel`: final at once if it was never offered, else the host's answer decides.
pub async fn cancel(
    operator: Operator<may::RunJobs>,
    State(app): State<App>,
    Id(id): Id<JobId>,
) -> Result<Json<JobView>, Failure> {
    let advanced = advance(&app, Change::Job(id, Event::Cancel), &operator.cause()).await?;
    Ok(Json(view(&app, operator.role(), &advanced.record::<Job>(&records::jobs::key(id))?).await?))
}

/// `POST /api/v1/jobs/{id}/give-up`: presumed lost at once, unless its host is online and will tell.
pub async fn give_up(
    operator: Operator<may::RunJobs>,
    State(app): State<App>,
    Id(id): Id<JobId>,
) -> Result<Json<JobView>, Failure> {
    let job = found::<Job>(&app, &id).await?.record;
    let host_is_online = is_online(&app, job.host_id).await?;
    let Cause { actor: by, name: by_name, .. } = operator.cause();
    let event = Event::GiveUp { by, by_name, host_is_online };
    let advanced = advance(&app, Change::Job(id, event), &operator.cause()).await?;
    Ok(Json(view(&app, operator.role(), &advanced.record::<Job>(&records::jobs::key(id))?).await?))
}

/// A job as operators of this role see it.
async fn view(app: &App, role: Role, job: &Versioned<Job>) -> Result<JobView, Failure> {
    let online = job.record.asks_for_its_host() && is_online(app, job.record.host_id).await?;
    Ok(job.record.view(role, app.now(), job.revision, online))
}

async fn is_online(app: &App, host: HostId) -> Result<bool, Failure> {
    let found = app.load::<Mailbox>(&records::mailboxes::key(host), Consistency::Strong).await?;
    Ok(found.is_some_and(|mailbox| app.is_online(&mailbox.record)))
}

/// The same of several jobs, whose hosts are read together.
async fn views(app: &App, role: Role, jobs: &[Versioned<Job>]) -> Result<Vec<JobView>, Failure> {
    let asking = jobs.iter().map(|job| &job.record).filter(|job| job.asks_for_its_host()).map(|job| job.host_id);
    let asking = asking.collect::<BTreeSet<_>>().into_iter().map(records::mailboxes::key).collect::<Vec<_>>();
    let mailboxes = app.load_many::<Mailbox>(&asking).await?.into_iter().flatten().map(|found| found.record);
    let online = mailboxes.filter(|mailbox| app.is_online(mailbox)).map(|mailbox| mailbox.host_id);
    let online = online.collect::<BTreeSet<_>>();
    let view =
        |job: &Versioned<Job>| job.record.view(role, app.now(), job.revision, online.contains(&job.record.host_id));
    Ok(jobs.iter().map(view).collect())
}

/// `DELETE /api/v1/jobs/{id}/log`: who did it, when and why stays with the job and in the audit trail.
pub async fn erase_log(
    operator: Operator<may::EraseLogs>,
    State(app): State<App>,
    Id(id): Id<JobId>,
    JsonBody { body, .. }: JsonBody<Reason>,
) -> Result<Json<JobView>, Failure> {
    check_text("reason", &body.reason, 1_024)?;
    if body.reason.is_empty() {
        return Err(Problem::invalid("reason", "must not be empty").into());
    }
    let job = found::<Job>(&app, &id).await?.record;
    if job.log_erased.is_none() {
        job.allows(ActionOnJob::EraseLog, operator.role(), false)?;
    }
    let Cause { actor: by, name: by_name, .. } = operator.cause();
    let erased = LogErased { at: app.now(), by, by_name, reason: body.reason };
    let advanced = advance(&app, Change::Job(id, Event::EraseLog(erased)), &operator.cause()).await?;
    let job = advanced.record::<Job>(&records::jobs::key(id))?;
    if let Some((chore, _)) = job.record.chore() {
        do_chore(&app, &job, chore, &operator.cause()).await?;
    }
    Ok(Json(view(&app, operator.role(), &found::<Job>(&app, &id).await?).await?))
}

/// Which part of a log.
#[derive(Debug, Default, Deserialize)]
pub struct LogParams {
    /// From which byte on.
    #[serde(default)]
    after: u64,
    /// How long to wait for more, in seconds.
    #[serde(default)]
    wait: u64,
    /// Whether each line begins with its time.
    #[serde(default)]
    timestamps: bool,
}

/// `GET /api/v1/jobs/{id}/log`: text, resumable by byte offset.
pub async fn log(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<JobId>,
    Params(params): Params<LogParams>,
) -> Result<Response, Failure> {
    let more = |found: &Versioned<Job>| found.record.state.is_final() || found.record.log_bytes > params.after;
    if params.wait > 0 {
        app.admit(Sheddable::List, LIST_AGAIN_SECONDS)?;
    }
    let found = until(&app, operator.actor(), id, held(&app, params.wait), more).await?;
    let job = &found.record;
    let Part { text, next, gone } = logs::read(&app, job, params.after, params.timestamps).await?;
    let complete = job.state.is_final() && next >= job.log_bytes;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        // Output of hosts is never anything but text.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static(LOG_NEXT_HEADER), HeaderValue::from(next)),
        (
            HeaderName::from_static(LOG_COMPLETE_HEADER),
            HeaderValue::from_static(if complete { "true" } else { "false" }),
        ),
    ];
    let gone = gone.map(|why| [(HeaderName::from_static(LOG_GONE_HEADER), HeaderValue::from_static(why))]);
    Ok((headers, gone.into_iter().flatten().collect::<HeaderMap>(), text).into_response())
}

/// A job when it is as wanted, or when the time is over.
async fn until(
    app: &App,
    caller: &str,
    id: JobId,
    wait: Duration,
    wanted: impl Fn(&Versioned<Job>) -> bool,
) -> Result<Versioned<Job>, Failure> {
    let mut over = app.clock.sleep(wait);
    // Held as a look is: whoever has many of either gets no more of them.
    let one_more = app.held.begin(caller);
    let mut is_let_go = false;
    loop {
        let mut change = app.polls.begin(id);
        let job = found::<Job>(app, &id).await?;
        let is_over = is_let_go || one_more.is_over(MAX_HELD) || app.is_draining();
        if wait.is_zero() || wanted(&job) || is_over {
            return Ok(job);
        }
        tokio::select! {
            biased;
            () = change.woken() => {}
            () = one_more.let_go() => is_let_go = true,
            () = app.time_to_look_again() => {}
            () = &mut over => return found::<Job>(app, &id).await,
        }
    }
}

/// The active hosts that are wanted, `most` of them and perhaps a few more; those that joined last first.
async fn active_hosts(app: &App, wanted: impl Fn(&Host) -> bool, most: usize) -> Result<Vec<HostId>, Failure> {
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

async fn meant(app: &App, caller: &str, request: &JobRequest) -> Result<Vec<HostId>, Failure> {
    let JobRequest { host_ids, selector, .. } = request;
    let hosts: Vec<HostId> = match (host_ids.is_empty(), selector) {
        // Named twice is meant once.
        (false, None) => host_ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
        (true, Some(selector)) => {
            let _turn = turn(app, caller).await?;
            active_hosts(app, |host| host.matches(selector), MAX_HOSTS + 1).await?
        }
        _ => return Err(Problem::invalid("host_ids", "give either host_ids or selector").into()),
    };
    let (field, most) = if host_ids.is_empty() { ("selector", " or more") } else { ("host_ids", "") };
    match hosts.len() {
        0 => Err(Problem::invalid("selector", "matches no hosts").into()),
        count if count > MAX_HOSTS => {
            Err(Problem::invalid(field, format_args!("selects {count} hosts{most}; at most {MAX_HOSTS} are allowed"))
                .into())
        }
        _ => Ok(hosts),
    }
}

/// The job that a request asks for, or the rule that it breaks.
pub fn asked(now: Timestamp, request: &JobRequest, cause: Cause) -> Result<JobOrder, Failure> {
    let spec = JobSpec::from_parts(&request.kind, &request.spec)?;
    if let Some(instead) = spec.rules().kind().instead {
        return Err(Problem::invalid("kind", instead).into());
    }
    spec.rules().check()?;
    let time_limit_seconds = request.time_limit_seconds.unwrap_or(600);
    if !(1..=86_400).contains(&time_limit_seconds) {
        return Err(Problem::invalid("time_limit_seconds", "must be 1 to 86400").into());
    }
    let start_by = start_by(now, request.start_by)?;
    let Cause { actor, name: caller_name, .. } = cause;
    let resource = spec.rules().resource();
    Ok(JobOrder { spec, resource, origin: Origin::Caller(actor), caller_name, start_by, time_limit_seconds })
}

fn start_by(now: Timestamp, asked: Option<Timestamp>) -> Result<Timestamp, Failure> {
    let start_by = asked.unwrap_or_else(|| after(now, DEFAULT_START_SECONDS));
    if now < start_by && start_by <= after(now, MAX_START_SECONDS) {
        Ok(start_by)
    } else {
        Err(Problem::invalid("start_by", "must be in the future, at most 30 days from now").into())
    }
}
