//! Why a call brought nothing, and what that means: for the next pause, for the circuit breaker, and for operators.

use std::time::Duration;

use muster_schemas::{
    problems::{Problem, ProblemCode},
    upstreams::FailureKind,
};

use crate::{
    errors::{chain, head},
    identity::IdentityError,
    link::Outcome,
    transport::Broken,
    upstream::{Fault, Permit},
};

/// What operators are told of a failure at most, in bytes.
const MAX_REASON_BYTES: usize = 1024;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No connection, no answer in time, or one that was cut off.
    #[error("the server cannot be reached")]
    Transport(#[source] Broken),
    /// Somebody else answered.
    #[error("the answer with status {status} is not the server's")]
    NotOurs {
        /// Its status.
        status: u16,
        /// How long to pause at least. Absent: it did not say.
        retry_after: Option<Duration>,
    },
    /// More than anybody needs to say.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Nothing came in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server says no.
    #[error("the server refused")]
    Refused {
        /// Why.
        #[source]
        problem: Box<Problem>,
        /// How long to pause at least. Absent: it did not say.
        retry_after: Option<Duration>,
    },
    /// Too many calls have failed: none was made.
    #[error("the circuit is open")]
    CircuitOpen {
        /// When one may be.
        retry_in: Duration,
    },
    /// This host cannot prove who it is.
    #[error("this host cannot prove who it is")]
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

    /// What this means for the pause before the next attempt.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Refused { retry_after: Some(retry_after), .. }
            | Self::NotOurs { retry_after: Some(retry_after), .. } => Outcome::Held { retry_after: *retry_after },
            Self::CircuitOpen { retry_in } => Outcome::CircuitOpen { retry_in: *retry_in },
            _ => Outcome::Failed,
        }
    }

    /// What the upstream is to blame for. Whoever refuses with a reason is well, and who asks for a pause is, too.
    fn fault(&self) -> Option<FailureKind> {
        match self {
            Self::Transport(broken) => Some(broken.kind),
            Self::NotOurs { status: 407, .. } => Some(FailureKind::ProxyAuthentication),
            // A proxy in front of the server asks for a pause, politely.
            Self::NotOurs { status: 429 | 503, retry_after: Some(_) } => None,
            Self::NotOurs { .. } => Some(FailureKind::NotOurs),
            Self::TooLarge(_) => Some(FailureKind::TooLarge),
            Self::TimedOut => Some(FailureKind::TimedOut),
            Self::Refused { problem, retry_after: None } if problem.status >= 500 => Some(FailureKind::Server),
            Self::Refused { .. } | Self::CircuitOpen { .. } | Self::Identity(_) => None,
        }
    }
}

/// Says to the breaker how a call ended.
pub fn end(permit: Permit<'_>, failure: Option<&Failure>) {
    match failure {
        None => permit.succeeded(),
        Some(failure) => match (failure.fault(), failure) {
            (Some(kind), _) => permit.failed(&Fault { kind, reason: head(chain(failure), MAX_REASON_BYTES) }),
            (None, Failure::Refused { .. }) => permit.succeeded(),
            // Nothing was asked.
            (None, _) => drop(permit),
        },
    }
}
