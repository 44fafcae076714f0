//! Admission: a host's turn. It gets a slot and a job in one commit, or is left out with a reason.

use jiff::Timestamp;
use muster_schemas::{
    check_ins::AgentReport,
    fleet_updates::{FleetUpdateHostState, FleetUpdateState, OfflinePolicy},
    hosts::HostState,
    ids::{HostId, JobId},
    jobs::{JobSpec, SelfUpdateSpec},
};
use serde::{Deserialize, Serialize};

use super::{
    Draft, FleetUpdate, count,
    hosts::{Event as HostEvent, MAX_ATTEMPTS, Place, Slot},
};
use crate::{
    changes::{Change, Effect},
    jobs::{Asked, NewJob, Origin},
    mailboxes,
    refused::Refused,
    times::after,
    verdicts::Expectation,
    windows,
    words::word,
};

/// How many hosts may be waited for at once; more wait for their turn.
const MAX_DEFERRED: usize = 2_000;

/// A host whose turn may have come, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The host.
    pub host_id: HostId,
    /// Whether it is served. Absent: there is no such host any more.
    pub state: Option<HostState>,
    /// Whether it was heard from lately.
    pub online: bool,
    /// Whether an update of its agent is open that is not this fleet update's.
    pub update_open: bool,
    /// Whether its mailbox takes another job.
    pub has_room: bool,
    /// Why the release was taken back, if it was.
    pub yanked: Option<String>,
    /// What runs on it.
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

impl FleetUpdate {
    /// Positions whose turn it may be, at most as many as there are free slots; those that wait for their host to come
    /// online are `deferred`, after the others.
    pub fn turns(&self, now: Timestamp) -> Vec<u32> {
        if self.may_offer(now).is_err() {
            return Vec::new();
        }
        let fresh = (self.next_turn..self.wave_end()).map(|turn| self.position_of(turn));
        self.requeued.iter().copied().chain(fresh).take(self.free_slots()).collect()
    }

    /// Positions that wait for their host to come online, if one could be offered the release now.
    pub fn deferred(&self, now: Timestamp) -> Vec<u32> {
        if self.may_offer(now).is_err() { Vec::new() } else { self.deferred.iter().copied().collect() }
    }

    fn free_slots(&self) -> usize {
        (self.plan.max_in_flight as usize).saturating_sub(self.slots.len())
    }

    /// Whether anything may be offered at all, or why not.
    pub(super) fn may_offer(&self, now: Timestamp) -> Result<(), String> {
        let window = self.plan.maintenance_window.as_ref().and_then(|window| windows::opens_at(window, now));
        if self.state != FleetUpdateState::Running {
            Err(format!("it is {}", word(self.state)))
        } else if self.failures >= self.plan.max_failures {
            Err(format!("{} of at most {} failures", self.failures, self.plan.max_failures))
        } else if let Some(opens_at) = window {
            Err(format!("outside maintenance window until {opens_at}"))
        } else if self.free_slots() == 0 {
            Err(format!("max_in_flight {} of {}", self.slots.len(), self.plan.max_in_flight))
        } else {
            Ok(())
        }
    }
}

/// What is done about a host whose turn has come.
enum Turn {
    Offer(Expectation),
    LeaveOut(String),
    Offline,
}

impl Draft {
    pub(super) fn admit(&mut self, position: u32, candidate: &Candidate, job_id: JobId) -> Result<(), Refused> {
        self.next.may_offer(self.now).map_err(Refused::wrong_state)?;
        let next = self.next.next_turn;
        let fresh = next < self.next.wave_end() && position == self.next.position_of(next);
        let again = self.next.requeued.contains(&position) || self.next.deferred.contains(&position);
        if !fresh && !again {
            return Err(Refused::wrong_state(format_args!("it is not the turn of position {position}")));
        }
        if let Some(reason) = &candidate.yanked {
            self.halt(&format!("the release was yanked: {reason}"));
            return Ok(());
        }
        match self.turn(candidate, job_id) {
            Turn::Offer(expected) => {
                self.take_turn(position);
                self.offer(position, candidate, expected);
            }
            Turn::LeaveOut(reason) => {
                self.take_turn(position);
                self.leave_out(position, reason);
            }
            Turn::Offline => self.offline(position, candidate.host_id),
        }
        Ok(())
    }

    fn turn(&self, candidate: &Candidate, job_id: JobId) -> Turn {
        let plan = &self.next.plan;
        let (Some(agent), Some(sha256)) = (&candidate.agent, &candidate.executable_sha256) else {
            return Turn::LeaveOut(match candidate.agent {
                None if candidate.state.is_some() => "its agent has never started".into(),
                None => "deleted".into(),
                Some(_) => format!("no file for {}-{}", candidate.os, candidate.architecture),
            });
        };
        match candidate.state {
            None => return Turn::LeaveOut("deleted".into()),
            Some(HostState::Retired) => return Turn::LeaveOut("retired".into()),
            Some(HostState::Quarantined) => return Turn::LeaveOut("quarantined".into()),
            Some(HostState::Active) => {}
        }
        if agent.version == plan.version && agent.executable_sha256 == *sha256 && agent.committed {
            Turn::LeaveOut(format!("runs {} already", plan.version))
        } else if candidate.update_open {
            Turn::LeaveOut("another update of its agent is open".into())
        } else if !candidate.has_room {
            Turn::LeaveOut("too many of its jobs are open".into())
        } else if candidate.attempts >= MAX_ATTEMPTS {
            Turn::LeaveOut(format!("was offered the release {MAX_ATTEMPTS} times"))
        } else if !candidate.online {
            Turn::Offline
        } else {
            Turn::Offer(Expectation {
                version: plan.version.clone(),
                executable_sha256: sha256.clone(),
                job_id,
                version_before: agent.version.clone(),
                process_before: Some(agent.process_id),
                processes: Vec::new(),
            })
        }
    }

    fn take_turn(&mut self, position: u32) {
        if !self.next.requeued.remove(&position) && !self.next.deferred.remove(&position) {
            self.next.next_turn += 1;
        }
    }

    fn offer(&mut self, position: u32, candidate: &Candidate, expected: Expectation) {
        let job_id = expected.job_id;
        let plan = &self.next.plan;
        let deadline_at = after(self.now, plan.host_time_limit_seconds);
        let spec = SelfUpdateSpec { version: plan.version.clone(), manifest_sha256: plan.manifest_sha256.clone() };
        let spec = JobSpec::SelfUpdate(spec);
        let asked = Asked {
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
        self.host(position, HostEvent::Conclude { state: FleetUpdateHostState::Skipped, reason: Some(reason) });
    }

    /// A host is offline when its turn has come, or was when its job ran out.
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
