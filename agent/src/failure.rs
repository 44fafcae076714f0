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
            Self::Refused { .. } | Self::CircuitOpen { .. } | Self::Identity(_) => None,
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
