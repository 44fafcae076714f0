//! Admission control: the turn of a host. It gets a slot and a job in one commit, or is skipped with a reason.

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::{FleetUpdateHostState, FleetUpdateState, OfflinePolicy},
    hosts::HostState,
    ids::{HostId, JobId},
    jobs::{HOST, JobSpec},
    reports::AgentReport,
};
use serde::{Deserialize, Serialize};

use super::{
    FleetUpdate,
    brings::{Brings, Exclusion, Expected, Turn},
    count,
    hosts::{Event as HostEvent, MAX_ATTEMPTS, Place, Slot},
    transition::Transition,
};
use crate::{
    changes::{Change, Effect},
    hosts::Host,
    jobs::{JobOrder, NewJob, Origin},
    mailboxes::{self, Mailbox},
    refused::Refused,
    releases::Release,
    times::after,
    windows,
    words::word,
};

/// The most offline hosts that are waited for at once; more of them are skipped.
const MAX_DEFERRED: usize = 2_000;

/// A host that may have its turn, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The host.
    pub host_id: HostId,
    /// Its state. Absent: the host does not exist any more.
    pub state: Option<HostState>,
    /// Whether it is online.
    pub online: bool,
    /// Job kinds that its policy allows.
    pub capabilities: Vec<String>,
    /// Whether another job on the same resource is open.
    pub update_open: bool,
    /// Whether its mailbox takes another job.
    pub has_room: bool,
    /// Why the release was yanked. Absent: it was not.
    pub yanked: Option<String>,
    /// Its agent.
    pub agent: Option<AgentReport>,
    /// Its operating system.
    pub os: String,
    /// Its architecture.
    pub architecture: String,
    /// The digest of the release's executable for it. Absent: there is none.
    pub executable_sha256: Option<String>,
    /// How often it was offered this release.
    pub attempts: u32,
}

impl Candidate {
    /// A candidate from a host and the release for it, before the first attempt.
    pub fn new(host: &Host, mailbox: &Mailbox, online: bool, resource: &str, release: &Release) -> Self {
        let facts = &host.facts;
        Self {
            host_id: host.id,
            state: Some(mailbox.state),
            online,
            capabilities: facts.capabilities.clone(),
            update_open: mailbox.open_on(resource).or_else(|| mailbox.open_on(HOST)).is_some(),
            has_room: mailbox.has_room(),
            yanked: release.yanked.clone(),
            agent: host.agent.clone(),
            os: facts.os.clone(),
            architecture: facts.architecture.clone(),
            executable_sha256: release.target(&facts.os, &facts.architecture).map(|target| target.sha256.clone()),
            attempts: 0,
        }
    }

    /// The candidate for a host that does not exist any more.
    pub fn deleted(host_id: HostId) -> Self {
        Self {
            host_id,
            state: None,
            online: false,
            capabilities: Vec::new(),
            update_open: false,
            has_room: false,
            yanked: None,
            agent: None,
            os: String::new(),
            architecture: String::new(),
            executable_sha256: None,
            attempts: 0,
        }
    }
}

impl FleetUpdate {
    /// The positions that may have their turn now, at most as many as there are free slots. Positions that wait for their host
    /// to come online are in `deferred`, and come after these.
    pub fn turns(&self, now: Timestamp) -> Vec<u32> {
        if self.may_offer(now).is_err() {
            return Vec::new();
        }
        let fresh = (self.next_turn..self.wave_end()).map(|turn| self.position_of(turn));
        self.requeued.iter().copied().chain(fresh).take(self.free_slots()).collect()
    }

    /// Positions that wait for their host to come online, if anything may be offered now.
    pub fn deferred(&self, now: Timestamp) -> Vec<u32> {
        if self.may_offer(now).is_err() { Vec::new() } else { self.deferred.iter().copied().collect() }
    }

    fn free_slots(&self) -> usize {
        (self.plan.max_in_flight as usize).saturating_sub(self.slots.len())
    }

    /// Whether anything may be offered at all, or what must happen first, as in `waiting_on`.
    pub(super) fn may_offer(&self, now: Timestamp) -> Result<(), String> {
        let window = self.plan.maintenance_window.as_ref().and_then(|window| windows::opens_at(window, now));
        if self.state != FleetUpdateState::Running {
            Err(format!("the fleet update, which is {}", word(self.state)))
        } else if self.failures >= self.plan.max_failures {
            Err(format!("an operator: failure limit reached ({} of {})", self.failures, self.plan.max_failures))
        } else if let Some(opens_at) = window {
            Err(format!("the maintenance window to open at {opens_at}"))
        } else if self.free_slots() == 0 {
            Err(format!("a free slot ({} of {} in use)", self.slots.len(), self.plan.max_in_flight))
        } else {
            Ok(())
        }
    }
}

/// Decides about a host whose turn has come. The only place that decides whether a host needs the change and can have it: the
/// dry run, the page of a host, the update of a single host and the order of the turns use it, too.
pub fn turn(brings: &Brings, candidate: &Candidate, job_id: JobId) -> Turn {
    let (rules, job) = (brings.rules(), brings.rules().job());
    let asked = rules.turn(candidate, job_id);
    match (&asked, candidate.state) {
        (Turn::Halt(_), _) => asked,
        (_, None) => Turn::LeaveOut(Exclusion::Deleted),
        (_, Some(HostState::Retired)) => Turn::LeaveOut(Exclusion::Retired),
        (Turn::LeaveOut(_), _) => asked,
        (Turn::Offer(_) | Turn::WaitFor, Some(HostState::Active | HostState::Quarantined)) => {
            match hindrance(candidate, &job) {
                Some(exclusion) => Turn::LeaveOut(exclusion),
                None if !candidate.online => Turn::WaitFor,
                None => asked,
            }
        }
    }
}

