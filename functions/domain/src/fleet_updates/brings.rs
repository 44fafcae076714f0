//! Rollout strategies: the kinds of change that a fleet update brings to hosts, and how a host proves it. One file per kind.
//!
//! The engine knows waves, slots, failures and windows, but nothing about the change. The change is part of the plan, behind
//! the trait [`Brought`]; the expected proof is part of the host's slot, behind the trait [`Proof`].

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

/// The change that a fleet update brings. It is stored flat in the plan: each kind has its own members.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Brings {
    /// A release of the agent.
    Release(releases::Release),
}

/// The rules of a change that a fleet update brings.
pub trait Brought {
    /// The name of the lock that allows one fleet update of this kind at a time.
    fn lock(&self) -> String;

    /// A short title of the change: `agent 1.9.2`.
    fn title(&self) -> String;

    /// The job that brings it to a host.
    fn job(&self) -> JobSpec;

    /// Whether the host needs the change and could have it, as far as that depends on the change.
    fn turn(&self, candidate: &Candidate, job_id: JobId) -> Turn;
}

/// The decision about a host whose turn has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It gets a slot and a job, and must then prove this.
    Offer(Expected),
    /// It is skipped.
    LeaveOut(Exclusion),
    /// It is offline.
    WaitFor,
    /// The fleet update halts, for this reason.
    Halt(String),
}

/// Why a host is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// The host does not exist any more.
    Deleted,
    /// Its identity is revoked.
    Retired,
    /// It is blocked until an operator readmits it.
    Quarantined,
    /// Its agent has never started.
    NeverStarted,
    /// Its policy does not allow jobs of this kind.
    NotAllowed(&'static str),
    /// There is no file for its operating system and architecture.
    NoFile(String),
    /// It already has this.
    HasIt(String),
    /// Another job on the same resource is open.
    Busy(String),
    /// Its mailbox is full.
    NoRoom,
    /// It was offered the change too often.
    NoAttemptLeft(u32),
}

impl Exclusion {
    /// Whether this is temporary: the host still needs the change, and could have it later.
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

    /// The refusal for an operator who updates this one host.
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

/// The proof that a host in an unproven update must give. It is stored flat in the host's slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// A new process of a release.
    Release(releases::Expectation),
}

/// The rules of a proof.
pub trait Proof {
    /// The job that brings the change.
    fn job_id(&self) -> JobId;

    /// Remembers a report.
    fn saw(&self, report: &Report, at: Timestamp) -> Expected;

    /// Judges a report, after `saw`.
    fn judge(&self, report: &Report, now: Timestamp) -> Verdict;

    /// Whether the report shows that the host came back without having tried the change.
    fn has_not_tried(&self, report: &Report) -> bool;

    /// The thing that a host in this state is waited for, in words.
    fn waits_for(&self, state: FleetUpdateHostState) -> &'static str;
}

/// The verdict on a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Unproven,
    /// The change is there, but not proven yet.
    Verifying,
    /// The change is proven.
    Succeeded,
    /// It failed, for this reason.
    Failed(String),
    /// Whether the change works is unknown, for this reason.
    Inconclusive(String),
    /// Other bytes run under the version of the change: the host cannot be trusted.
    WrongBytes(String),
}

impl Brings {
    /// The rules of its kind. The only place that distinguishes kinds of change.
    pub fn rules(&self) -> &dyn Brought {
        match self {
            Self::Release(release) => release,
        }
    }
}

impl Expected {
    /// The rules of its kind.
    pub fn rules(&self) -> &dyn Proof {
        match self {
            Self::Release(expectation) => expectation,
        }
    }
}
