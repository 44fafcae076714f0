//! `reset_breakers`: the circuit breakers are closed, and what did not answer is tried again at once.
//!
//! It has no section of `policy.toml`: it changes nothing on the host, and only how soon the agent asks again.

use futures_util::future::{self, BoxFuture};
use muster_schemas::jobs::{JobResult, Outcome, ResetBreakersSpec};

use super::{Runner, Task, results::ended};
use crate::agent::Agent;

impl Runner for ResetBreakersSpec {
    fn run<'a>(&'a self, agent: &'a Agent, _task: &'a Task) -> BoxFuture<'a, Option<JobResult>> {
        agent.client.reset_breakers();
        Box::pin(future::ready(Some(ended(Outcome::Succeeded))))
    }
}
