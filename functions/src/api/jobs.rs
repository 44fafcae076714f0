//! Jobs: asked for, followed, stopped.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use muster_domain::{
    changes::Change,
    jobs::{Asked, Event, Job, NewJob, Origin},
    load::Work,
    mailboxes::{self, Mailbox},
    times::after,
};
use muster_schemas::{
    access::Role,
    ids::{HostId, JobId},
    jobs::{
        HostRefused, IfOffline, JobRequest, JobSpec, JobState, JobView, JobsCreated, LOG_COMPLETE_HEADER,
        LOG_NEXT_HEADER,
    },
    pages::Page,
    problems::{Problem, ProblemCode},
};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    extract::{Id, IdempotencyKey, LIST_AGAIN_SECONDS, Paged, Params, Sent},
    found::{found, mailbox},
    hosts,
    idempotency::Once,
    lists::{List, page},
    looks::{Held, Look, Seen, held},
    problem::Failure,
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{Cause, CommitError, Extras},
    records,
    store::{Order, Query, Versioned, Write},
};

/// How many hosts one request may mean.
const MAX_HOSTS: usize = 100;
/// How much log one answer holds at most, in bytes.
const MAX_LOG_BYTES: usize = 512 * 1024;
/// How often the table is asked for it at most: a log of crumbs has more pieces than bytes to speak of.
const MAX_LOG_QUERIES: u32 = 16;
const DEFAULT_START_SECONDS: u32 = 3_600;
const MAX_START_SECONDS: i64 = 30 * 86_400;

