//! Why an invocation has no answer.

use std::{error::Error, fmt};

use crate::runtime_api::PAYLOAD_LIMIT;

/// Why an invocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// All processes were busy for longer than a caller waits.
    Throttled,
    /// The event is larger than Lambda takes.
    EventTooLarge,
    /// The answer is larger than Lambda takes.
    AnswerTooLarge,
    /// The process did not come to its first `next`.
    NotInitialized(String),
    /// The process ended in the middle of the invocation.
    Died(String),
    /// The time limit was reached.
    TimedOut,
    /// The function itself reported an error: what it sent.
    Reported(String),
    /// The function was stopped.
    Stopped,
}

impl Failure {
    /// Whether the process that failed can take another invocation.
    pub(crate) fn leaves_the_process_well(&self) -> bool {
        matches!(self, Self::AnswerTooLarge | Self::Reported(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled => f.write_str("all processes of the function were busy"),
            Self::EventTooLarge => write!(f, "the event is larger than {PAYLOAD_LIMIT} bytes"),
            Self::AnswerTooLarge => write!(f, "the answer is larger than {PAYLOAD_LIMIT} bytes"),
            Self::NotInitialized(reason) => write!(f, "the function did not start: {reason}"),
            Self::Died(reason) => write!(f, "the process died in the middle of an invocation: {reason}"),
            Self::TimedOut => f.write_str("the function reached its time limit"),
            Self::Reported(report) => write!(f, "the function reported an error: {report}"),
            Self::Stopped => f.write_str("the function was stopped"),
        }
    }
}

impl Error for Failure {}