/// The reason why a host that needs the change cannot get it, if there is one.
fn hindrance(candidate: &Candidate, job: &JobSpec) -> Option<Exclusion> {
    let kind = job.kind();
    if !candidate.capabilities.iter().any(|able| able == kind) {
        Some(Exclusion::NotAllowed(kind))
    } else if candidate.state == Some(HostState::Quarantined) {
        Some(Exclusion::Quarantined)
    } else if candidate.update_open {
        Some(Exclusion::Busy(job.rules().resource().unwrap_or_default()))
    } else if !candidate.has_room {
        Some(Exclusion::NoRoom)
    } else {
        (candidate.attempts >= MAX_ATTEMPTS).then_some(Exclusion::NoAttemptLeft(MAX_ATTEMPTS))
    }
}

impl Transition {
    pub(super) fn admit(&mut self, position: u32, candidate: &Candidate, job_id: JobId) -> Result<(), Refused> {
        self.next.may_offer(self.now).map_err(Refused::wrong_state)?;
        let next = self.next.next_turn;
        let fresh = next < self.next.wave_end() && position == self.next.position_of(next);
        let again = self.next.requeued.contains(&position) || self.next.deferred.contains(&position);
        if !fresh && !again {
            return Err(Refused::wrong_state(format_args!("it is not the turn of position {position}")));
        }
        match turn(&self.next.plan.brings, candidate, job_id) {
            Turn::Offer(expected) => {
                self.take_turn(position);
                self.offer(position, candidate, expected);
            }
            Turn::LeaveOut(exclusion) => {
                self.take_turn(position);
                self.leave_out(position, exclusion.to_string());
            }
            Turn::WaitFor => self.offline(position, candidate.host_id),
            Turn::Halt(reason) => self.halt(&reason),
        }
        Ok(())
    }

    fn take_turn(&mut self, position: u32) {
        if !self.next.requeued.remove(&position) && !self.next.deferred.remove(&position) {
            self.next.next_turn += 1;
        }
    }

    fn offer(&mut self, position: u32, candidate: &Candidate, expected: Expected) {
        let job_id = expected.rules().job_id();
        let plan = &self.next.plan;
        let deadline_at = after(self.now, plan.host_time_limit_seconds);
        let spec = plan.brings.rules().job();
        let asked = JobOrder {
            resource: spec.rules().resource(),
            spec,
            origin: Origin::FleetUpdate(Place { fleet_update_id: self.next.id, position }),
            caller_name: String::new(),
            start_by: deadline_at,
            time_limit_seconds: plan.host_time_limit_seconds,
        };
        self.next.slots.insert(position);
        self.host(position, HostEvent::Offer(Box::new(Slot { deadline_at, expected })));
        let job = NewJob { id: job_id, asked };
        self.effects.push(Effect::Also(Change::Mailbox(candidate.host_id, mailboxes::Event::Enqueue(Box::new(job)))));
    }

    pub(super) fn leave_out(&mut self, position: u32, reason: String) {
        self.next.skipped += 1;
        // A canary that was never offered it tells nothing: another host takes its place.
        if self.next.wave == 0 && self.next.wave_of(self.next.turn_of(position)) == 0 {
            self.next.widen_wave();
        }
        self.host(position, HostEvent::Conclude { state: FleetUpdateHostState::Skipped, reason: Some(reason) });
    }

    /// A host is offline at its turn, or was when its job expired.
    pub(super) fn offline(&mut self, position: u32, host_id: HostId) {
        if self.next.deferred.contains(&position) {
            return;
        }
        let in_time = self.now < self.next.plan.deadline_at && self.next.deferred.len() < MAX_DEFERRED;
        self.take_turn(position);
        match self.next.plan.offline_policy {
            OfflinePolicy::Wait | OfflinePolicy::CatchUp if in_time => {
                self.next.deferred.insert(position);
            }
            OfflinePolicy::Skip | OfflinePolicy::Wait | OfflinePolicy::CatchUp => {
                self.leave_out(position, "offline".into());
            }
            OfflinePolicy::Fail => {
                self.fails(position, format!("{host_id}: offline"), true);
                let (state, reason) = (FleetUpdateHostState::Failed, Some("offline".into()));
                self.host(position, HostEvent::Conclude { state, reason });
            }
        }
    }
}

/// How long a fleet update takes at best, in seconds: the probation of each host in its turn, and the soak between waves.
pub fn best_case_seconds(waves: &[u32], max_in_flight: u32, probation_seconds: u32, soak_seconds: u32) -> u64 {
    let rounds = waves.iter().map(|size| u64::from(size.div_ceil(max_in_flight.max(1)))).sum::<u64>();
    let soaks = count(waves.len()).saturating_sub(1);
    rounds * u64::from(probation_seconds) + u64::from(soaks) * u64::from(soak_seconds)
}
