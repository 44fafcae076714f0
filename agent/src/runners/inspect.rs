//! `inspect`: the host's facts in full.

use muster_schemas::jobs::{JobResult, Outcome};

use super::results::ended;
use crate::{agent::Agent, facts};

/// Gathers the facts.
pub fn run(agent: &Agent) -> JobResult {
    JobResult { detail: Some(facts::inspect(&agent.capabilities)), ..ended(Outcome::Succeeded) }
}
