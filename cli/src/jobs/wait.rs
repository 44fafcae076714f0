//! Waiting for the end of jobs, and what that end amounts to.

use futures_util::{StreamExt, stream::FuturesUnordered};
use muster_schemas::jobs::{JobState, JobView};

use super::show;
use crate::{
    client::Client,
    deadlines::Patience,
    exits::Exit,
    failures::Failure,
    output::{self, Context},
};

/// How long one poll waits, in seconds.
const POLL_SECONDS: u64 = 25;

/// A job when it has ended, or as far as it had come when patience ended, with the answer that said so.
pub type End = (JobView, Option<String>);

/// Waits until every job has ended, prints each as it does, and says what the ends amount to. Patience without a limit
/// still ends: the server presumes a silent job lost at its deadline.
pub async fn wait(context: &Context, client: &Client, jobs: Vec<JobView>, patience: Patience) -> Result<Exit, Failure> {
    let mut ends = ends(client, jobs, patience);
    let mut exit = Exit::Succeeded;
    while let Some(end) = ends.next().await {
        exit = exit.worst(tell(context, &end?)?);
    }
    Ok(exit)
}

/// The ends of jobs, as they come.
pub fn ends(
    client: &Client,
    jobs: Vec<JobView>,
    patience: Patience,
) -> FuturesUnordered<impl Future<Output = Result<End, Failure>>> {
    jobs.into_iter().map(|job| end(client, job, patience)).collect()
}

/// Prints how a job ended, and says what that means.
pub fn tell(context: &Context, (job, body): &End) -> Result<Exit, Failure> {
    match body {
        _ if !context.json => output::warn(&show::ending(job)),
        Some(body) => output::line(body)?,
        None => output::line(&serde_json::to_string(job).expect("a job is JSON"))?,
    }
    Ok(verdict(job))
}

/// What a job's state means to whoever waits for it.
fn verdict(job: &JobView) -> Exit {
    let error = job.result.as_ref().and_then(|result| result.error.as_ref()).map(|error| error.code.as_str());
    match job.state {
        JobState::Succeeded => Exit::Succeeded,
        JobState::Failed if error == Some("time_limit") => Exit::TimedOut,
        JobState::Failed | JobState::Interrupted | JobState::Rejected => Exit::Failed,
        JobState::Cancelled | JobState::Superseded => Exit::Stopped,
        JobState::PresumedLost | JobState::Expired
        // Not ended, and not waited for any longer.
        | JobState::Queued | JobState::Offered | JobState::Accepted | JobState::Running => Exit::TimedOut,
    }
}

async fn end(client: &Client, mut job: JobView, patience: Patience) -> Result<End, Failure> {
    let id = job.id.to_string();
    let mut body = None;
    while !job.state.is_final() && job.state != JobState::PresumedLost {
        let Some(wait) = patience.next_poll(POLL_SECONDS) else { break };
        let answer = client.poll_json(&["jobs", &id], &[("revision", job.revision.to_string())], wait).await?;
        job = answer.read()?;
        body = Some(answer.body);
    }
    Ok((job, body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(state: &str, error: &str) -> JobView {
        let at = "2026-01-01T00:00:00Z";
        serde_json::from_value(json!({
            "id": "job_00000000000000000000000001", "host_id": "host_00000000000000000000000001", "sequence": 1,
            "kind": "run", "spec": { "argv": ["/bin/true"] }, "state": state, "created_by": "user:ada",
            "created_at": at, "start_by": at, "time_limit_seconds": 60, "cancel_requested": false, "log_bytes": 0,
            "revision": 1,
            "result": { "outcome": "failed", "finished_at": at, "error": { "code": error, "message": "so" } },
        }))
        .unwrap()
    }

    #[test]
    fn each_end_has_its_exit_code() {
        let of = |state, error| verdict(&job(state, error));
        assert_eq!(of("succeeded", ""), Exit::Succeeded);
        assert_eq!([of("failed", "exit_code"), of("interrupted", ""), of("rejected", "")], [Exit::Failed; 3]);
        assert_eq!([of("failed", "time_limit"), of("expired", ""), of("presumed_lost", "")], [Exit::TimedOut; 3]);
        assert_eq!([of("cancelled", ""), of("superseded", "")], [Exit::Stopped; 2]);
    }
}
