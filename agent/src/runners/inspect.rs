//! `inspect`: the host's facts in full.

use muster_schemas::jobs::{JobResult, Outcome};

use super::results::ended;
use crate::{facts, policy::Policy};

/// Gathers the facts.
pub fn run(policy: &Policy) -> JobResult {
    JobResult { detail: Some(facts::inspect(policy)), ..ended(Outcome::Succeeded) }
}