/// `POST /api/v1/jobs`
pub async fn create(
    operator: Operator<may::RunJobs>,
    State(app): State<App>,
    key: IdempotencyKey,
    Sent { body, sha256 }: Sent<JobRequest>,
) -> Result<(StatusCode, Json<JobsCreated>), Failure> {
    let asked = asked(app.now(), &body, operator.cause())?;
    let hosts = meant(&app, &body).await?;
    let (mut items, mut refused) = (Vec::new(), Vec::new());
    for host_id in &hosts {
        let mut once = Once::of(&operator.cause(), IdempotencyKey(key.0.clone()), &host_id.to_string(), &sha256);
        match create_one(&app, *host_id, &asked, body.if_offline, &operator.cause(), &mut once).await {
            Ok(job) => items.push(view(&app, &job, operator.role())),
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
    Paged(params): Paged,
) -> Result<Json<Page<JobView>>, Failure> {
    let list = match filter.host {
        Some(host) => List::owned(format_args!("host#{host}")),
        None => List::all("jobs"),
    };
    let wanted = |job: &Job| {
        filter.state.is_none_or(|state| state == job.state)
            && filter.kind.as_ref().is_none_or(|kind| kind == job.asked.spec.kind())
    };
    let view = |found: Versioned<Job>| wanted(&found.record).then(|| view(&app, &found, operator.role()));
    page(&app, list, &params, view).await.map(Json)
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
        let view = view(app, &job, role);
        Ok(Seen { revision: job.revision, over: job.record.state.is_final(), view })
    };
    let held = Held { caller: operator.actor(), topics: &[id.to_string()], again: None };
    look.answer(app, held, see).await
}

/// `POST /api/v1/jobs/{id}/cancel`: final at once if it was never offered, else the host's answer decides.
pub async fn cancel(
    operator: Operator<may::RunJobs>,
    State(app): State<App>,
    Id(id): Id<JobId>,
) -> Result<Json<JobView>, Failure> {
    let advanced = advance(&app, Change::Job(id, Event::Cancel), &operator.cause()).await?;
    let job = advanced.record::<Job>(&records::jobs::key(id))?;
    Ok(Json(view(&app, &job, operator.role())))
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
}

/// `GET /api/v1/jobs/{id}/log`: text, resumable by byte offset.
pub async fn log(
    _: Operator<may::Look>,
    State(app): State<App>,
    Id(id): Id<JobId>,
    Params(params): Params<LogParams>,
) -> Result<Response, Failure> {
    let more = |found: &Versioned<Job>| found.record.state.is_final() || found.record.log_bytes > params.after;
    if params.wait > 0 {
        app.admit(Work::List, LIST_AGAIN_SECONDS)?;
    }
    let found = until(&app, id, held(&app, params.wait), more).await?;
    let text = log_text(&app, &found.record, params.after).await?;
    let next = params.after + text.len() as u64;
    let complete = found.record.state.is_final() && next >= found.record.log_bytes;
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
    Ok((headers, text).into_response())
}

/// Puts a job into a host's mailbox.
pub async fn enqueue(
    app: &App,
    host_id: HostId,
    job: NewJob,
    cause: &Cause,
    writes: Vec<Write>,
) -> Result<Versioned<Job>, CommitError> {
    let id = job.id;
    let change = Change::Mailbox(host_id, mailboxes::Event::Enqueue(Box::new(job)));
    let advanced = advance_with(app, change, cause, Extras { writes, ..Extras::default() }).await?;
    advanced.record::<Job>(&records::jobs::key(id))
}

/// A job as operators of this role see it.
pub fn view(app: &App, job: &Versioned<Job>, role: Role) -> JobView {
    job.record.view(role, app.now(), job.revision)
}

/// Refuses work for a host that was not heard from lately.
fn refuse_offline(app: &App, mailbox: &Mailbox) -> Result<(), Failure> {
    if app.settings.pacing.is_online(mailbox, app.now()) {
        return Ok(());
    }
    Err(mailbox.offline("if_offline=queue keeps the job until start_by").into())
}

/// A job when it is as wanted, or when the time is over.
async fn until(
    app: &App,
    id: JobId,
    wait: Duration,
    wanted: impl Fn(&Versioned<Job>) -> bool,
) -> Result<Versioned<Job>, Failure> {
    let mut over = app.clock.sleep(wait);
    loop {
        let mut change = app.polls.begin(id);
        let job = found::<Job>(app, &id).await?;
        if wait.is_zero() || wanted(&job) || app.is_draining() {
            return Ok(job);
        }
        tokio::select! {
            biased;
            () = change.woken() => {}
            () = app.time_to_look_again() => {}
            () = &mut over => return found::<Job>(app, &id).await,
        }
    }
}

async fn create_one(
    app: &App,
    host_id: HostId,
    asked: &Asked,
    if_offline: IfOffline,
    cause: &Cause,
    once: &mut Once,
) -> Result<Versioned<Job>, Failure> {
    if let Some(job) = earlier(app, once).await? {
        return Ok(job);
    }
    let mailbox = mailbox(app, host_id).await?;
    mailbox.takes_work()?;
    if if_offline == IfOffline::Fail {
        refuse_offline(app, &mailbox)?;
    }
    let job = NewJob { id: JobId::new(app.now(), rand::random()), asked: asked.clone() };
    let writes = once.write(app, &job.id).into_iter().collect();
    match enqueue(app, host_id, job, cause, writes).await {
        // The same request came a moment before.
        Err(CommitError::Overtaken) => earlier(app, once).await?.ok_or_else(|| Failure::of(ProblemCode::Contended)),
        done => Ok(done?),
    }
}

async fn earlier(app: &App, once: &mut Once) -> Result<Option<Versioned<Job>>, Failure> {
    let Some(id) = once.earlier(app).await?.and_then(|id| id.parse().ok()) else { return Ok(None) };
    found::<Job>(app, &id).await.map(Some)
}

async fn meant(app: &App, request: &JobRequest) -> Result<Vec<HostId>, Failure> {
    let JobRequest { host_ids, selector, .. } = request;
    let hosts: Vec<HostId> = match (host_ids.is_empty(), selector) {
        // Named twice is meant once.
        (false, None) => host_ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
        (true, Some(selector)) => hosts::some(app, |host| host.matches(selector), MAX_HOSTS + 1).await?,
        _ => return Err(Problem::invalid("host_ids", "say either host_ids or selector").into()),
    };
    let (field, most) = if host_ids.is_empty() { ("selector", " or more") } else { ("host_ids", "") };
    match hosts.len() {
        0 => Err(Problem::invalid("selector", "matches no host").into()),
        count if count > MAX_HOSTS => {
            Err(Problem::invalid(field, format_args!("means {count} hosts{most}, at most {MAX_HOSTS}")).into())
        }
        _ => Ok(hosts),
    }
}

/// What a request asks for, or which rule it breaks.
pub fn asked(now: Timestamp, request: &JobRequest, cause: Cause) -> Result<Asked, Failure> {
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
    Ok(Asked { spec, resource, origin: Origin::Caller(actor), caller_name, start_by, time_limit_seconds })
}

fn start_by(now: Timestamp, asked: Option<Timestamp>) -> Result<Timestamp, Failure> {
    let start_by = asked.unwrap_or_else(|| after(now, DEFAULT_START_SECONDS));
    if now < start_by && start_by <= after(now, MAX_START_SECONDS) {
        Ok(start_by)
    } else {
        Err(Problem::invalid("start_by", "must be in the future, by at most 30 days").into())
    }
}

/// The log from a byte on, as much as one answer holds, ending at a whole character.
async fn log_text(app: &App, job: &Job, after: u64) -> Result<String, Failure> {
    if after >= job.log_bytes {
        return Ok(String::new());
    }
    let partition = records::jobs::key(job.id).partition;
    let place = |offset| records::jobs::log(job.id, offset).sort;
    let query = |from, to, order, limit| Query { partition: partition.clone(), from, to, order, limit, cursor: None };
    // The piece that holds the byte, then those behind it.
    let at = query(Some(place(0)), Some(place(after + 1)), Order::Descending, 1);
    let Some(first) = app.table.query(at).await?.items.into_iter().next() else { return Ok(String::new()) };
    let start = first.key.sort.strip_prefix("log#").and_then(|offset| offset.parse().ok()).unwrap_or(after);
    let skipped = usize::try_from(after - start).unwrap_or(usize::MAX);
    let mut text = String::new();
    let mut next = query(Some(first.key.sort), Some(place(u64::MAX)), Order::Ascending, 32);
    for _ in 0..MAX_LOG_QUERIES {
        let rows = app.table.query(next.clone()).await?;
        for item in rows.items {
            text.push_str(&Versioned::<String>::read(&item)?.record);
        }
        next.cursor = rows.cursor;
        if next.cursor.is_none() || text.len() >= MAX_LOG_BYTES + skipped {
            break;
        }
    }
    if !text.is_char_boundary(skipped.min(text.len())) {
        return Err(Problem::invalid("after", "must not be inside a character").into());
    }
    let end = text.floor_char_boundary((skipped + MAX_LOG_BYTES).min(text.len()));
    Ok(text[skipped.min(end)..end].to_owned())
}
