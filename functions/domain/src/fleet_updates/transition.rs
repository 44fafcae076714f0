//! Transitions of a fleet update: the actions of operators, and what follows by itself after every event.

use jiff::Timestamp;
use muster_schemas::{fleet_updates::FleetUpdateState, ids::HostId, problems::Problem};

use super::{FleetUpdate, MAX_AT_ONCE, hosts};
use crate::{
    changes::{Change, Effect, Note, Work},
    refused::Refused,
    words::counted,
};

/// A step being made: the next state, changed in place, and its effects.
pub(super) struct Transition {
    pub(super) next: FleetUpdate,
    pub(super) effects: Vec<Effect>,
    pub(super) latest_failure: Option<String>,
    pub(super) latest_lost: Option<HostId>,
    pub(super) now: Timestamp,
}

impl Transition {
    pub(super) fn of(fleet_update: &FleetUpdate, now: Timestamp) -> Self {
        Self { next: fleet_update.clone(), effects: Vec::new(), latest_failure: None, latest_lost: None, now }
    }

    /// Follows every event: halts, completes, or opens the next wave.
    pub(super) fn settle(&mut self) {
        use FleetUpdateState::{Completed, Paused, Running};
        let next = &self.next;
        if matches!(next.state, Running | Paused) && next.failures >= next.plan.max_failures {
            let (failures, limit) = (next.failures, next.plan.max_failures);
            let latest = self.latest_failure.as_deref().unwrap_or("see the failed hosts");
            return self.halt(&format!("failure limit reached ({failures} of {limit}): {latest}"));
        }
        if next.state != Running {
            return;
        }
        if self.next.slots_are_exhausted() {
            let who = match (self.latest_lost, self.next.lost.len()) {
                (Some(host), 1) => host.to_string(),
                (Some(host), lost) => format!("{host} and {} more", lost - 1),
                (None, lost) => format!("{lost} lost hosts"),
            };
            return self.halt(&format!("slots_exhausted: no report from {who}"));
        }
        self.open_waves();
        if self.next.wave_is_done() && self.next.is_last_wave() {
            self.next.state = Completed;
            self.end(Note::new("fleet_update.completed", self.next.id, String::new()).by_the_server());
        }
    }

    /// Opens the next wave once this one is proven and was watched. A wave in which no host was proven says nothing about the
    /// change: the next host in the order joins it.
    fn open_waves(&mut self) {
        while self.next.wave_is_done() && !self.next.is_last_wave() {
            if self.next.proven_in_wave == Some(0) {
                self.next.widen_wave();
            } else if self.next.soak_ends_at().is_none_or(|end| self.now >= end) {
                self.next.wave += 1;
                self.next.proven_in_wave = Some(0);
            } else {
                return;
            }
        }
    }

    pub(super) fn goes_on(&mut self) {
        let next = &self.next;
        let has_turns = !next.turns(self.now).is_empty() || !next.deferred(self.now).is_empty();
        if next.planning.is_some() || has_turns || next.is_behind(self.now) {
            self.effects.push(Effect::GoOn(Work::FleetUpdate(next.id)));
        }
    }

    pub(super) fn halt(&mut self, reason: &str) {
        self.next.state = FleetUpdateState::Halted;
        self.next.halted_reason = Some(reason.into());
        self.effects.push(Note::alert("fleet_update.halted", self.next.id, reason).by_the_server().into());
        self.unlock();
        self.recall();
    }

    pub(super) fn pause(&mut self, note: &str) {
        self.next.state = FleetUpdateState::Paused;
        self.next.paused_note = note.into();
        self.effects.push(Note::new("fleet_update.paused", self.next.id, note).into());
        self.recall();
    }

    fn resume(&mut self, note: &str) {
        if std::mem::take(&mut self.next.unlocked) {
            self.effects.push(Effect::Lock(self.next.lock()));
        }
        self.next.state = FleetUpdateState::Running;
        self.next.failures = 0;
        self.next.halted_reason = None;
        self.next.paused_note.clear();
        self.next.to_recall.clear();
        self.effects.push(Note::new("fleet_update.resumed", self.next.id, note).into());
    }

    /// After a halt with a note that says why.
    pub(super) fn goes_on_by_hand(&mut self, note: &str) -> Result<(), Refused> {
        if self.next.state == FleetUpdateState::Halted && note.trim().is_empty() {
            return Err(Refused(Box::new(Problem::invalid(
                "note",
                "must say why the fleet update may resume after a halt",
            ))));
        }
        self.resume(note);
        Ok(())
    }

    pub(super) fn cancel(&mut self, note: &str) {
        self.next.state = FleetUpdateState::Cancelled;
        self.next.planning = None;
        self.end(Note::new("fleet_update.cancelled", self.next.id, note));
        self.recall();
    }

    fn end(&mut self, note: Note) {
        self.next.ended_at = Some(self.now);
        self.unlock();
        self.effects.push(note.into());
    }

    /// Gives the lock back, once. One that this very step would have taken is not taken: a commit writes each record once.
    fn unlock(&mut self) {
        if std::mem::replace(&mut self.next.unlocked, true) {
            return;
        }
        let before = self.effects.len();
        self.effects.retain(|effect| !matches!(effect, Effect::Lock(_)));
        if self.effects.len() == before {
            self.effects.push(Effect::Unlock(self.next.lock()));
        }
    }

    /// Recalls offers that are not accepted. Hosts that are already updating finish and are recorded.
    fn recall(&mut self) {
        self.next.to_recall = self.next.slots.difference(&self.next.lost).copied().collect();
        self.recall_more();
    }

    pub(super) fn recall_more(&mut self) {
        for position in self.next.to_recall.iter().copied().take(MAX_AT_ONCE).collect::<Vec<_>>() {
            self.next.to_recall.remove(&position);
            self.host(position, hosts::Event::Recall);
        }
    }

    pub(super) fn retry_failed(&mut self, note: &str) -> Result<(), Refused> {
        let positions = self.next.retriable.iter().copied().take(MAX_AT_ONCE).collect::<Vec<_>>();
        // This resumes a halted fleet update, under the same conditions as `resume`.
        if self.next.state == FleetUpdateState::Halted {
            self.goes_on_by_hand(note)?;
        }
        for position in &positions {
            self.next.retriable.remove(position);
            self.next.failed -= 1;
            self.next.requeued.insert(*position);
            self.host(*position, hosts::Event::Retry);
        }
        let detail = format!("{}: {note}", counted(positions.len(), "host"));
        self.effects.push(Note::new("fleet_update.failed_hosts_again", self.next.id, detail).into());
        Ok(())
    }

    pub(super) fn host(&mut self, position: u32, event: hosts::Event) {
        self.effects.push(Effect::Also(Change::FleetUpdateHost(self.next.id, position, event)));
    }
}
