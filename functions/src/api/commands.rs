//! What hosts tell about their jobs.

use axum::{Json, extract::State};
use muster_domain::{
    jobs::{Event, Job},
    machine::{Change, Note, Refused},
};
use muster_schemas::{
    commands::{EventKind, EventsRequest, EventsResponse, MAX_OUTPUT_EVENT_BYTES},
    ids::JobId,
    problems::{Problem, ProblemCode},
};

use super::{
    auth::Agent,
    extract::{Id, Sent},
    hosts,
    problem::Failure,
};
use crate::{
    advance::{AdvanceError, advance, audit_write},
    app::App,
    store::{Consistency, keys},
};

/// How many events one request holds.
const MAX_EVENTS: usize = 80;
/// How long the host gathers output while nobody watches, in seconds.
const IDLE_SEND_SECONDS: u32 = 5;

/// `POST /api/v1/agent/jobs/{id}/events`
pub async fn tell(
    agent: Agent,
    State(app): State<App>,
    Id(id): Id<JobId>,
    Sent { body, .. }: Sent<EventsRequest>,
) -> Result<Json<EventsResponse>, Failure> {
    let EventsRequest { session, process_id, events } = body;
    hosts::mailbox(&app, agent.host_id).await?.serves(session)?;
    // Another host's job is none at all.
    let job = app.load::<Job>(&keys::job(id), Consistency::Strong).await?;
    job.filter(|job| job.record.host_id == agent.host_id).ok_or_else(|| Refused::not_found("job"))?;
    check(&events)?;
    let event = Event::Told { host_id: agent.host_id, process_id, events };
    let advanced = match advance(&app, Change::Job(id, event), &agent.cause()).await {
        Err(AdvanceError::Refused(refused)) if refused.0.code == ProblemCode::ResultConflict => {
            let note = Note::alert("job.result_conflict", id, "the host reported a second, different result");
            app.table.commit(vec![audit_write(note, &agent.cause(), app.now())], rand::random()).await?;
            return Err(refused.into());
        }
        done => done?,
    };
    let job = advanced.record::<Job>(&keys::job(id))?.record;
    Ok(Json(EventsResponse {
        accepted_through: job.told_through(process_id),
        cancel: job.cancel_requested || job.state.is_final(),
        send_every_seconds: if app.polls.is_watched(id) { 1 } else { IDLE_SEND_SECONDS },
    }))
}

fn check(events: &[muster_schemas::commands::Event]) -> Result<(), Failure> {
    if events.len() > MAX_EVENTS {
        return Err(Problem::invalid("events", format_args!("must be at most {MAX_EVENTS}")).into());
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
            EventKind::Finished { result } => {
                let detail = result.detail.as_ref().map_or(0, |detail| detail.to_string().len());
                if detail > 64 * 1024 {
                    return long("result.detail", 64 * 1024);
                }
                if result.error.as_ref().is_some_and(|error| error.message.len() > 8 * 1024 || error.code.len() > 64) {
                    return long("result.error", 8 * 1024);
                }
            }
            EventKind::Output { .. } | EventKind::Accepted | EventKind::Started => {}
        }
    }
    Ok(())
}
