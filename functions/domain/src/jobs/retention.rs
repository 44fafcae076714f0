//! Retention of a job and of its log, and the erasure of a log.
//!
//! A piece of log has the time at which it is removed from the beginning: some time after the job's deadline. A job that is
//! presumed lost outlives its deadline, so its pieces are set aside from then on, and get their time when it has ended.

use jiff::Timestamp;
use muster_schemas::{
    access::Role,
    jobs::{JobState, LogErased},
};

use super::{Job, Origin};
use crate::{access::Permission, changes::Note, machine::Step, refused::Refused, retention::Retention, words::counted};

/// Something to do with the stored pieces of a log. The job is told when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Chore {
    /// The job is presumed lost: its log is kept as long as that lasts.
    KeepLog,
    /// The job whose log was kept has ended: its log is removed some time after.
    LimitLog,
    /// Somebody erased the log: it is removed.
    RemoveLog,
}

impl Job {
    /// What is to be done with its log now, and since when.
    pub fn chore(&self) -> Option<(Chore, Timestamp)> {
        if self.log_pieces == 0 {
            return None;
        }
        if let Some(erased) = &self.log_erased {
            return Some((Chore::RemoveLog, erased.at));
        }
        match (self.state, self.log_stays, self.ended_at) {
            (JobState::PresumedLost, false, _) => Some((Chore::KeepLog, self.deadline())),
            (_, true, Some(ended_at)) => Some((Chore::LimitLog, ended_at)),
            _ => None,
        }
    }

    /// When it is removed. `None`: not while it is open, and not by this.
    pub fn kept_until(&self, retention: &Retention) -> Option<Timestamp> {
        self.ended_at.and_then(|ended_at| retention.job_until(ended_at))
    }

    /// When a piece of its log is removed that is stored now. `None`: nobody knows yet.
    pub fn log_kept_until(&self, retention: &Retention, now: Timestamp) -> Option<Timestamp> {
        let over_at = self.ended_at.unwrap_or_else(|| self.deadline().max(now));
        retention.log_until(over_at).filter(|_| !self.log_stays)
    }

    /// Whether a fleet update ordered it. As long as that is open it may ask for the job.
    pub fn is_of_a_fleet_update(&self) -> bool {
        matches!(self.asked.origin, Origin::FleetUpdate(_))
    }

    /// Whether its log can be erased by a caller of this role.
    pub(super) fn can_be_erased(&self, role: Role) -> Result<(), Refused> {
        Permission::EraseLogs.check(role)?;
        if self.log_erased.is_some() {
            return Err(Refused::wrong_state("its log is already erased"));
        }
        if self.log_bytes == 0 && self.state.is_final() {
            return Err(Refused::wrong_state("it has no log"));
        }
        Ok(())
    }

    /// Erased once: who did it first stays on record.
    pub(super) fn erase_log(&self, erased: &LogErased) -> Step<Self> {
        if self.log_erased.is_some() {
            return self.stay();
        }
        let bytes = usize::try_from(self.log_bytes).unwrap_or(usize::MAX);
        let note = Note::new("job.log_erased", self.id, format!("{}: {}", counted(bytes, "byte"), erased.reason));
        Step::to(Self { log_erased: Some(erased.clone()), ..self.clone() }).and(note)
    }

    pub(super) fn did(&self, chore: Chore) -> Step<Self> {
        let mut next = self.clone();
        match chore {
            Chore::KeepLog => next.log_stays = true,
            Chore::LimitLog => next.log_stays = false,
            Chore::RemoveLog => next.log_pieces = 0,
        }
        Step::to(next)
    }
}
