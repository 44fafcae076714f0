//! Lost jobs: those that the server presumes lost after a time, and those that somebody gives up by hand.

use jiff::Timestamp;
use muster_schemas::jobs::JobState;
use serde::{Deserialize, Serialize};

use super::Job;
use crate::{
    changes::{Change, Effect, Note},
    machine::Step,
    mailboxes,
    refused::Refused,
};

/// Who gave a job up, because its host is lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GivenUp {
    /// The caller, as `user:<id>` or `key:<id>`.
    pub by: String,
    /// The display name of the caller.
    pub by_name: String,
    /// When.
    pub at: Timestamp,
}

impl GivenUp {
    /// The name of who gave it up, or the id of a caller without a name.
    pub fn name(&self) -> &str {
        if self.by_name.is_empty() { &self.by } else { &self.by_name }
    }
}

impl Job {
    /// Only a host that is lost can be given up: any other one will tell.
    pub(super) fn can_be_given_up(&self, host_is_online: bool) -> Result<(), Refused> {
        match self.state {
            JobState::Queued => Err(Refused::wrong_state("the job was never offered to the host: cancel it")),
            JobState::PresumedLost => Err(Refused::wrong_state("the job is already presumed lost")),
            JobState::Offered | JobState::Accepted | JobState::Running if host_is_online => {
                Err(Refused::wrong_state("the host is online and will report how the job ends: cancel it to stop it"))
            }
            JobState::Offered | JobState::Accepted | JobState::Running => Ok(()),
            _ => self.can_be_cancelled(),
        }
    }

    pub(super) fn presume_lost(&self, now: Timestamp) -> Step<Self> {
        let detail = format!("no report from {} by {now}", self.host_id);
        Step::to(Self { state: JobState::PresumedLost, ..self.clone() }).and(Note::alert(
            "job.presumed_lost",
            self.id,
            detail,
        ))
    }

    /// Nobody waits for it any more. A host that comes back is told to stop it, and its word still counts.
    pub(super) fn give_up(&self, given_up: GivenUp) -> Step<Self> {
        let detail = format!("no report from {}; given up by {}", self.host_id, given_up.name());
        let next = Self {
            state: JobState::PresumedLost,
            cancel_requested: true,
            given_up: Some(given_up),
            // It is not offered any more.
            asked: self.asked.without_secrets(),
            ..self.clone()
        };
        let stop = Effect::Also(Change::Mailbox(self.host_id, mailboxes::Event::Cancel(self.id)));
        Step::to(next).and(stop).and(Note::new("job.given_up", self.id, detail))
    }
}
