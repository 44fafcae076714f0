//! Views of a fleet update: its counts and its details for operators.

use jiff::Timestamp;
use muster_schemas::{
    access::Role,
    fleet_updates::{Counts, FleetUpdateState, FleetUpdateView},
    ids::HostId,
};

use super::{Brings, FleetUpdate, brings, count};
use crate::access::actions;

impl FleetUpdate {
    /// Hosts by state.
    pub fn counts(&self) -> Counts {
        let (total, in_flight) = (self.total(), count(self.slots.len()));
        let (succeeded, failed) = (self.succeeded, self.failed);
        let left = total.saturating_sub(in_flight + succeeded + failed + self.skipped + self.taken_back);
        let (pending, skipped, cancelled) = match self.state {
            FleetUpdateState::Cancelled => (0, self.skipped, self.taken_back + left),
            FleetUpdateState::Completed => (0, self.skipped + left, self.taken_back),
            FleetUpdateState::Planning
            | FleetUpdateState::Running
            | FleetUpdateState::Paused
            | FleetUpdateState::Halted => (left, self.skipped, self.taken_back),
        };
        Counts { total, pending, in_flight, succeeded, failed, skipped, cancelled }
    }

    /// The fleet update as operators of this role see it, with the hosts in its slots.
    pub fn view(&self, role: Role, now: Timestamp, revision: u64, in_flight: Vec<HostId>) -> FleetUpdateView {
        let plan = self.plan.clone();
        let Brings::Release(brings::releases::Release { version, manifest_sha256 }) = plan.brings.clone();
        FleetUpdateView {
            id: self.id,
            title: plan.brings.rules().title(),
            version,
            manifest_sha256,
            state: self.state,
            waiting_on: self.waiting_on(now),
            halted_reason: self.halted_reason.clone(),
            paused_note: self.paused_note.clone(),
            wave: self.wave,
            waves: plan.waves,
            max_in_flight: plan.max_in_flight,
            max_failures: plan.max_failures,
            failures: self.failures,
            soak_seconds: plan.soak_seconds,
            in_flight,
            counts: self.counts(),
            note: plan.note,
            created_by: plan.created_by,
            created_by_name: plan.created_by_name,
            created_at: plan.created_at,
            ended_at: self.ended_at,
            revision,
            actions: actions(|action| self.allows(action, role)),
        }
    }
}
