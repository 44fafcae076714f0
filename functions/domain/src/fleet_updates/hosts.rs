//! State machine of one host in a fleet update: a small record each, so that 100 000 hosts never reach an item-size limit.
//! While a host is in an unproven update, its record is its slot.
//!
//! ```text
//! pending ──Offer──▶ offered ──its report──▶ verifying ──its report──▶ succeeded | failed
//!    ▲                  └──Tick past its deadline──┴──▶ lost ──its report, WriteOff──▶ …
//!    └── inconclusive, taken back, offline, tried again ── offered | verifying | lost | failed
//!                       offered | verifying | lost ──the host is retired──▶ skipped
//! ```
//! It judges the reports and jobs of its host. Its fleet update decides in the same commit what that means for the others.

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::FleetUpdateHostState,
    ids::{FleetUpdateId, HostId, JobId},
    jobs::{JobError, JobState},
    reports::Report,
};
use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    brings::{Exclusion, Expected, Verdict},
};
use crate::{
    changes::{Change, Effect},
    jobs,
    machine::{Machine, Step},
    mailboxes,
    refused::Refused,
};

/// The most attempts per host.
pub const MAX_ATTEMPTS: u32 = 3;

/// A host's place in a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The fleet update.
    pub fleet_update_id: FleetUpdateId,
    /// The host's position in it.
    pub position: u32,
}

impl Place {
    /// A change of the host in this place.
    pub fn change(self, event: Event) -> Change {
        Change::FleetUpdateHost(self.fleet_update_id, self.position, event)
    }
}

/// One host of a fleet update.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FleetUpdateHost {
    /// Its place.
    #[serde(flatten)]
    pub place: Place,
    /// The host.
    pub host_id: HostId,
    /// Its state.
    pub state: FleetUpdateHostState,
    /// Why it ended as it did.
    pub reason: Option<String>,
    /// The latest job.
    pub job_id: Option<JobId>,
    /// How often it was offered the release.
    pub attempts: u32,
    /// When it was last offered.
    pub offered_at: Option<Timestamp>,
    /// Its slot; present while it is in an unproven update.
    pub slot: Option<Slot>,
    /// When it reached its final state.
    pub ended_at: Option<Timestamp>,
}

/// The slot of a host in an unproven update.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// When the host counts as lost.
    pub deadline_at: Timestamp,
    /// The proof that it must give.
    pub expected: Expected,
}

/// An event of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It gets a slot and a job.
    Offer(Box<Slot>),
    /// The host sent a report that may be a proof.
    Reported {
        /// The report.
        report: Box<Report>,
        /// When it was sent.
        at: Timestamp,
    },
    /// A job of it is final.
    JobEnded {
        /// The job.
        job_id: JobId,
        /// Its final state.
        state: JobState,
        /// Why it did not succeed.
        error: Option<JobError>,
    },
    /// Its fleet update stopped offering: its job is recalled unless the host has accepted it.
    Recall,
    /// An operator gives up on a lost host.
    WriteOff,
    /// The host was retired: it will never prove anything.
    HostRetired,
    /// The fleet update ends it.
    Conclude {
        /// How it ended.
        state: FleetUpdateHostState,
        /// Why.
        reason: Option<String>,
    },
    /// It failed, and gets another turn.
    Retry,
    /// Time has passed.
    Tick,
}

impl FleetUpdateHost {
    /// The record before anything happened to it.
    pub fn planned(place: Place, host_id: HostId) -> Self {
        Self {
            place,
            host_id,
            state: FleetUpdateHostState::Pending,
            reason: None,
            job_id: None,
            attempts: 0,
            offered_at: None,
            slot: None,
            ended_at: None,
        }
    }

    fn offer(&self, slot: &Slot, now: Timestamp) -> Result<Step<Self>, Refused> {
        if self.state != FleetUpdateHostState::Pending {
            return Err(Refused::wrong_state(format_args!("{} is not pending", self.host_id)));
        }
        // Checked here again, because the candidate may be outdated.
        if !self.has_attempts_left() {
            return Err(Refused::wrong_state(format_args!("{} has no attempts left", self.host_id)));
        }
        Ok(Step::to(Self {
            state: FleetUpdateHostState::Offered,
            reason: None,
            job_id: Some(slot.expected.rules().job_id()),
            attempts: self.attempts + 1,
            offered_at: Some(now),
            slot: Some(slot.clone()),
            ..self.clone()
        }))
    }

    fn reported(&self, report: &Report, at: Timestamp, now: Timestamp) -> Step<Self> {
        // A late report from before the offer proves nothing about it.
        let heard = self.slot.as_ref().filter(|_| self.offered_at.is_some_and(|offered_at| at >= offered_at));
        let Some(slot) = heard else { return self.stay() };
        let expected = slot.expected.rules().saw(report, at);
        let verdict = expected.rules().judge(report, now);
        let not_tried = self.state == FleetUpdateHostState::Lost && expected.rules().has_not_tried(report);
        let next = Self { slot: Some(Slot { expected, ..slot.clone() }), ..self.clone() };
        match verdict {
            Verdict::Unproven if not_tried => {
                next.failed("no_attempt: the agent came back without a record of the update", now)
            }
            // After its deadline only a proof counts.
            Verdict::Verifying if self.state == FleetUpdateHostState::Offered => {
                Step::to(Self { state: FleetUpdateHostState::Verifying, ..next })
            }
            Verdict::Unproven | Verdict::Verifying => Step::to(next),
            Verdict::Succeeded => {
                next.ended(FleetUpdateHostState::Succeeded, None, now).and(self.tells(Outcome::Succeeded))
            }
            Verdict::Failed(reason) => next.failed(&reason, now),
            Verdict::Inconclusive(reason) => next.inconclusive(&reason, now),
            Verdict::WrongBytes(reason) => {
                let quarantine = mailboxes::Event::Quarantine(reason.clone());
                next.failed(&reason, now).and(Effect::Also(Change::Mailbox(self.host_id, quarantine)))
            }
        }
    }

