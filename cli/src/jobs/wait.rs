//! Waiting for jobs to end (long polls), and the exit code for each end.

use futures_util::{StreamExt, stream::FuturesUnordered};
use muster_schemas::jobs::{JobState, JobView};

use super::show;
use crate::{
    client::Client,
    deadlines::Deadline,
    exits::Exit,
    failures::Failure,
    output::{self, Context},
};

/// How long one long poll waits, in seconds.
const POLL_SECONDS: u64 = 25;

/// A job that has ended, or that had not ended at the deadline, with the answer that said so.
pub type JobEnd = (JobView, Option<String>);

/// Waits until all jobs have ended, prints each as it ends, and returns the worst exit code. Without a deadline the wait
/// still ends: the server presumes a silent job lost.
pub async fn wait(context: &Context, client: &Client, jobs: Vec<JobView>, deadline: Deadline) -> Result<Exit, Failure> {
    let mut ends = ends(client, jobs, deadline);
    let mut exit = Exit::Succeeded;
    while let Some(end) = ends.next().await {
        exit = exit.worst(print(context, &end?)?);
    }
    Ok(exit)
}

/// The ends of jobs, in the order in which they come.
pub fn ends(
    client: &Client,
    jobs: Vec<JobView>,
    deadline: Deadline,
) -> FuturesUnordered<impl Future<Output = Result<JobEnd, Failure>>> {
    jobs.into_iter().map(|job| end(client, job, deadline)).collect()
}

/// Prints how a job ended, and returns its exit code.
pub fn print(context: &Context, (job, body): &JobEnd) -> Result<Exit, Failure> {
    match body {
        _ if !context.json => output::warn(&show::ending(job)),
        Some(body) => output::line(body)?,
        None => output::line(&serde_json::to_string(job).expect("a job is JSON"))?,
    }
    Ok(exit_code(job))
}

/// The exit code for the state of a job.
fn exit_code(job: &JobView) -> Exit {
    let error = job.result.as_ref().and_then(|result| result.error.as_ref()).map(|error| error.code.as_str());
    match job.state {
        JobState::Succeeded => Exit::Succeeded,
        JobState::Failed if error == Some("time_limit") => Exit::TimedOut,
        JobState::Failed | JobState::Interrupted | JobState::Rejected => Exit::Failed,
        JobState::Cancelled | JobState::Superseded => Exit::Stopped,
        JobState::PresumedLost | JobState::Expired
        // The deadline passed before the job had ended.
        | JobState::Queued | JobState::Offered | JobState::Accepted | JobState::Running => Exit::TimedOut,
    }
}

async fn end(client: &Client, mut job: JobView, deadline: Deadline) -> Result<JobEnd, Failure> {
    let id = job.id.to_string();
    let mut body = None;
    while !job.state.is_final() && job.state != JobState::PresumedLost {
        let Some(wait) = deadline.next_poll(POLL_SECONDS) else { break };
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
        let of = |state, error| exit_code(&job(state, error));
        assert_eq!(of("succeeded", ""), Exit::Succeeded);
        assert_eq!([of("failed", "exit_code"), of("interrupted", ""), of("rejected", "")], [Exit::Failed; 3]);
        assert_eq!([of("failed", "time_limit"), of("expired", ""), of("presumed_lost", "")], [Exit::TimedOut; 3]);
        assert_eq!([of("cancelled", ""), of("superseded", "")], [Exit::Stopped; 2]);
    }
}
