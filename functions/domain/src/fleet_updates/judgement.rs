//! Judgement: what is heard of a host decides about its slot, and time decides about hosts that are not heard of.

use jiff::Timestamp;
use muster_schemas::{
    check_ins::AgentReport,
    fleet_updates::{FleetUpdateHostState, FleetUpdateState},
    ids::{HostId, JobId},
    jobs::{JobError, JobState},
};

use super::{Draft, MAX_AT_ONCE, MAX_ATTEMPTS, Phase, Slot};
use crate::{
    fleet_update_hosts::Event as HostEvent,
    machine::{Change, Effect, Note, Refused},
    mailboxes,
    verdicts::Verdict,
};

impl Draft {
    pub(super) fn seen(&mut self, host_id: HostId, agent: &AgentReport, at: Timestamp) {
        // A report that was made before the offer, and comes late, says nothing about it.
        let Some(slot) = self.next.slots.get_mut(&host_id).filter(|slot| at >= slot.offered_at) else { return };
        slot.expected = slot.expected.saw(agent, at);
        match slot.expected.judge(agent, self.now) {
            Verdict::Unproven => self.unproven(host_id, agent),
            Verdict::Verifying => self.verifying(host_id),
            Verdict::Succeeded => self.succeeded(host_id),
            Verdict::Failed(reason) => self.failed(host_id, &reason),
            Verdict::Inconclusive(reason) => self.inconclusive(host_id, &reason),
            Verdict::WrongBytes(reason) => {
                let quarantine = mailboxes::Event::Quarantine(reason.clone());
                self.effects.push(Effect::Also(Change::Mailbox(host_id, quarantine)));
                self.failed(host_id, &reason);
            }
        }
    }

    pub(super) fn job_ended(&mut self, host_id: HostId, job_id: JobId, state: JobState, error: Option<&JobError>) {
        let Some(slot) = self.next.slots.get(&host_id).filter(|slot| slot.expected.job_id == job_id) else { return };
        let position = slot.position;
        let why = error.map_or_else(String::new, |error| format!("{}: {}", error.code, error.message));
        match state {
            JobState::Failed if error.is_some_and(|error| error.code == "inconclusive") => {
                self.inconclusive(host_id, &why);
            }
            JobState::Failed | JobState::Rejected | JobState::Interrupted => self.failed(host_id, &why),
            JobState::Superseded => self.failed(host_id, "superseded by another update"),
            JobState::Cancelled => self.taken_back(host_id),
            JobState::Expired => {
                self.next.slots.remove(&host_id);
                self.requeue(position, None);
                self.offline(position, host_id);
            }
            // The host's word is not the proof of a success: its next report is.
            JobState::Succeeded
            | JobState::Queued
            | JobState::Offered
            | JobState::Accepted
            | JobState::Running
            | JobState::PresumedLost => {}
        }
    }

    pub(super) fn overdue(&mut self) {
        let is_overdue = |slot: &Slot| slot.phase != Phase::Lost && self.now >= slot.deadline_at;
        let overdue = self.next.slots.iter().filter(|(_, slot)| is_overdue(slot));
        let hosts = overdue.map(|(host_id, slot)| (*host_id, slot.position)).take(MAX_AT_ONCE).collect::<Vec<_>>();
        for (host_id, position) in hosts {
            if let Some(slot) = self.next.slots.get_mut(&host_id) {
                slot.phase = Phase::Lost;
            }
            self.host(position, HostEvent::Lose);
        }
        if self.now >= self.next.plan.deadline_at && self.next.state == FleetUpdateState::Running {
            let waited_for = self.next.deferred.iter().copied().take(MAX_AT_ONCE).collect::<Vec<_>>();
            for position in waited_for {
                self.next.deferred.remove(&position);
                self.leave_out(position, "offline".into());
            }
        }
    }

    /// Past its deadline a host that comes back in a new process of the old version, without a word about the update, has
    /// not tried it.
    fn unproven(&mut self, host_id: HostId, agent: &AgentReport) {
        let without_it = |slot: &Slot| slot.phase == Phase::Lost && slot.expected.is_back_without_it(agent);
        if self.next.slots.get(&host_id).is_some_and(without_it) {
            self.failed(host_id, "no_attempt: it came back without a record of the update");
        }
    }

    pub(super) fn write_off(&mut self, host_id: HostId) -> Result<(), Refused> {
        let lost = self.next.slots.get(&host_id).is_some_and(|slot| slot.phase == Phase::Lost);
        if !lost {
            return Err(Refused::wrong_state(format_args!("{host_id} is not lost in this fleet update")));
        }
        self.effects.push(Note::new("fleet_update.host_written_off", self.next.id, host_id.to_string()).into());
        // The operator has looked: it is recorded as failed, and does not count toward a halt.
        if let Some(slot) = self.conclude(host_id, FleetUpdateHostState::Failed, Some("lost, written off".into())) {
            self.next.failed.insert(slot.position, slot.attempts);
        }
        Ok(())
    }

    fn verifying(&mut self, host_id: HostId) {
        let Some(slot) = self.next.slots.get_mut(&host_id).filter(|slot| slot.phase != Phase::Verifying) else {
            return;
        };
        slot.phase = Phase::Verifying;
        let position = slot.position;
        self.host(position, HostEvent::Verify);
    }

    fn succeeded(&mut self, host_id: HostId) {
        if self.conclude(host_id, FleetUpdateHostState::Succeeded, None).is_some() {
            self.next.succeeded += 1;
            self.next.last_success_at = Some(self.now);
        }
    }

    fn failed(&mut self, host_id: HostId, reason: &str) {
        self.latest_failure = Some(format!("{host_id}: {reason}"));
        if let Some(slot) = self.conclude(host_id, FleetUpdateHostState::Failed, Some(reason.into())) {
            self.next.failed.insert(slot.position, slot.attempts);
            self.next.failures += 1;
        }
    }

    fn inconclusive(&mut self, host_id: HostId, reason: &str) {
        if self.next.slots.get(&host_id).is_some_and(|slot| slot.attempts >= MAX_ATTEMPTS) {
            return self.failed(host_id, &format!("inconclusive {MAX_ATTEMPTS} times: {reason}"));
        }
        if let Some(slot) = self.next.slots.remove(&host_id) {
            self.requeue(slot.position, Some(format!("inconclusive: {reason}")));
        }
    }

    /// Its job was recalled before the host had accepted it.
    fn taken_back(&mut self, host_id: HostId) {
        if self.next.state == FleetUpdateState::Cancelled {
            if self.conclude(host_id, FleetUpdateHostState::Cancelled, None).is_some() {
                self.next.taken_back += 1;
            }
        } else if let Some(slot) = self.next.slots.remove(&host_id) {
            self.requeue(slot.position, Some("taken back".into()));
        }
    }

    fn conclude(&mut self, host_id: HostId, state: FleetUpdateHostState, reason: Option<String>) -> Option<Slot> {
        let slot = self.next.slots.remove(&host_id)?;
        self.host(slot.position, HostEvent::Conclude { state, reason });
        Some(slot)
    }
}
