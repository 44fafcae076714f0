//! Transactional outbox: the effects of a step, committed with it, and the changes that they cause in other records.

use std::fmt;

use muster_schemas::ids::{EnrollmentTokenId, FleetUpdateId, HostId, JobId};
use serde::{Deserialize, Serialize};

use crate::{
    enrollment_tokens, fleet_updates, hosts,
    jobs::{self, logs::LogPiece},
    mailboxes, releases,
};

/// An effect of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Another record takes a step in the same commit. If it refuses, nothing is committed.
    Also(Change),
    /// Another record takes a step after the commit; kept in the outbox until it has, so it may happen twice.
    Later(Change),
    /// The host's long poll is answered. A hint: the next poll would find out by itself.
    Wake(HostId),
    /// Work continues after the commit. A hint: the next tick would find out by itself.
    GoOn(Work),
    /// An entry of the audit trail, in the same commit.
    Audit(Note),
    /// Output of a job is kept, in the same commit.
    Log {
        /// The job.
        job: JobId,
        /// Where the text starts in the log, in bytes.
        offset: u64,
        /// The text, and when the host had it.
        piece: LogPiece,
    },
    /// The lock is taken in the same commit, or nothing is committed.
    Lock(Lock),
    /// The lock is released in the same commit.
    Unlock(Lock),
}

/// A lock: one holder at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The name of the lock.
    pub name: String,
    /// The id of its holder.
    pub holder: String,
}

/// Work that continues after a commit, step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A fleet update: the next hosts are planned, or have their turn.
    FleetUpdate(FleetUpdateId),
}

/// An entry of the audit trail about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// As noun and event: `job.cancelled`.
    pub action: &'static str,
    /// The id of the record.
    pub subject: String,
    /// Why or how, for people.
    pub detail: String,
    /// Whether somebody should look at it.
    pub alert: bool,
    /// Whether it follows by the server's own rules, whoever gave the occasion.
    pub by_the_server: bool,
}

impl Note {
    /// An entry that needs no attention.
    pub fn new(action: &'static str, subject: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self { action, subject: subject.to_string(), detail: detail.into(), alert: false, by_the_server: false }
    }

    /// An entry that somebody should look at.
    pub fn alert(action: &'static str, subject: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self { alert: true, ..Self::new(action, subject, detail) }
    }

    /// It follows by the server's own rules: who gave the occasion did not do it.
    #[must_use]
    pub fn by_the_server(self) -> Self {
        Self { by_the_server: true, ..self }
    }
}

impl From<Note> for Effect {
    fn from(note: Note) -> Self {
        Self::Audit(note)
    }
}

/// An event and the record it happens to: the outbox stores it, and every change of a record with a life cycle is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// To a host's description.
    Host(HostId, hosts::Event),
    /// To a host's mailbox.
    Mailbox(HostId, mailboxes::Event),
    /// To a job.
    Job(JobId, jobs::Event),
    /// To an enrollment token.
    EnrollmentToken(EnrollmentTokenId, enrollment_tokens::Event),
    /// To the release of this version.
    Release(String, releases::Event),
    /// To a fleet update.
    FleetUpdate(FleetUpdateId, fleet_updates::Event),
    /// To the host at this position of a fleet update.
    FleetUpdateHost(FleetUpdateId, u32, fleet_updates::hosts::Event),
}
