//! From a job's kind to its runner.

use std::{fmt, sync::Arc, time::Duration};

use muster_schemas::{
    ids::JobId,
    jobs::{JobResult, JobSpec, Outcome},
};
use tokio_util::sync::CancellationToken;

use super::{inspect, results::ended, run as program, self_update};
use crate::agent::Agent;

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

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

/// Does what a job says. `None`: the rest is for the next process to do.
pub async fn run(agent: &Agent, spec: &JobSpec, task: Task) -> Option<JobResult> {
    match spec {
        JobSpec::Run(spec) => Some(program::run(&*agent.programs, spec, &task).await),
        JobSpec::Inspect(_) => Some(inspect::run(agent)),
        JobSpec::ResetBreakers(_) => {
            agent.client.reset_breakers();
            Some(ended(Outcome::Succeeded))
        }
        JobSpec::SelfUpdate(spec) => self_update::run(agent, spec, &task).await,
    }
}
