//! Errors to problems (RFC 9457): refused (4xx, not logged) and broken (5xx, logged once) part here.

use std::{error::Error, fmt::Display, sync::Arc};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use muster_domain::refused::Refused;
use muster_schemas::problems::{Problem, ProblemCode};

use crate::{blobs::BlobError, commit::CommitError, store::StoreError};

/// The reason that a request was not done.
#[derive(Debug, Clone)]
pub enum Failure {
    /// Refused by the rules: the caller learns why.
    Refused(Box<Problem>),
    /// A fault of ours: the chain goes to the log, nothing of it to the caller.
    Broken(Arc<dyn Error + Send + Sync>),
    /// A service that the server depends on does not answer: the caller is asked to come again.
    Unavailable(Arc<dyn Error + Send + Sync>),
}

impl Failure {
    /// Refused with this code.
    pub fn of(code: ProblemCode) -> Self {
        Problem::new(code).into()
    }

    /// Refused because of a limit that ends after `wait`.
    pub fn too_many(detail: impl Display, wait: SignedDuration) -> Self {
        let seconds = wait.as_secs().unsigned_abs() + u64::from(wait.subsec_nanos() > 0);
        Problem::new(ProblemCode::TooManyRequests).detail(detail).with("retry_after_seconds", seconds).into()
    }

    /// A fault of ours.
    pub fn broken(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Broken(Arc::new(error))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        Self::Refused(problem)
    }
}

impl From<Refused> for Failure {
    fn from(Refused(problem): Refused) -> Self {
        Self::Refused(problem)
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refused) => refused.into(),
            CommitError::Locked(lock) => locked(&lock).into(),
            CommitError::Overtaken => Self::of(ProblemCode::AlreadyExists),
            CommitError::RevisionMismatch => Self::of(ProblemCode::RevisionMismatch),
            CommitError::Contended => Self::of(ProblemCode::Contended),
            CommitError::Store(source) => source.into(),
        }
    }
}

/// The prefix of every lock that fleet updates take.
const FLEET_UPDATE_LOCKS: &str = "fleet-update:";

/// Another record holds this lock.
fn locked(lock: &str) -> Problem {
    let is_of_fleet_updates = lock.starts_with(FLEET_UPDATE_LOCKS);
    let code = if is_of_fleet_updates { ProblemCode::FleetUpdateActive } else { ProblemCode::Locked };
    Problem::new(code).detail(format_args!("the lock {lock} is held")).with("lock", lock)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale { .. } => Self::of(ProblemCode::Contended),
            StoreError::Cursor => {
                Problem::invalid("cursor", "must be the next_cursor of an earlier page of this list").into()
            }
            absent @ StoreError::Unavailable { .. } => Self::Unavailable(Arc::new(absent)),
            fault @ StoreError::Fault { .. } => Self::broken(fault),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::WrongSize { .. } | BlobError::WrongDigest { .. } => Problem::invalid("body", error).into(),
            BlobError::BrokenOff(_) => Problem::new(ProblemCode::Malformed).detail("the upload ended early").into(),
            absent @ BlobError::Unavailable { .. } => Self::Unavailable(Arc::new(absent)),
            fault @ BlobError::Fault { .. } => Self::broken(fault),
        }
    }
}

impl IntoResponse for Failure {
    /// Only marks the answer: [`super::edge`] knows the request's id and writes it out.
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(lock: &str) -> Problem {
        match Failure::from(CommitError::Locked(lock.into())) {
            Failure::Refused(problem) => *problem,
            failure => panic!("{failure:?}"),
        }
    }

    #[test]
    fn a_lock_that_is_held_is_told_by_its_own_name() {
        for (lock, code) in [
            ("fleet-update:agent", ProblemCode::FleetUpdateActive),
            ("fleet-update:application:shop", ProblemCode::FleetUpdateActive),
            ("backup:repository", ProblemCode::Locked),
            ("fleet-updates", ProblemCode::Locked),
        ] {
            let problem = problem(lock);
            assert_eq!((problem.code, problem.status, &problem.members["lock"]), (code, 409, &lock.into()));
            assert!(problem.detail.is_some_and(|detail| detail.contains(lock)));
        }
    }
}
