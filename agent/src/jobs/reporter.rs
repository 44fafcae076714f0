//! Event reporter: sends the events of a job, and retries until the server has stored them. A job never waits for this.

use std::time::Duration;

use muster_schemas::{
    commands::{EventKind, EventsRequest, EventsResponse},
    ids::{JobId, ProcessId},
    problems::ProblemCode,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    outbox::{Outbox, Stored},
    queue::Batch,
};
use crate::{
    agent::{Agent, Session},
    errors::chain,
    exits::Exit,
    failure::Failure,
    link::{Link, Outcome},
};

/// The longest time that output is gathered, even if the server asks for more.
const LONGEST_GATHERING: Duration = Duration::from_mins(1);

/// Sends until the result is stored or the server rejects it.
pub async fn report(agent: &Agent, id: JobId, outbox: &Outbox, cancel: &CancellationToken) {
    let (mut link, mut gone) = (Link::default(), None);
    loop {
        let batch = outbox.next().await;
        let session = agent.session_after(gone).await;
        let last = batch.events.last().map_or(0, |event| event.sequence);
        let is_last = batch.events.iter().any(|event| matches!(event.kind, EventKind::Finished { .. }));
        let (process, patient) = (batch.process, batch.patient);
        match send(agent, id, session, batch).await {
            Ok(EventsResponse { accepted_through, cancel: wanted, send_every_seconds }) => {
                let said = Stored { through: accepted_through.min(last), session, cancel: wanted, closed: false };
                if wanted {
                    cancel.cancel();
                }
                if !outbox.stored(process, said) {
                    sleep(agent.pause(&mut link, Outcome::Failed)).await;
                    continue;
                }
                link = Link::default();
                if is_last && accepted_through >= last {
                    return;
                }
                if patient {
                    gather(outbox, Duration::from_secs(send_every_seconds.into())).await;
                }
            }
            Err(failure) => match after(agent, id, session, outbox, (process, last), &failure) {
                Next::Closed => return,
                Next::NewSession => gone = Some(session),
                Next::Pause => sleep(agent.pause(&mut link, failure.outcome())).await,
            },
        }
    }
}

/// Waits for more output, but not with anything else.
async fn gather(outbox: &Outbox, span: Duration) {
    tokio::select! {
        biased;
        () = sleep(span.min(LONGEST_GATHERING)) => {}
        () = outbox.urgent() => {}
    }
}

async fn send(agent: &Agent, id: JobId, session: Session, batch: Batch) -> Result<EventsResponse, Failure> {
    let request = EventsRequest { session: session.number, process_id: batch.process, events: batch.events };
    agent.client.post(&format!("/api/v1/agent/jobs/{id}/events"), &request, Duration::ZERO).await
}

enum Next {
    Closed,
    NewSession,
    Pause,
}

fn after(
    agent: &Agent,
    id: JobId,
    session: Session,
    outbox: &Outbox,
    (process, last): (ProcessId, u64),
    failure: &Failure,
) -> Next {
    match failure.code() {
        Some(ProblemCode::SessionSuperseded) => {
            agent.session_lost(session);
            Next::NewSession
        }
        Some(code @ (ProblemCode::NotFound | ProblemCode::ResultConflict)) => {
            warn!(job.id = %id, %code, "The server rejects further events of job {id}: {}", chain(failure));
            outbox.stored(agent.process_id, Stored { session, closed: true, ..Stored::default() });
            Next::Closed
        }
        Some(ProblemCode::HostRetired) => {
            agent.end(Exit::Retired);
            Next::Pause
        }
        Some(ProblemCode::Invalid | ProblemCode::TooLarge) => {
            warn!(job.id = %id, "The server rejected events of job {id}; their output is lost: {}", chain(failure));
            outbox.refused(process, last);
            Next::Pause
        }
        _ => {
            info!(job.id = %id, "Cannot send events of job {id}, will retry: {}", chain(failure));
            Next::Pause
        }
    }
}
