//! Failures of calls to the server, and what they mean for retries, for the circuit breaker, and for operators.

use std::time::Duration;

use muster_schemas::{
    problems::{Problem, ProblemCode},
    upstreams::FailureKind,
};

use crate::{
    errors::{chain, head},
    identity::IdentityError,
    link::Outcome,
    transport::ConnectionError,
    upstream::{Fault, Permit},
};

/// The longest reported reason of a failure, in bytes.
const MAX_REASON_BYTES: usize = 1024;
/// A call that was cut off earlier than this was not cut off because it was held.
const HELD_AT_LEAST: Duration = Duration::from_secs(2);

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No connection, no answer in time, or one that was cut off.
    #[error("the server cannot be reached")]
    Transport(#[source] ConnectionError),
    /// Something other than the server answered.
    #[error("the answer with status {status} is not from the server")]
    NotOurs {
        /// Its status.
        status: u16,
        /// How long to pause at least. Absent: it did not say.
        retry_after: Option<Duration>,
    },
    /// A call that the server held was cut off on its way, mostly by a proxy that waits for no answer as long as that.
    #[error("the held call was cut off after {} s", age.as_secs())]
    CutShort {
        /// How long it had been held.
        age: Duration,
        /// How it was cut off.
        #[source]
        source: Box<Failure>,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server refused, with a problem.
    #[error("the server refused the request")]
    Refused {
        /// Why.
        #[source]
        problem: Box<Problem>,
        /// How long to pause at least. Absent: it did not say.
        retry_after: Option<Duration>,
    },
    /// The circuit breaker is open: no call was made.
    #[error("the circuit breaker is open")]
    CircuitOpen {
        /// When one may be.
        retry_in: Duration,
    },
    /// This host cannot prove who it is.
    #[error("this host cannot prove its identity")]
    Identity(#[source] IdentityError),
}

impl Failure {
    /// The same of a call that the server was allowed to hold for so long, and that failed at this age.
    pub fn of_held_call(self, held: Duration, age: Duration) -> Self {
        let is_cut = match &self {
            Self::Transport(broken) => matches!(broken.kind, FailureKind::Connection | FailureKind::CutOff),
            Self::NotOurs { status: 408 | 499 | 502..=504 | 520..=524, retry_after: None } => true,
            _ => false,
        };
        if is_cut && held >= HELD_AT_LEAST && age >= HELD_AT_LEAST {
            Self::CutShort { age, source: Box::new(self) }
        } else {
            self
        }
    }

    /// The problem's code, when it is the server that refused.
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused { problem, .. } => Some(problem.code),
            _ => None,
        }
    }

    /// The outcome for the backoff.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotOurs { status: 429, retry_after: Some(retry_after) } => {
                Outcome::Limited { retry_after: *retry_after }
            }
            Self::Refused { problem, retry_after: Some(retry_after) } if problem.status == 429 => {
                Outcome::Limited { retry_after: *retry_after }
            }
            Self::Refused { retry_after: Some(retry_after), .. }
            | Self::NotOurs { retry_after: Some(retry_after), .. } => Outcome::Held { retry_after: *retry_after },
            Self::CircuitOpen { retry_in } => Outcome::CircuitOpen { retry_in: *retry_in },
            _ => Outcome::Failed,
        }
    }

    /// The fault of the upstream, if it is one. An upstream that refuses with a problem or asks for a pause is healthy.
    fn fault(&self) -> Option<FailureKind> {
        match self {
            Self::Transport(broken) => Some(broken.kind),
            Self::NotOurs { status: 407, .. } => Some(FailureKind::ProxyAuthentication),
            // A proxy in front of the server asks for a pause.
            Self::NotOurs { status: 429 | 503, retry_after: Some(_) } => None,
            Self::NotOurs { .. } => Some(FailureKind::NotOurs),
            Self::TooLarge(_) => Some(FailureKind::TooLarge),
            Self::TimedOut => Some(FailureKind::TimedOut),
            Self::Refused { problem, retry_after: None } if problem.status >= 500 => Some(FailureKind::Server),
            // A server that held a call had taken it. If it is gone, the next call says so.
            Self::Refused { .. } | Self::CutShort { .. } | Self::CircuitOpen { .. } | Self::Identity(_) => None,
        }
    }
}

/// Reports the outcome of a call to the breaker.
pub fn end(permit: Permit<'_>, failure: Option<&Failure>) {
    match failure {
        None => permit.succeeded(),
        Some(failure) => match (failure.fault(), failure) {
            (Some(kind), _) => permit.failed(&Fault { kind, reason: head(chain(failure), MAX_REASON_BYTES) }),
            (None, Failure::Refused { .. }) => permit.succeeded(),
            // No request was made.
            (None, _) => drop(permit),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cuts_off_a_held_call_is_no_fault_of_the_server_and_all_else_is_as_it_was() {
        let reset = || Failure::Transport(ConnectionError::new(FailureKind::Connection, "reset"));
        let page = |status| Failure::NotOurs { status, retry_after: None };
        let seconds = Duration::from_secs;
        let fault = |failure: Failure, held, age| failure.of_held_call(seconds(held), seconds(age)).fault();
        assert_eq!(fault(reset(), 55, 15), None);
        assert_eq!(fault(page(504), 55, 15), None);
        assert_eq!(fault(reset(), 55, 1), Some(FailureKind::Connection));
        assert_eq!(fault(reset(), 0, 15), Some(FailureKind::Connection));
        assert_eq!(fault(page(200), 55, 15), Some(FailureKind::NotOurs));
        assert_eq!(fault(Failure::TimedOut, 55, 85), Some(FailureKind::TimedOut));
    }
}
