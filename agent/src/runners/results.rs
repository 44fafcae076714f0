//! Results, put together in one place so that each field is always thought of.

use jiff::Timestamp;
use muster_schemas::jobs::{JobError, JobResult, Outcome};

use crate::errors::head;

/// The longest message of an error, in bytes.
const MAX_MESSAGE_BYTES: usize = 4096;

/// A result without output, ended now. Whoever journals it adds when the job started.
pub fn ended(outcome: Outcome) -> JobResult {
    JobResult::new(outcome, Timestamp::now())
}

/// The same, with the reason.
pub fn ended_with(outcome: Outcome, code: &str, message: impl Into<String>) -> JobResult {
    JobResult { error: Some(error(code, message)), ..ended(outcome) }
}

/// The result of a job that a process that is gone had started, where nothing tells how far it came.
pub fn interrupted() -> JobResult {
    let message = "the agent was restarted while the job ran; how far it came is unknown";
    ended_with(Outcome::Interrupted, "agent_restarted", message)
}

/// A reason.
pub fn error(code: &str, message: impl Into<String>) -> JobError {
    JobError { code: code.into(), message: head(message.into(), MAX_MESSAGE_BYTES) }
}
