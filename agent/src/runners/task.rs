//! From a job's kind to its runner.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use muster_schemas::{
    ids::JobId,
    jobs::{JobResult, JobSpec, Outcome, RunSpec},
};
use tokio_util::sync::CancellationToken;

use super::{inspect, results::ended, run as program, self_update};
use crate::{agent::Agent, sys::processes::Groups};

/// What a runner is given beside the job's spec.
#[derive(Clone)]
pub struct Task {
    /// The job.
    pub id: JobId,
    /// How long it may run.
    pub time_limit: Duration,
    /// Cancelled when it shall stop.
    pub stop: CancellationToken,
    /// Takes output, and never waits.
    pub output: Arc<dyn Fn(&str) + Send + Sync>,
}

/// What runs programs: the machine, or what a simulation has in its place.
pub trait Programs: fmt::Debug + Send + Sync {
    /// Runs a program to its end.
    fn run<'a>(&'a self, spec: &'a RunSpec, task: &'a Task) -> BoxFuture<'a, JobResult>;

    /// Kills every program that runs.
    fn kill_all(&self);
}

impl Programs for Groups {
    fn run<'a>(&'a self, spec: &'a RunSpec, task: &'a Task) -> BoxFuture<'a, JobResult> {
        Box::pin(program::run(self, spec, task))
    }

    fn kill_all(&self) {
        self.kill_all();
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

/// Whether a spec makes sense here, or which rule it breaks.
pub fn check(spec: &JobSpec) -> Result<(), String> {
    match spec {
        JobSpec::Run(spec) => program::check(spec),
        JobSpec::Inspect(_) | JobSpec::ResetBreakers(_) => Ok(()),
        JobSpec::SelfUpdate(spec) => self_update::check(spec),
    }
}

/// Does what a job says. `None`: the rest is for the next process to do.
pub async fn run(agent: &Agent, spec: &JobSpec, task: Task) -> Option<JobResult> {
    match spec {
        JobSpec::Run(spec) => Some(agent.programs.run(spec, &task).await),
        JobSpec::Inspect(_) => Some(inspect::run(agent)),
        JobSpec::ResetBreakers(_) => {
            agent.client.reset_breakers();
            Some(ended(Outcome::Succeeded))
        }
        JobSpec::SelfUpdate(spec) => self_update::run(agent, spec, &task).await,
    }
}
