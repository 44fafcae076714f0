//! Rollout engine: the state machine of a fleet update, which brings a change to many hosts in waves. Every step is small,
//! conditional, and safe to try twice, so that any process may take it.
//!
//! ```text
//! planning ──every host is planned──▶ running ⇄ paused      planning | running | paused | halted ──Cancel──▶ cancelled
//! running | paused ──failures, no slot left──▶ halted ──Resume with a note──▶ running ──every host done──▶ completed
//! ```
//! One that is halted holds no lock, so another one may be started; to resume it takes the lock again.
//!
//! A host is known by its position in the plan, and has a record of its own ([`hosts`]) that judges its reports; this record
//! holds what concerns all hosts. A slot is held from the offer to the proof, so `slots ≤ max_in_flight` bounds the hosts in an
//! unproven update; a lost host keeps its slot.

mod actions;
mod admission;
pub mod brings;
pub mod hosts;
mod outcomes;
mod planning;
mod positions;
mod transition;
mod views;
mod waiting;

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::ActionOnFleetUpdate,
    fleet_updates::{FleetUpdateState, MaintenanceWindow, OfflinePolicy, Share},
    ids::{FleetUpdateId, HostId, JobId},
    problems::ProblemCode,
};
use serde::{Deserialize, Serialize};

use self::transition::Transition;
pub use self::{
    admission::{Candidate, best_case_seconds, turn},
    brings::Brings,
    planning::{Planning, Selection},
};
use crate::{
    changes::Lock,
    machine::{Machine, Step},
    refused::Refused,
    times::after,
    words::word,
};

/// The most hosts that may be in an unproven update at once. Each takes up to eight bytes of the fleet update's record, which
/// is written with every verdict.
pub const MAX_IN_FLIGHT: u32 = 1_000;
/// The highest failure limit. Failed hosts that may be retried are listed in the record.
pub const MAX_FAILURES: u32 = 1_000;
/// How many hosts one step handles, so that it fits into one commit. The rest stays due.
const MAX_AT_ONCE: usize = 40;

/// A fleet update.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FleetUpdate {
    /// Its id.
    pub id: FleetUpdateId,
    /// The plan; fixed once planning is done.
    #[serde(flatten)]
    pub plan: Plan,
    /// Its state.
    pub state: FleetUpdateState,
    /// The progress of planning; present while it lasts.
    pub planning: Option<Planning>,
    /// How many hosts could be updated when they were planned. They come first, so that the canary is one of them.
    pub ready: u32,
    /// How many could not.
    pub others: u32,
    /// The wave being offered, from 0.
    pub wave: u32,
    /// Hosts of that wave that were proven. Absent in a record of before: then the wave passes without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_in_wave: Option<u32>,
    /// Whether it gave its lock back when it halted, so that another fleet update may be active.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlocked: bool,
    /// The next new turn, from 0.
    pub next_turn: u32,
    /// Positions that get another turn.
    #[serde(with = "positions")]
    pub requeued: BTreeSet<u32>,
    /// Positions that wait for their host to come online.
    #[serde(with = "positions")]
    pub deferred: BTreeSet<u32>,
    /// Positions in an unproven update: a set, so that no event counts twice.
    #[serde(with = "positions")]
    pub slots: BTreeSet<u32>,
    /// Those of them that did not report in time.
    #[serde(with = "positions")]
    pub lost: BTreeSet<u32>,
    /// Those of them whose job must still be recalled, unless the host has accepted it.
    #[serde(with = "positions")]
    pub to_recall: BTreeSet<u32>,
    /// Positions that failed and may be retried.
    #[serde(with = "positions")]
    pub retriable: BTreeSet<u32>,
    /// Hosts that failed.
    pub failed: u32,
    /// Failures since it was started or last resumed.
    pub failures: u32,
    /// Hosts that were proven.
    pub succeeded: u32,
    /// Hosts that were left out.
    pub skipped: u32,
    /// Hosts whose offer was recalled by a cancel.
    pub taken_back: u32,
    /// When a host was last proven; a soak counts from here.
    pub last_success_at: Option<Timestamp>,
    /// Why it halted.
    pub halted_reason: Option<String>,
    /// Why an operator paused it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub paused_note: String,
    /// When it was completed or cancelled.
    pub ended_at: Option<Timestamp>,
}

