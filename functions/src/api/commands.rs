//! Events of jobs, as hosts report them.

use axum::{Json, extract::State};
use muster_domain::{
    changes::Change,
    jobs::{Event, Job},
    mailboxes::Mailbox,
    refused::Refused,
};
use muster_schemas::{
    commands::{Event as JobEvent, EventKind, EventsRequest, EventsResponse, MAX_OUTPUT_EVENT_BYTES},
    ids::{HostId, JobId},
    problems::{Problem, ProblemCode},
};

use super::{
    auth::Agent,
    checks::MAX_SEQUENCE,
    extract::{Id, JsonBody},
    found::found,
    problem::Failure,
    route::{self, Route},
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{CommitError, Extras},
    records,
    store::{Expect, Write},
};

/// How many events one request holds.
const MAX_EVENTS: usize = 80;
/// How often events are tried to be stored while the host's mailbox keeps changing.
const ATTEMPTS: u32 = 8;
/// How long the host gathers output while nobody watches, in seconds.
const IDLE_SEND_SECONDS: u32 = 5;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/agent/jobs/{id}/events", tell)
            .says("Report what happened to a job.")
            .takes::<EventsRequest>()
            .gives::<EventsResponse>(200),
    ]
}

/// `POST /api/v1/agent/jobs/{id}/events`
pub async fn tell(
    agent: Agent,
    State(app): State<App>,
    Id(id): Id<JobId>,
    JsonBody { body, .. }: JsonBody<EventsRequest>,
) -> Result<Json<EventsResponse>, Failure> {
    check(&body.events)?;
    // The job of another host does not exist for this one.
    if found::<Job>(&app, &id).await?.record.host_id != agent.host_id {
        return Err(Refused::not_found("job").into());
    }
    let process_id = body.process_id;
    let job = stored(&app, &agent, id, body).await?;
    Ok(Json(EventsResponse {
        accepted_through: job.told_through(process_id),
        cancel: job.shall_stop(app.now()),
        send_every_seconds: if app.polls.is_watched(id) { 1 } else { IDLE_SEND_SECONDS },
    }))
}

async fn stored(app: &App, agent: &Agent, id: JobId, body: EventsRequest) -> Result<Job, Failure> {
    let EventsRequest { session, process_id, events } = body;
    for _ in 0..ATTEMPTS {
        let own = Extras { writes: fence(app, agent.host_id, session, &events).await?, ..Extras::default() };
        let event = Event::Told { host_id: agent.host_id, process_id, events: events.clone() };
        match advance_with(app, Change::Job(id, event), &agent.cause(), own).await {
            Ok(advanced) => return Ok(advanced.record::<Job>(&records::jobs::key(id))?.record),
            // The mailbox has changed since it was read, perhaps by a newer session: read it again.
            Err(CommitError::Overtaken) => {}
            Err(CommitError::Refused(refused)) if refused.0.code == ProblemCode::ResultConflict => {
                advance(app, Change::Job(id, Event::Disputed), &agent.cause()).await?;
                return Err(refused.into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::of(ProblemCode::Contended))
}

/// Only the newest session is served. A host starts a job on the strength of an answer, so what asks for one is stored
/// only while the mailbox is as it was when the session was checked.
async fn fence(app: &App, host_id: HostId, session: u64, events: &[JobEvent]) -> Result<Vec<Write>, Failure> {
    let mailbox = found::<Mailbox>(app, &host_id).await?;
    mailbox.record.serves(session)?;
    let asks = events.iter().any(|event| matches!(event.kind, EventKind::Accepted | EventKind::Starting));
    let check = Write::Check { key: records::mailboxes::key(host_id), expect: Expect::Revision(mailbox.revision) };
    Ok(asks.then_some(check).into_iter().collect())
}

/// Events that are stored: not too many at once, none too large.
pub fn check(events: &[JobEvent]) -> Result<(), Failure> {
    if events.len() > MAX_EVENTS {
        return Err(Problem::invalid("events", format_args!("must be at most {MAX_EVENTS} entries")).into());
    }
    for (place, event) in events.iter().enumerate() {
        let long = |field: &str, most: usize| {
            Err(Problem::invalid(format!("events[{place}].{field}"), format_args!("must be at most {most} bytes"))
                .into())
        };
        match &event.kind {
            EventKind::Output { text } if text.len() > MAX_OUTPUT_EVENT_BYTES => {
                return long("text", MAX_OUTPUT_EVENT_BYTES);
            }
            EventKind::OutputLost { bytes, .. } if *bytes > MAX_SEQUENCE => {
                let rule = format_args!("must be at most {MAX_SEQUENCE}");
                return Err(Problem::invalid(format!("events[{place}].bytes"), rule).into());
            }
            EventKind::Finished { result } => {
                let detail = result.detail.as_ref().map_or(0, |detail| detail.to_string().len());
                if detail > 64 * 1024 {
                    return long("result.detail", 64 * 1024);
                }
                if result.error.as_ref().is_some_and(|error| error.message.len() > 8 * 1024 || error.code.len() > 64) {
                    return long("result.error", 8 * 1024);
                }
            }
            EventKind::Output { .. }
            | EventKind::OutputLost { .. }
            | EventKind::Accepted
            | EventKind::Starting
            | EventKind::Started => {}
        }
    }
    Ok(())
}
