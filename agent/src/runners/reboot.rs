//! `reboot`: the machine restarts, and the next process of the agent tells by the boot id whether it did.
//!
//! ```text
//! boot id of now on disk ─▶ the machine is asked to restart ─▶ it goes down ─▶ next process: another boot id? succeeded
//!                                 └─ refused: failed            └─ not within the time limit: interrupted, it may still come
//! ```
//!
//! From the moment in which the machine is asked, a cancel comes too late.

use std::{path::PathBuf, time::Duration};

use futures_util::future::BoxFuture;
use muster_schemas::{
    ids::JobId,
    jobs::{JobResult, Outcome, RebootSpec},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    Runner, Task, WHOLE_OUTPUT,
    results::{ended, ended_with},
    switch::Switch,
};
use crate::{
    agent::Agent,
    errors::chain,
    programs::{End, Program, Ran},
    sys::files::{FileError, read_json, write_json},
};

/// `reboot = true`: the server may restart this machine.
pub type Allowed = Switch<RebootSpec, false>;

/// The reboot that was asked for last, on disk before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    job: JobId,
    boot_id: String,
}

impl Attempt {
    fn file(agent: &Agent) -> PathBuf {
        agent.state.join("reboot.json")
    }

    /// The one of this job; `None` when it never came so far.
    fn of(agent: &Agent, job: JobId) -> Result<Option<Self>, FileError> {
        Ok(read_json::<Self>(&Self::file(agent))?.filter(|attempt| attempt.job == job))
    }

    /// A result that says at which boot the machine is, and at which it was.
    fn told(&self, now: &str, result: JobResult) -> JobResult {
        JobResult { detail: Some(json!({ "boot_id_before": self.boot_id, "boot_id_after": now })), ..result }
    }
}

impl Runner for RebootSpec {
    fn run<'a>(&'a self, agent: &'a Agent, task: &'a Task) -> BoxFuture<'a, Option<JobResult>> {
        Box::pin(run(agent, task))
    }

    fn probe<'a>(&'a self, agent: &'a Agent, id: JobId) -> BoxFuture<'a, JobResult> {
        Box::pin(std::future::ready(probe(agent, id)))
    }
}

/// Restarts the machine. `None`: this process ends with it.
async fn run(agent: &Agent, task: &Task) -> Option<JobResult> {
    let attempt = Attempt { job: task.id, boot_id: agent.machine.boot_id() };
    let Some((path, arguments)) = agent.machine.restarter().filter(|_| !attempt.boot_id.is_empty()) else {
        let message = "this agent does not know how to restart this machine, or how to tell that it did";
        return Some(ended_with(Outcome::Failed, "platform", message));
    };
    if let Err(failed) = write_json(&Attempt::file(agent), &attempt) {
        return Some(ended_with(Outcome::Failed, "disk", chain(&failed)));
    }
    if task.stop.is_cancelled() {
        return Some(ended(Outcome::Cancelled));
    }
    info!(job.id = %task.id, "The machine is asked to restart");
    (task.output)("The machine is asked to restart.\n");
    let program = Program {
        job: task.id,
        path,
        arguments,
        environment: [].into(),
        directory: Some("/".into()),
        time_limit: task.time_limit,
        account: None,
        stop_grace: Duration::ZERO,
        output_limit_bytes: WHOLE_OUTPUT,
    };
    let result = tokio::select! {
        biased;
        // By the machine on its way down, or by somebody else: the next process looks.
        _ = agent.ended() => return None,
        result = refused(agent, task, &program) => result,
        () = sleep(task.time_limit) => {
            let seconds = task.time_limit.as_secs();
            let message = format!("the machine did not go down within {seconds} s; whether it still will is unknown");
            ended_with(Outcome::Interrupted, "time_limit", message)
        }
    };
    Some(attempt.told(&agent.machine.boot_id(), result))
}

/// Asks the machine to restart. Returns only when it will not.
async fn refused(agent: &Agent, task: &Task, program: &Program) -> JobResult {
    let no_way_back = CancellationToken::new();
    let ran = agent.machine.run(program, &no_way_back, &|text: &str| (task.output)(text)).await;
    let Ran { end, exit_code, signal: _, output_bytes: _, output_truncated: _ } = ran;
    let path = program.path.display();
    let result = match (end, exit_code) {
        (End::NotStarted(why), _) => ended_with(Outcome::Failed, "spawn", why),
        (End::Itself, Some(code @ 1..)) => {
            let message = format!("{path} ended with exit code {code}: the machine refuses to restart");
            ended_with(Outcome::Failed, "reboot_refused", message)
        }
        // What goes down ends by signals what runs on it.
        (End::Itself | End::Stopped | End::TimeLimit, _) => std::future::pending().await,
    };
    JobResult { exit_code, ..result }
}

/// How a reboot ended that a process that is gone had begun.
fn probe(agent: &Agent, id: JobId) -> JobResult {
    let now = agent.machine.boot_id();
    match Attempt::of(agent, id) {
        Ok(Some(attempt)) if !now.is_empty() && attempt.boot_id != now => attempt.told(&now, ended(Outcome::Succeeded)),
        Ok(Some(attempt)) => {
            let message = "the agent was restarted, and the machine was not; whether it still will is unknown";
            attempt.told(&now, ended_with(Outcome::Interrupted, "not_restarted", message))
        }
        Ok(None) => ended_with(Outcome::Failed, "no_attempt", "the agent was restarted before it asked the machine to"),
        Err(failed) => ended_with(Outcome::Interrupted, "agent_restarted", chain(&failed)),
    }
}