/// The plan of a fleet update, complete when every host is planned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// The change that it brings.
    #[serde(flatten)]
    pub brings: Brings,
    /// The waves' sizes, in hosts; empty while it is planned.
    pub waves: Vec<u32>,
    /// How many hosts may be in an unproven update at once; 0 while it is planned.
    pub max_in_flight: u32,
    /// How many failures halt it.
    pub max_failures: u32,
    /// How long a finished wave is watched, in seconds.
    pub soak_seconds: u32,
    /// How long one host may take, in seconds.
    pub host_time_limit_seconds: u32,
    /// The rule for offline hosts.
    pub offline_policy: OfflinePolicy,
    /// When hosts may be offered the release.
    pub maintenance_window: Option<MaintenanceWindow>,
    /// When it stops waiting for offline hosts.
    pub deadline_at: Timestamp,
    /// Why, for people.
    pub note: String,
    /// The caller that started it.
    pub created_by: String,
    /// The display name of that caller.
    #[serde(default)]
    pub created_by_name: String,
    /// When it was started.
    pub created_at: Timestamp,
}

/// An event of a fleet update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// An admin starts it.
    Start {
        /// The id it will have.
        id: FleetUpdateId,
        /// The plan, without the hosts.
        plan: Box<Plan>,
        /// Which hosts to plan.
        planning: Box<Planning>,
    },
    /// More hosts are planned; their records are in the same commit.
    Planned {
        /// Where this page of hosts began.
        from: Option<String>,
        /// How many of them can be updated now.
        ready: u32,
        /// How many of them cannot.
        others: u32,
        /// Where the next page begins. Absent: there are no more hosts.
        to: Option<String>,
    },
    /// A position may have its turn.
    Admit {
        /// The position.
        position: u32,
        /// Its host, as it is now.
        candidate: Box<Candidate>,
        /// The id its job will have.
        job_id: JobId,
    },
    /// The outcome of a host that was offered the release.
    Host {
        /// Its position.
        position: u32,
        /// The outcome.
        outcome: Outcome,
    },
    /// Stop offering the release, with a note that says why.
    Pause(String),
    /// Continue; after a halt with a note that says why.
    Resume(String),
    /// End it.
    Cancel(String),
    /// Retry the failed hosts.
    RetryFailed(String),
    /// Time has passed.
    Tick,
}

/// The outcome of a host that was offered the release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is proven.
    Succeeded,
    /// It failed.
    Failed {
        /// Which host, and why.
        why: String,
        /// Whether it may be retried.
        again: bool,
    },
    /// Whether the release works there is unknown.
    Inconclusive,
    /// Its job was recalled before the host had accepted it.
    TakenBack,
    /// It never fetched its job.
    Offline(HostId),
    /// It was retired.
    Retired,
    /// It did not report in time.
    Lost(HostId),
    /// It was lost, and an operator gave up on it.
    WrittenOff {
        /// The host.
        host_id: HostId,
        /// Whether it may be retried.
        again: bool,
    },
}

impl Machine for FleetUpdate {
    type Event = Event;

    fn begin(event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Start { id, plan, planning } => Ok(Self::started(*id, plan, planning)),
            Event::Planned { .. }
            | Event::Admit { .. }
            | Event::Host { .. }
            | Event::Pause(_)
            | Event::Resume(_)
            | Event::Cancel(_)
            | Event::RetryFailed(_)
            | Event::Tick => Err(Refused::not_found("fleet update")),
        }
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        use FleetUpdateState::{Cancelled, Paused, Running};
        let mut transition = Transition::of(self, now);
        match (self.state, event) {
            (_, Event::Start { .. }) => {
                return Err(Refused::new(ProblemCode::AlreadyExists, "the fleet update was already started"));
            }
            (Running, Event::Admit { position, candidate, job_id }) => {
                transition.admit(*position, candidate, *job_id)?;
            }
            (_, Event::Admit { .. }) => return Err(self.refused("offer anything")),
            (_, Event::Planned { from, ready, others, to }) => {
                transition.planned(from.as_ref(), (*ready, *others), to.as_ref())?;
            }
            (_, Event::Host { position, outcome }) => transition.hears(*position, outcome),
            (_, Event::Tick) => transition.ticks(),
            // Idempotent: asking again changes nothing.
            (Paused, Event::Pause(_)) | (Cancelled, Event::Cancel(_)) | (Running, Event::Resume(_)) => {}
            (_, Event::Pause(note)) => {
                self.can(ActionOnFleetUpdate::Pause)?;
                transition.pause(note);
            }
            (_, Event::Resume(note)) => {
                self.can(ActionOnFleetUpdate::Resume)?;
                transition.goes_on_by_hand(note)?;
            }
            (_, Event::Cancel(note)) => {
                self.can(ActionOnFleetUpdate::Cancel)?;
                transition.cancel(note);
            }
            (_, Event::RetryFailed(note)) => {
                self.can(ActionOnFleetUpdate::RetryFailed)?;
                transition.retry_failed(note)?;
            }
        }
        transition.settle();
        transition.goes_on();
        Ok(Step { next: transition.next, effects: transition.effects })
    }

    fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            FleetUpdateState::Planning => Some(self.plan.created_at),
            FleetUpdateState::Running => Some(self.soak_ends_at().unwrap_or(self.plan.created_at)),
            _ => (!self.to_recall.is_empty()).then_some(self.plan.created_at),
        }
    }
}

