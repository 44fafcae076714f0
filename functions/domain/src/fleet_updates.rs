//! Fleet updates: a record advanced by whoever comes by. Every step is small, conditional, and safe to try twice.
//!
//! ```text
//! running ⇄ paused      running | paused ──failures, no slot left──▶ halted ──Resume with a note──▶ running
//! running ──every host done──▶ completed      running | paused | halted ──Cancel──▶ cancelled (absorbing)
//! ```
//! Hosts are known by their position in the plan; positions are offered in order, wave by wave. A slot is held from the
//! offer to the proof, so `slots ≤ max_in_flight` is what bounds hosts in an unproven update; a lost host keeps its slot.

mod admission;
mod judgement;
mod positions;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use muster_schemas::{
    check_ins::AgentReport,
    fleet_updates::{Counts, FleetUpdateState, FleetUpdateView, MaintenanceWindow, OfflinePolicy, Share},
    ids::{FleetUpdateId, HostId, JobId},
    jobs::{JobError, JobState},
    problems::ProblemCode,
    releases::Target,
};
use serde::{Deserialize, Serialize};

pub use self::admission::{Candidate, best_case_seconds};
use crate::{
    fleet_update_hosts, jobs,
    machine::{Change, Effect, Lock, Machine, Note, Refused, Step},
    pacing::after,
    verdicts::Expectation,
};

/// How often one host is offered the release at most.
pub const MAX_ATTEMPTS: u32 = 3;
/// How many hosts may be in an unproven update at once: all of their slots are in one record, and each takes up to 600
/// bytes of the 400 KB that an item may have.
pub const MAX_IN_FLIGHT: u32 = 500;
/// The lock that lets one fleet update of agents be active at a time.
pub const LOCK: &str = "fleet-update:agent";
/// How many hosts one step deals with: what fits into one commit. What is left stays due.
const MAX_AT_ONCE: usize = 40;

/// A fleet update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetUpdate {
    /// Its id.
    pub id: FleetUpdateId,
    /// What was asked for; never changes.
    #[serde(flatten)]
    pub plan: Plan,
    /// Where it is.
    pub state: FleetUpdateState,
    /// The wave being offered, from 0.
    pub wave: u32,
    /// The next position whose turn has never come.
    pub next_position: u32,
    /// Positions whose turn has come again.
    #[serde(with = "positions")]
    pub requeued: BTreeSet<u32>,
    /// Positions that wait for their host to come online.
    #[serde(with = "positions")]
    pub deferred: BTreeSet<u32>,
    /// Hosts in an unproven update. A set keyed by host, never a counter.
    pub slots: BTreeMap<HostId, Slot>,
    /// Positions that failed, with how often each was offered the release.
    pub failed: BTreeMap<u32, u32>,
    /// Failures since it was started or last resumed.
    pub failures: u32,
    /// Hosts that were proven.
    pub succeeded: u32,
    /// Hosts that were left out.
    pub skipped: u32,
    /// Hosts taken back by a cancel after they had been offered the release.
    pub taken_back: u32,
    /// When a host was last proven; a soak counts from here.
    pub last_success_at: Option<Timestamp>,
    /// Why it halted.
    pub halted_reason: Option<String>,
    /// When it was completed or cancelled.
    pub ended_at: Option<Timestamp>,
}

/// What was asked for, resolved at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The release's version.
    pub version: String,
    /// SHA-256 of its signed payload.
    pub manifest_sha256: String,
    /// Its files.
    pub targets: Vec<Target>,
    /// The waves' sizes, in hosts.
    pub waves: Vec<u32>,
    /// How many hosts may be in an unproven update at once.
    pub max_in_flight: u32,
    /// How many failures halt it.
    pub max_failures: u32,
    /// How long a finished wave is watched, in seconds.
    pub soak_seconds: u32,
    /// How long one host may take, in seconds.
    pub host_time_limit_seconds: u32,
    /// What to do about offline hosts.
    pub offline_policy: OfflinePolicy,
    /// When hosts may be offered the release.
    pub maintenance_window: Option<MaintenanceWindow>,
    /// When offline hosts are waited for no more.
    pub deadline_at: Timestamp,
    /// Why, for people.
    pub note: String,
    /// Who started it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A host in an unproven update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its position.
    pub position: u32,
    /// How often it was offered the release, this time included.
    pub attempts: u32,
    /// Where it is.
    pub phase: Phase,
    /// When it was offered the release.
    pub offered_at: Timestamp,
    /// Whether its job was recalled.
    #[serde(default)]
    pub recalled: bool,
    /// When it is lost.
    pub deadline_at: Timestamp,
    /// What it must show.
    pub expected: Expectation,
}

