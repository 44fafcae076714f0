//! Outcomes of hosts: an outcome frees the host's slot, and decides in the same step whether the fleet update goes on.

use muster_schemas::fleet_updates::{FleetUpdateHostState, FleetUpdateState};

use super::hosts::Event as HostEvent;
use super::{MAX_AT_ONCE, Outcome, transition::Transition};
use crate::changes::Note;

impl Transition {
    pub(super) fn hears(&mut self, position: u32, outcome: &Outcome) {
        if !self.next.slots.contains(&position) {
            return;
        }
        if let Outcome::Lost(host_id) = outcome {
            self.next.lost.insert(position);
            self.latest_lost = Some(*host_id);
            return;
        }
        for positions in [&mut self.next.slots, &mut self.next.lost, &mut self.next.to_recall] {
            positions.remove(&position);
        }
        match outcome {
            Outcome::Succeeded => {
                self.next.succeeded += 1;
                self.next.last_success_at = Some(self.now);
                if self.next.wave_of(self.next.turn_of(position)) == self.next.wave {
                    self.next.proven_in_wave = self.next.proven_in_wave.map(|proven| proven + 1);
                }
            }
            Outcome::Failed { why, again } => self.fails(position, why.clone(), *again),
            Outcome::TakenBack if self.next.state == FleetUpdateState::Cancelled => {
                self.next.taken_back += 1;
                self.host(position, HostEvent::Conclude { state: FleetUpdateHostState::Cancelled, reason: None });
            }
            Outcome::Retired => self.next.skipped += 1,
            Outcome::Inconclusive | Outcome::TakenBack => _ = self.next.requeued.insert(position),
            Outcome::Offline(host_id) => {
                self.next.requeued.insert(position);
                self.offline(position, *host_id);
            }
            // An operator decided: it is recorded as failed, and does not count toward a halt.
            Outcome::WrittenOff { host_id, again } => {
                self.effects.push(Note::new("fleet_update.host_written_off", self.next.id, host_id.to_string()).into());
                self.next.failed += 1;
                self.next.retriable.extend(again.then_some(position));
            }
            Outcome::Lost(_) => {}
        }
    }

    pub(super) fn fails(&mut self, position: u32, why: String, again: bool) {
        self.next.failed += 1;
        self.next.failures += 1;
        self.next.retriable.extend(again.then_some(position));
        self.latest_failure = Some(why);
    }

    pub(super) fn ticks(&mut self) {
        if self.next.state != FleetUpdateState::Running {
            return self.recall_more();
        }
        if self.now >= self.next.plan.deadline_at {
            let waited_for = self.next.deferred.iter().copied().take(MAX_AT_ONCE).collect::<Vec<_>>();
            for position in waited_for {
                self.next.deferred.remove(&position);
                self.leave_out(position, "offline".into());
            }
        }
    }
}
