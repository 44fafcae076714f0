//! Waiting for jobs to end (long polls), and the exit code for each end.

use futures_util::{StreamExt, stream::FuturesUnordered};
use muster_schemas::jobs::{JobState, JobView};

use super::{show, waiting::Waiting};
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

/// Waits until all jobs have ended, prints each as it ends, and returns the worst exit code, or with one job its own. Without
/// a deadline the wait still ends: the server presumes a silent job lost.
pub async fn wait(context: &Context, client: &Client, jobs: Vec<JobView>, deadline: Deadline) -> Result<Exit, Failure> {
    let (waiting, is_one) = (Waiting::of(&jobs), jobs.len() == 1);
    let all = async {
        let mut ends = ends(client, jobs, deadline, &waiting);
        let mut exit = Exit::Succeeded;
        while let Some(end) = ends.next().await {
            let end = end?;
            print(context, &end)?;
            exit = exit.worst(exit_code(&end.0, is_one));
        }
        Ok(exit)
    };
    tokio::select! {
        biased;
        exit = all => exit,
        never = waiting.tell(context) => match never {},
    }
}

/// The ends of jobs, in the order in which they come.
pub fn ends<'a>(
    client: &'a Client,
    jobs: Vec<JobView>,
    deadline: Deadline,
    waiting: &'a Waiting,
) -> FuturesUnordered<impl Future<Output = Result<JobEnd, Failure>> + 'a> {
    jobs.into_iter().map(|job| end(client, job, deadline, waiting)).collect()
}

/// Prints how a job ended.
pub fn print(context: &Context, (job, body): &JobEnd) -> Result<(), Failure> {
    match body {
        _ if !context.json => output::warn(&show::ending(job)),
        Some(body) => output::line(body)?,
        None => output::line(&serde_json::to_string(job).expect("a job is JSON"))?,
    }
    Ok(())
}

/// The exit code for the state of a job; if it is the only one, that of its program.
pub fn exit_code(job: &JobView, is_one: bool) -> Exit {
    let result = job.result.as_ref();
    let error = result.and_then(|result| result.error.as_ref()).map(|error| error.code.as_str());
    let program = result.and_then(|result| result.exit_code).filter(|code| is_one && *code != 0);
    match job.state {
        JobState::Succeeded => Exit::Succeeded,
        JobState::Failed if error == Some("time_limit") => Exit::TimedOut,
        // Windows has larger ones.
        JobState::Failed => program.map_or(Exit::Failed, |code| Exit::Program(u8::try_from(code).unwrap_or(1))),
        JobState::Interrupted | JobState::Rejected => Exit::Failed,
        JobState::Cancelled | JobState::Superseded => Exit::Stopped,
        JobState::PresumedLost | JobState::Expired
        // The deadline passed before the job had ended.
        | JobState::Queued | JobState::Offered | JobState::Accepted | JobState::Running => Exit::TimedOut,
    }
}

async fn end(client: &Client, mut job: JobView, deadline: Deadline, waiting: &Waiting) -> Result<JobEnd, Failure> {
    let id = job.id.to_string();
    let mut body = None;
    while !job.state.is_final() && job.state != JobState::PresumedLost {
        let Some(wait) = deadline.next_poll(POLL_SECONDS) else { break };
        let (path, query) = (["jobs", id.as_str()], [("revision", job.revision.to_string())]);
        let Some(answer) = deadline.cut(client.poll_json(&path, &query, wait)).await else { break };
        let answer = answer?;
        job = answer.read()?;
        body = Some(answer.body);
        waiting.heard(&job);
    }
    waiting.over(job.id);
    Ok((job, body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(state: &str, error: &str) -> JobView {
        with_code(state, error, None)
    }

    fn with_code(state: &str, error: &str, exit_code: Option<i32>) -> JobView {
        let at = "2026-01-01T00:00:00Z";
        serde_json::from_value(json!({
            "id": "job_00000000000000000000000001", "host_id": "host_00000000000000000000000001", "sequence": 1,
            "kind": "run", "spec": { "argv": ["/bin/true"] }, "state": state, "created_by": "user:ada",
            "created_at": at, "start_by": at, "time_limit_seconds": 60, "cancel_requested": false, "log_bytes": 0,
            "revision": 1,
            "result": { "outcome": "failed", "exit_code": exit_code, "finished_at": at, "error": { "code": error, "message": "so" } },
        }))
        .unwrap()
    }

    #[test]
    fn each_end_has_its_exit_code() {
        let of = |state, error| exit_code(&job(state, error), true);
        assert_eq!(of("succeeded", ""), Exit::Succeeded);
        assert_eq!([of("failed", "exit_code"), of("interrupted", ""), of("rejected", "")], [Exit::Failed; 3]);
        assert_eq!([of("failed", "time_limit"), of("expired", ""), of("presumed_lost", "")], [Exit::TimedOut; 3]);
        assert_eq!([of("cancelled", ""), of("superseded", "")], [Exit::Stopped; 2]);
    }

    #[test]
    fn the_exit_code_of_the_only_program_is_passed_on() {
        let of = |code, is_one| exit_code(&with_code("failed", "exit_code", Some(code)), is_one);
        assert_eq!([of(7, true), of(255, true), of(3, true)], [Exit::Program(7), Exit::Program(255), Exit::Program(3)]);
        assert_eq!([of(0x1_0000, true), of(-1, true)], [Exit::Program(1); 2], "a failure is never 0");
        assert_eq!(of(7, false), Exit::Failed);
        assert_eq!(exit_code(&with_code("failed", "time_limit", Some(0)), true), Exit::TimedOut);
        assert_eq!(exit_code(&with_code("cancelled", "", Some(143)), true), Exit::Stopped);
    }
}