impl Slot {
    fn is_to_be_recalled(&self) -> bool {
        self.phase == Phase::Offered && !self.recalled
    }
}

/// Where a host in an unproven update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Offered; nothing was seen of the release yet.
    Offered,
    /// The release runs, unproven.
    Verifying,
    /// Not heard from in time.
    Lost,
}

/// What can happen to a fleet update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// An admin starts it.
    Start(Box<Plan>, FleetUpdateId),
    /// The turn of a position may have come.
    Admit {
        /// The position.
        position: u32,
        /// Its host, as it is now.
        candidate: Box<Candidate>,
        /// The id its job will have.
        job_id: JobId,
    },
    /// A host said what runs on it.
    Seen {
        /// The host.
        host_id: HostId,
        /// What runs.
        agent: AgentReport,
        /// When it said so.
        at: Timestamp,
    },
    /// The job of a host is final.
    JobEnded {
        /// The host.
        host_id: HostId,
        /// The job.
        job_id: JobId,
        /// Where it ended.
        state: JobState,
        /// Why it did not succeed.
        error: Option<JobError>,
    },
    /// Offer the release to no further host.
    Pause,
    /// Go on; after a halt with a note that says why.
    Resume(String),
    /// End it.
    Cancel(String),
    /// Give the failed hosts another turn.
    RetryFailed(String),
    /// Give up the slot of a lost host.
    WriteOff(HostId),
    /// Time has passed.
    Tick,
}

impl Machine for FleetUpdate {
    type Event = Event;

    fn begin(event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Start(plan, id) => Ok(Self::started(*id, plan)),
            Event::Admit { .. }
            | Event::Seen { .. }
            | Event::JobEnded { .. }
            | Event::Pause
            | Event::Resume(_)
            | Event::Cancel(_)
            | Event::RetryFailed(_)
            | Event::WriteOff(_)
            | Event::Tick => Err(Refused::not_found("fleet update")),
        }
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        use FleetUpdateState::{Cancelled, Completed, Halted, Paused, Running};
        let mut draft = Draft::of(self, now);
        match (self.state, event) {
            (_, Event::Start(..)) => return Err(Refused::new(ProblemCode::AlreadyExists, "it was started already")),
            (Running, Event::Admit { position, candidate, job_id }) => draft.admit(*position, candidate, *job_id)?,
            (_, Event::Admit { .. }) => return Err(self.refused("offer anything")),
            (_, Event::Seen { host_id, agent, at }) => draft.seen(*host_id, agent, *at),
            (_, Event::JobEnded { host_id, job_id, state, error }) => {
                draft.job_ended(*host_id, *job_id, *state, error.as_ref());
            }
            (Running, Event::Pause) => draft.pause(),
            (Paused, Event::Resume(note)) => draft.resume(note),
            (Halted, Event::Resume(note)) => draft.resume_after_halt(note)?,
            (Running | Paused | Halted, Event::Cancel(note)) => draft.cancel(note),
            (Running | Paused | Halted, Event::RetryFailed(note)) => draft.retry_failed(note)?,
            (Completed | Cancelled, Event::RetryFailed(_)) => return Err(self.refused("retry hosts")),
            (_, Event::WriteOff(host_id)) => draft.write_off(*host_id)?,
            (_, Event::Tick) => {
                draft.overdue();
                if self.state != Running {
                    draft.recall();
                }
            }
            // Said twice is said once.
            (Paused, Event::Pause) | (Cancelled, Event::Cancel(_)) | (Running, Event::Resume(_)) => {}
            (_, Event::Pause) => return Err(self.refused("pause")),
            (_, Event::Resume(_)) => return Err(self.refused("resume")),
            (Completed, Event::Cancel(_)) => return Err(self.refused("cancel")),
        }
        draft.settle();
        draft.offer_next();
        Ok(Step { next: draft.next, effects: draft.effects })
    }

    fn due_at(&self) -> Option<Timestamp> {
        let deadlines = self.slots.values().filter(|slot| slot.phase != Phase::Lost).map(|slot| slot.deadline_at);
        let turns =
            (self.state == FleetUpdateState::Running).then(|| self.soak_ends_at().unwrap_or(self.plan.created_at));
        let to_recall = self.state != FleetUpdateState::Running && self.slots.values().any(Slot::is_to_be_recalled);
        deadlines.chain(turns).chain(to_recall.then_some(self.plan.created_at)).min()
    }
}

impl FleetUpdate {
    /// How many hosts take part.
    pub fn total(&self) -> u32 {
        self.plan.waves.iter().sum()
    }

