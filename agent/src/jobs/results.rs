//! Results, put together in one place so that each field is always thought of.

use jiff::Timestamp;
use muster_schemas::jobs::{JobError, JobResult, Outcome};

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

/// A reason.
pub fn error(code: &str, message: impl Into<String>) -> JobError {
    JobError { code: code.into(), message: head(message.into(), MAX_MESSAGE_BYTES) }
}

/// The beginning of a text, up to so many bytes.
pub fn head(mut text: String, limit: usize) -> String {
    text.truncate(text.floor_char_boundary(limit));
    text
}

/// An error and what caused it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