impl FleetUpdate {
    /// How many hosts take part.
    pub fn total(&self) -> u32 {
        self.ready + self.others
    }

    /// Whether more steps are due at once: one step handles only a few hosts.
    pub fn is_behind(&self, now: Timestamp) -> bool {
        let waits_in_vain = self.state == FleetUpdateState::Running && now >= self.plan.deadline_at;
        !self.to_recall.is_empty() || (waits_in_vain && !self.deferred.is_empty())
    }

    /// The turn after the last one of the wave being offered.
    fn wave_end(&self) -> u32 {
        self.plan.waves.iter().take(self.wave as usize + 1).sum()
    }

    /// Moves the next host in the order from the following wave into this one.
    fn widen_wave(&mut self) {
        let waves = &mut self.plan.waves;
        let (this, following) = (self.wave as usize, self.wave as usize + 1);
        if following < waves.len() {
            waves[this] += 1;
            waves[following] -= 1;
            waves.retain(|size| *size > 0);
        }
    }

    /// The lock that it holds while it is active.
    fn lock(&self) -> Lock {
        Lock { name: self.plan.brings.rules().lock(), holder: self.id.to_string() }
    }

    fn is_last_wave(&self) -> bool {
        self.wave as usize + 1 >= self.plan.waves.len()
    }

    /// Whether every host of the opened waves is done.
    fn wave_is_done(&self) -> bool {
        let waited_for = self.plan.offline_policy == OfflinePolicy::Wait && !self.deferred.is_empty();
        self.next_turn >= self.wave_end() && self.requeued.is_empty() && self.slots.is_empty() && !waited_for
    }

    /// When the soak of the finished wave ends; absent while there is none.
    fn soak_ends_at(&self) -> Option<Timestamp> {
        let watched = self.wave_is_done() && !self.is_last_wave();
        self.last_success_at.filter(|_| watched).map(|at| after(at, self.plan.soak_seconds))
    }

    /// Whether only lost hosts are left in flight, and nothing else can be offered.
    fn slots_are_exhausted(&self) -> bool {
        let all_lost = !self.slots.is_empty() && self.lost.len() == self.slots.len();
        let no_turn = self.next_turn >= self.wave_end() && self.requeued.is_empty() && self.deferred.is_empty();
        all_lost && (count(self.slots.len()) >= self.plan.max_in_flight || no_turn)
    }

    fn refused(&self, to: &str) -> Refused {
        Refused::wrong_state(format_args!("a fleet update that is {} cannot {to}", word(self.state)))
    }
}

/// The waves of a fleet of `total` hosts: as requested, cut where the hosts end, and the remaining hosts as the last wave.
pub fn waves(total: u32, asked: &[Share]) -> Vec<u32> {
    let mut left = total;
    let mut waves = Vec::new();
    for share in asked {
        let size = share.of(total).min(left);
        left -= size;
        waves.extend((size > 0).then_some(size));
    }
    waves.extend((left > 0).then_some(left));
    waves
}

/// How many of a fleet of `total` hosts may be in an unproven update at once.
pub fn max_in_flight(total: u32, asked: Share) -> u32 {
    asked.of(total).min(total.max(1)).min(MAX_IN_FLIGHT)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