    /// How many hosts are where.
    pub fn counts(&self) -> Counts {
        let (total, in_flight) = (self.total(), count(self.slots.len()));
        let (succeeded, failed) = (self.succeeded, count(self.failed.len()));
        let left = total.saturating_sub(in_flight + succeeded + failed + self.skipped + self.taken_back);
        let (pending, skipped, cancelled) = match self.state {
            FleetUpdateState::Cancelled => (0, self.skipped, self.taken_back + left),
            FleetUpdateState::Completed => (0, self.skipped + left, self.taken_back),
            FleetUpdateState::Running | FleetUpdateState::Paused | FleetUpdateState::Halted => {
                (left, self.skipped, self.taken_back)
            }
        };
        Counts { total, pending, in_flight, succeeded, failed, skipped, cancelled }
    }

    /// The fleet update as operators see it.
    pub fn view(&self, now: Timestamp, revision: u64) -> FleetUpdateView {
        let plan = self.plan.clone();
        FleetUpdateView {
            id: self.id,
            version: plan.version,
            manifest_sha256: plan.manifest_sha256,
            state: self.state,
            waiting_on: self.waiting_on(now),
            halted_reason: self.halted_reason.clone(),
            wave: self.wave,
            waves: plan.waves,
            max_in_flight: plan.max_in_flight,
            max_failures: plan.max_failures,
            failures: self.failures,
            soak_seconds: plan.soak_seconds,
            in_flight: self.slots.keys().copied().collect(),
            counts: self.counts(),
            note: plan.note,
            created_by: plan.created_by,
            created_at: plan.created_at,
            ended_at: self.ended_at,
            revision,
        }
    }

    /// The position after the last one of the wave being offered.
    fn wave_end(&self) -> u32 {
        self.plan.waves.iter().take(self.wave as usize + 1).sum()
    }

    fn is_last_wave(&self) -> bool {
        self.wave as usize + 1 >= self.plan.waves.len()
    }

    /// Whether every host of the waves opened so far is done with.
    fn wave_is_done(&self) -> bool {
        let waited_for = self.plan.offline_policy == OfflinePolicy::Wait && !self.deferred.is_empty();
        self.next_position >= self.wave_end() && self.requeued.is_empty() && self.slots.is_empty() && !waited_for
    }

    /// When the finished wave was watched long enough; absent while there is nothing to watch.
    fn soak_ends_at(&self) -> Option<Timestamp> {
        let watched = self.wave_is_done() && !self.is_last_wave();
        self.last_success_at.filter(|_| watched).map(|at| after(at, self.plan.soak_seconds))
    }

    fn refused(&self, to: &str) -> Refused {
        Refused::wrong_state(format_args!("a fleet update that is {} cannot {to}", jobs::word(self.state)))
    }

    fn started(id: FleetUpdateId, plan: &Plan) -> Step<Self> {
        let state = Self {
            id,
            plan: plan.clone(),
            state: FleetUpdateState::Running,
            wave: 0,
            next_position: 0,
            requeued: BTreeSet::new(),
            deferred: BTreeSet::new(),
            slots: BTreeMap::new(),
            failed: BTreeMap::new(),
            failures: 0,
            succeeded: 0,
            skipped: 0,
            taken_back: 0,
            last_success_at: None,
            halted_reason: None,
            ended_at: None,
        };
        let detail = format!("{} hosts to {}", state.total(), plan.version);
        Step::to(state)
            .and(Effect::Lock(Lock { name: LOCK, holder: id.to_string() }))
            .and(Note::new("fleet_update.started", id, detail))
            .and(Effect::Offer(id))
    }
}

/// Waves of a fleet of `total` hosts: as asked, cut where the hosts end, and what is left over as the last.
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

/// A step being made: the next state, changed in place, and its effects.
struct Draft {
    next: FleetUpdate,
    effects: Vec<Effect>,
    latest_failure: Option<String>,
    now: Timestamp,
}

impl Draft {
    fn of(fleet_update: &FleetUpdate, now: Timestamp) -> Self {
        Self { next: fleet_update.clone(), effects: Vec::new(), latest_failure: None, now }
    }

