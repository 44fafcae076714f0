//! `inspect`: the host's facts in full.

use futures_util::future::BoxFuture;
use muster_schemas::jobs::{InspectSpec, JobResult, Outcome};

use super::{Runner, Task, results::ended, switch::Switch};
use crate::{agent::Agent, facts};

/// `inspect = false`: the server learns no more than each check-in tells.
pub type Allowed = Switch<InspectSpec, true>;

impl Runner for InspectSpec {
    fn run<'a>(&'a self, agent: &'a Agent, _task: &'a Task) -> BoxFuture<'a, Option<JobResult>> {
        Box::pin(async {
            let sizes = agent.machine.disk_sizes(facts::mounts()).await;
            let detail = facts::inspect(&agent.capabilities(), &sizes);
            Some(JobResult { detail: Some(detail), ..ended(Outcome::Succeeded) })
        })
    }
}
