//! Kinds of job on this host: how each is done, how one that was cut off is told, and what `policy.toml` says of it. A kind
//! stands in a file of its own.

pub mod inspect;
pub mod reboot;
pub mod reset_breakers;
pub mod results;
pub mod run;
pub mod self_update;
pub mod switch;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::{self, BoxFuture};
use muster_schemas::{
    ids::JobId,
    jobs::{JobResult, JobSpec},
};
use tokio_util::sync::CancellationToken;

use self::results::interrupted;
use crate::agent::Agent;

/// The limit of a program whose output goes to the log of its job: that is bounded there, for every kind.
pub const WHOLE_OUTPUT: u64 = u64::MAX;

/// How a kind of job is done here.
pub trait Runner: Sync {
    /// Does it. `None`: the next process tells how it ended.
    fn run<'a>(&'a self, agent: &'a Agent, task: &'a Task) -> BoxFuture<'a, Option<JobResult>>;

    /// How one ended that a process that is gone had started; asked where its recovery is `probe`.
    fn probe<'a>(&'a self, _agent: &'a Agent, _id: JobId) -> BoxFuture<'a, JobResult> {
        Box::pin(future::ready(interrupted()))
    }
}

/// What a runner is given beside the job's spec.
#[derive(Clone)]
pub struct Task {
    /// The job.
    pub id: JobId,
    /// The account that programs run under if the job names none. Absent: the agent's.
    pub account: Option<String>,
    /// How long it may run.
    pub time_limit: Duration,
    /// Cancelled when it shall stop.
    pub stop: CancellationToken,
    /// Takes output, and never waits. How much of it is kept is not the runner's concern.
    pub output: Arc<dyn Fn(&str) + Send + Sync>,
}

/// A kind's section of `policy.toml`. In words, it is what `status` tells of it.
pub trait Section: fmt::Display {
    /// What the kind is asked to do.
    type Spec;

    /// Whether this may be done here, or which rule says no.
    fn allows(&self, spec: &Self::Spec) -> Result<(), String>;

    /// Whether anything of the kind may be done at all.
    fn lets_something(&self) -> bool;
}

/// The runner of a job.
pub fn of(spec: &JobSpec) -> &dyn Runner {
    match spec {
        JobSpec::Run(spec) => spec,
        JobSpec::Inspect(spec) => spec,
        JobSpec::ResetBreakers(spec) => spec,
        JobSpec::SelfUpdate(spec) => spec,
        JobSpec::Reboot(spec) => spec,
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}