    /// What follows by itself after every event: halt, completion, the next wave.
    fn settle(&mut self) {
        use FleetUpdateState::{Completed, Paused, Running};
        let next = &self.next;
        if matches!(next.state, Running | Paused) && next.failures >= next.plan.max_failures {
            let (failures, limit) = (next.failures, next.plan.max_failures);
            let latest = self.latest_failure.as_deref().unwrap_or("see the failed hosts");
            return self.halt(&format!("{failures} of at most {limit} failures: {latest}"));
        }
        if next.state != Running {
            return;
        }
        if self.slots_are_exhausted() {
            let lost = self.next.slots.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return self.halt(&format!("slots_exhausted: no word from {lost}"));
        }
        while self.next.wave_is_done()
            && !self.next.is_last_wave()
            && self.next.soak_ends_at().is_none_or(|end| self.now >= end)
        {
            self.next.wave += 1;
        }
        if self.next.wave_is_done() && self.next.is_last_wave() {
            self.next.state = Completed;
            self.end("fleet_update.completed", String::new());
        }
    }

    fn offer_next(&mut self) {
        let next = &self.next;
        if !next.turns(self.now).is_empty() || !next.deferred(self.now).is_empty() {
            self.effects.push(Effect::Offer(next.id));
        }
    }

    /// Nothing but lost hosts is left to hope for.
    fn slots_are_exhausted(&self) -> bool {
        let next = &self.next;
        let all_lost = !next.slots.is_empty() && next.slots.values().all(|slot| slot.phase == Phase::Lost);
        let no_turn = next.next_position >= next.wave_end() && next.requeued.is_empty() && next.deferred.is_empty();
        all_lost && (count(next.slots.len()) >= next.plan.max_in_flight || no_turn)
    }

    fn halt(&mut self, reason: &str) {
        self.next.state = FleetUpdateState::Halted;
        self.next.halted_reason = Some(reason.into());
        self.effects.push(Note::alert("fleet_update.halted", self.next.id, reason).into());
        self.recall();
    }

    fn pause(&mut self) {
        self.next.state = FleetUpdateState::Paused;
        self.effects.push(Note::new("fleet_update.paused", self.next.id, String::new()).into());
        self.recall();
    }

    fn resume(&mut self, note: &str) {
        self.next.state = FleetUpdateState::Running;
        self.next.failures = 0;
        self.next.halted_reason = None;
        self.effects.push(Note::new("fleet_update.resumed", self.next.id, note).into());
    }

    fn resume_after_halt(&mut self, note: &str) -> Result<(), Refused> {
        if note.trim().is_empty() {
            return Err(Refused(Box::new(muster_schemas::problems::Problem::invalid(
                "note",
                "must say why it may go on after a halt",
            ))));
        }
        if self.slots_are_exhausted() {
            return Err(Refused::wrong_state("its slots are held by lost hosts; write them off first"));
        }
        self.resume(note);
        Ok(())
    }

    fn cancel(&mut self, note: &str) {
        self.next.state = FleetUpdateState::Cancelled;
        self.end("fleet_update.cancelled", note.into());
        self.recall();
    }

    fn end(&mut self, action: &'static str, detail: String) {
        self.next.ended_at = Some(self.now);
        self.effects.push(Effect::Unlock(Lock { name: LOCK, holder: self.next.id.to_string() }));
        self.effects.push(Note::new(action, self.next.id, detail).into());
    }

    /// Takes back what was offered and is not accepted. Hosts already updating finish and are recorded.
    fn recall(&mut self) {
        for slot in self.next.slots.values_mut().filter(|slot| slot.is_to_be_recalled()).take(MAX_AT_ONCE) {
            slot.recalled = true;
            self.effects.push(Effect::Later(Change::Job(slot.expected.job_id, jobs::Event::Recall)));
        }
    }

    fn retry_failed(&mut self, note: &str) -> Result<(), Refused> {
        let again = |(position, attempts): (&u32, &u32)| (*attempts < MAX_ATTEMPTS).then_some(*position);
        let positions = self.next.failed.iter().filter_map(again).take(MAX_AT_ONCE).collect::<Vec<_>>();
        if positions.is_empty() {
            return Err(Refused::wrong_state("no failed host has an attempt left"));
        }
        // One that halted goes on by this, under the same conditions as by a resume.
        if self.next.state == FleetUpdateState::Halted {
            self.resume_after_halt(note)?;
        }
        for position in &positions {
            self.next.failed.remove(position);
            self.requeue(*position, None);
        }
        let detail = format!("{} hosts: {note}", positions.len());
        self.effects.push(Note::new("fleet_update.failed_hosts_again", self.next.id, detail).into());
        Ok(())
    }

    fn host(&mut self, position: u32, event: fleet_update_hosts::Event) {
        self.effects.push(Effect::Also(Change::FleetUpdateHost(self.next.id, position, event)));
    }

    fn requeue(&mut self, position: u32, reason: Option<String>) {
        self.next.requeued.insert(position);
        self.host(position, fleet_update_hosts::Event::Requeue { reason });
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