    fn job_ended(&self, job_id: JobId, state: JobState, error: Option<&JobError>, now: Timestamp) -> Step<Self> {
        if self.slot.as_ref().is_none_or(|slot| slot.expected.rules().job_id() != job_id) {
            return self.stay();
        }
        let why = error.map_or_else(String::new, |error| format!("{}: {}", error.code, error.message));
        match state {
            JobState::Failed if error.is_some_and(|error| error.code == "inconclusive") => self.inconclusive(&why, now),
            JobState::Failed | JobState::Rejected | JobState::Interrupted => self.failed(&why, now),
            JobState::Superseded => self.failed("superseded by another update", now),
            // Its job was recalled before the host had accepted it.
            JobState::Cancelled => self.again(Some("recalled".into()), Outcome::TakenBack),
            JobState::Expired => self.again(None, Outcome::Offline(self.host_id)),
            // A job that succeeded does not prove the change: the next report does.
            JobState::Succeeded
            | JobState::Queued
            | JobState::Offered
            | JobState::Accepted
            | JobState::Running
            | JobState::PresumedLost => self.stay(),
        }
    }

    fn inconclusive(&self, reason: &str, now: Timestamp) -> Step<Self> {
        if !self.has_attempts_left() {
            return self.failed(&format!("inconclusive {MAX_ATTEMPTS} times: {reason}"), now);
        }
        self.again(Some(format!("inconclusive: {reason}")), Outcome::Inconclusive)
    }

    fn failed(&self, reason: &str, now: Timestamp) -> Step<Self> {
        let outcome = Outcome::Failed { why: format!("{}: {reason}", self.host_id), again: self.has_attempts_left() };
        self.ended(FleetUpdateHostState::Failed, Some(reason.into()), now).and(self.tells(outcome))
    }

    fn write_off(&self, now: Timestamp) -> Result<Step<Self>, Refused> {
        if self.state != FleetUpdateHostState::Lost {
            return Err(Refused::wrong_state(format_args!("{} is not lost in this fleet update", self.host_id)));
        }
        let outcome = Outcome::WrittenOff { host_id: self.host_id, again: self.has_attempts_left() };
        let ended = self.ended(FleetUpdateHostState::Failed, Some("lost, written off".into()), now);
        Ok(ended.and(self.tells(outcome)))
    }

    /// It can never prove anything, and that says nothing of what was brought.
    fn retired(&self, now: Timestamp) -> Step<Self> {
        if self.slot.is_none() {
            return self.stay();
        }
        let reason = Some(Exclusion::Retired.to_string());
        self.ended(FleetUpdateHostState::Skipped, reason, now).and(self.tells(Outcome::Retired))
    }

    fn recall(&self) -> Step<Self> {
        let unaccepted = self.slot.as_ref().filter(|_| self.state == FleetUpdateHostState::Offered);
        let recall = |slot: &Slot| Effect::Later(Change::Job(slot.expected.rules().job_id(), jobs::Event::Recall));
        self.stay().and_all(unaccepted.map(recall))
    }

    fn overdue(&self) -> Step<Self> {
        Step::to(Self { state: FleetUpdateHostState::Lost, ..self.clone() })
            .and(self.tells(Outcome::Lost(self.host_id)))
    }

    fn ended(&self, state: FleetUpdateHostState, reason: Option<String>, now: Timestamp) -> Step<Self> {
        Step::to(Self { state, reason, slot: None, ended_at: Some(now), ..self.clone() })
    }

    fn again(&self, reason: Option<String>, outcome: Outcome) -> Step<Self> {
        let state = FleetUpdateHostState::Pending;
        Step::to(Self { state, reason, slot: None, ended_at: None, ..self.clone() }).and(self.tells(outcome))
    }

    fn tells(&self, outcome: Outcome) -> Effect {
        let Place { fleet_update_id, position } = self.place;
        Effect::Also(Change::FleetUpdate(fleet_update_id, super::Event::Host { position, outcome }))
    }

    fn has_attempts_left(&self) -> bool {
        self.attempts < MAX_ATTEMPTS
    }

    fn is_overdue(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|due_at| now >= due_at)
    }

    fn stay(&self) -> Step<Self> {
        Step::to(self.clone())
    }
}

impl Machine for FleetUpdateHost {
    type Event = Event;

    fn begin(_event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        // It is created by planning.
        Err(Refused::not_found("host of this fleet update"))
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Offer(slot) => self.offer(slot, now),
            Event::Reported { report, at } => Ok(self.reported(report, *at, now)),
            Event::JobEnded { job_id, state, error } => Ok(self.job_ended(*job_id, *state, error.as_ref(), now)),
            Event::Recall => Ok(self.recall()),
            Event::WriteOff => self.write_off(now),
            Event::HostRetired => Ok(self.retired(now)),
            Event::Conclude { state, reason } => Ok(self.ended(*state, reason.clone(), now)),
            Event::Retry => Ok(Step::to(Self {
                state: FleetUpdateHostState::Pending,
                reason: None,
                ended_at: None,
                ..self.clone()
            })),
            Event::Tick if self.is_overdue(now) => Ok(self.overdue()),
            Event::Tick => Ok(self.stay()),
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        let waits = matches!(self.state, FleetUpdateHostState::Offered | FleetUpdateHostState::Verifying);
        self.slot.as_ref().filter(|_| waits).map(|slot| slot.deadline_at)
    }
}
