//! Refusal: the error of a rule, as a problem that the caller can read.

use std::fmt;

use muster_schemas::problems::{Problem, ProblemCode};

/// The rules forbid it. Nothing was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused(pub Box<Problem>);

impl Refused {
    /// A refusal with this code, for this reason.
    pub fn new(code: ProblemCode, detail: impl fmt::Display) -> Self {
        Self(Box::new(Problem::new(code).detail(detail)))
    }

    /// The record's state does not allow it.
    pub fn wrong_state(detail: impl fmt::Display) -> Self {
        Self::new(ProblemCode::WrongState, detail)
    }

    /// Why not, as a sentence for people.
    pub fn sentence(self) -> String {
        self.0.detail.unwrap_or(self.0.title)
    }

    /// The record does not exist.
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemCode::NotFound, format_args!("no such {what}"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}
