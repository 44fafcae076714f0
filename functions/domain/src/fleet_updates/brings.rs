//! What a fleet update brings to its hosts, and how a host proves that it has it. One file per thing brought.
//!
//! The engine knows waves, slots, failures and windows, and nothing of what it brings. What that is stands in its plan, and
//! is asked through [`Brought`]; what a host must show is in the host's slot, and is asked through [`Proof`].

pub mod releases;

use std::fmt;

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::FleetUpdateHostState,
    ids::JobId,
    jobs::JobSpec,
    problems::{Problem, ProblemCode},
    reports::Report,
};
use serde::{Deserialize, Serialize};

use super::admission::Candidate;
use crate::refused::Refused;

/// What a fleet update brings. It stands flat in the stored plan: each kind has members of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Brings {
    /// A release of the agent.
    Release(releases::Release),
}

/// What the engine asks of what it brings.
pub trait Brought {
    /// The name of the lock that lets one fleet update at a time bring such a thing.
    fn lock(&self) -> String;

    /// What is brought, in a few words: `agent 1.9.2`.
    fn title(&self) -> String;

    /// The job that brings it to a host.
    fn job(&self) -> JobSpec;

    /// Whether the host needs it and could have it, as far as that depends on what is brought.
    fn turn(&self, candidate: &Candidate, job_id: JobId) -> Turn;
}

/// What is done about a host whose turn has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It gets a slot and a job, and must then show this.
    Offer(Expected),
    /// It gets nothing.
    LeaveOut(Exclusion),
    /// It is offline.
    WaitFor,
    /// No host gets anything any more, for this reason.
    Halt(String),
}

/// Why a host is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// There is no such host any more.
    Deleted,
    /// Its identity is revoked.
    Retired,
    /// Nothing is served to it until an operator readmits it.
    Quarantined,
    /// Its agent has never started.
    NeverStarted,
    /// Its policy does not allow jobs of this kind.
    NotAllowed(&'static str),
    /// What is brought is not there for its operating system and architecture.
    NoFile(String),
    /// It has this already.
    HasIt(String),
    /// Another job that changes the same is open.
    Busy(String),
    /// Its mailbox is full.
    NoRoom,
    /// It was offered the same too often.
    NoAttemptLeft(u32),
}

impl Exclusion {
    /// Whether the host would still need what is brought, and could have it later.
    pub fn is_for_now(&self) -> bool {
        match self {
            Self::Quarantined | Self::Busy(_) | Self::NoRoom | Self::NoAttemptLeft(_) => true,
            Self::Deleted
            | Self::Retired
            | Self::NeverStarted
            | Self::NotAllowed(_)
            | Self::NoFile(_)
            | Self::HasIt(_) => false,
        }
    }

    /// The same as a refusal, for an operator who asks for this one host.
    pub fn refused(&self) -> Refused {
        let code = match self {
            Self::Deleted => ProblemCode::HostNotFound,
            Self::Retired => ProblemCode::HostRetired,
            Self::Quarantined => ProblemCode::HostQuarantined,
            Self::NoFile(_) => ProblemCode::Invalid,
            Self::HasIt(_) => ProblemCode::AlreadyUpToDate,
            Self::Busy(_) => ProblemCode::UpdateInProgress,
            Self::NoRoom => ProblemCode::TooManyRequests,
            Self::NeverStarted | Self::NotAllowed(_) | Self::NoAttemptLeft(_) => ProblemCode::WrongState,
        };
        let field = matches!(self, Self::NoFile(_)).then(|| "version".into());
        Refused(Box::new(Problem { field, ..Problem::new(code).detail(self) }))
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted => f.write_str("deleted"),
            Self::Retired => f.write_str("retired"),
            Self::Quarantined => f.write_str("quarantined"),
            Self::NeverStarted => f.write_str("its agent has never started"),
            Self::NotAllowed(kind) => write!(f, "its policy does not allow {kind}"),
            Self::NoFile(platform) => write!(f, "no file for {platform}"),
            Self::HasIt(what) => write!(f, "already runs {what}"),
            Self::Busy(what) => write!(f, "another update of its {what} is in progress"),
            Self::NoRoom => f.write_str("it has too many open jobs"),
            Self::NoAttemptLeft(attempts) => write!(f, "it was already offered this {attempts} times"),
        }
    }
}

/// What a host in an unproven update must show. It stands in the host's slot, as its kind stores it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// A new process of a release.
    Release(releases::Expectation),
}

/// What the engine asks of what a host must show.
pub trait Proof {
    /// The job that brings it.
    fn job_id(&self) -> JobId;

    /// Remembers what a report shows.
    fn saw(&self, report: &Report, at: Timestamp) -> Expected;

    /// What a report proves, after it was seen.
    fn judge(&self, report: &Report, now: Timestamp) -> Verdict;

    /// Whether the report shows that the host has come back without having tried.
    fn has_not_tried(&self, report: &Report) -> bool;

    /// What a host in this state is waited for to show, in words.
    fn waits_for(&self, state: FleetUpdateHostState) -> &'static str;
}

/// What a report proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Unproven,
    /// What was brought is there, and has not proven itself.
    Verifying,
    /// It has.
    Succeeded,
    /// It failed, for this reason.
    Failed(String),
    /// Nothing is known about what was brought, for this reason.
    Inconclusive(String),
    /// Something else is there that says it is what was brought: the host is not to be trusted.
    WrongBytes(String),
}

impl Brings {
    /// What the engine asks of it. The only place where things brought are told apart.
    pub fn rules(&self) -> &dyn Brought {
        match self {
            Self::Release(release) => release,
        }
    }
}

impl Expected {
    /// What the engine asks of it.
    pub fn rules(&self) -> &dyn Proof {
        match self {
            Self::Release(expectation) => expectation,
        }
    }
}
