//! What a fleet update waits for, in words. Each text is a noun phrase that reads well after "Waiting for".

use jiff::Timestamp;
use muster_schemas::fleet_updates::{FleetUpdateHostState, FleetUpdateHostView, FleetUpdateState};

use super::{FleetUpdate, hosts::FleetUpdateHost};
use crate::words::counted;

impl FleetUpdate {
    /// The thing that it waits for, in words; absent when it has ended.
    pub fn waiting_on(&self, now: Timestamp) -> Option<String> {
        match self.state {
            FleetUpdateState::Completed | FleetUpdateState::Cancelled => None,
            FleetUpdateState::Planning => {
                Some(format!("the plan to be ready ({} so far)", counted(self.total(), "host")))
            }
            FleetUpdateState::Paused if self.paused_note.is_empty() => Some("an operator to resume it".into()),
            FleetUpdateState::Paused => Some(format!("an operator to resume it: {}", self.paused_note)),
            FleetUpdateState::Halted => {
                let reason = self.halted_reason.as_deref().unwrap_or("no reason was kept");
                Some(format!("an operator to resume or cancel it: {reason}"))
            }
            FleetUpdateState::Running => Some(self.running_waits_on(now)),
        }
    }

    /// One host of it as operators see it.
    pub fn host_view(&self, host: &FleetUpdateHost, now: Timestamp) -> FleetUpdateHostView {
        let (state, reason) = self.host_state(host);
        let turn = self.turn_of(host.place.position);
        let until = host.slot.as_ref().map(|slot| slot.deadline_at).unwrap_or_default();
        let waiting_on = match state {
            FleetUpdateHostState::Pending => Some(self.turn_waits_on(host.place.position, now)),
            FleetUpdateHostState::Offered | FleetUpdateHostState::Verifying => {
                let awaited =
                    host.slot.as_ref().map_or("a report from the host", |slot| slot.expected.rules().waits_for(state));
                Some(format!("{awaited}, until {until}"))
            }
            FleetUpdateHostState::Lost => Some(format!("a report from the host, overdue since {until}")),
            FleetUpdateHostState::Succeeded
            | FleetUpdateHostState::Failed
            | FleetUpdateHostState::Skipped
            | FleetUpdateHostState::Cancelled => None,
        };
        FleetUpdateHostView {
            host_id: host.host_id,
            position: turn,
            wave: self.wave_of(turn),
            state,
            waiting_on,
            reason,
            job_id: host.job_id,
            attempts: host.attempts,
            offered_at: host.offered_at,
            ended_at: host.ended_at,
        }
    }

    /// The state of a host. A host that never had its turn ends with the fleet update; its record is not written for that.
    fn host_state(&self, host: &FleetUpdateHost) -> (FleetUpdateHostState, Option<String>) {
        match (host.state, self.state) {
            (FleetUpdateHostState::Pending, FleetUpdateState::Cancelled) => (FleetUpdateHostState::Cancelled, None),
            (FleetUpdateHostState::Pending, FleetUpdateState::Completed) => {
                (FleetUpdateHostState::Skipped, Some("offline".into()))
            }
            (state, _) => (state, host.reason.clone()),
        }
    }

    fn running_waits_on(&self, now: Timestamp) -> String {
        if let Some(end) = self.soak_ends_at().filter(|end| now < *end) {
            return self.soak(end, now);
        }
        let lost = self.lost.len();
        let lost = if lost > 0 { format!("; {lost} lost") } else { String::new() };
        match self.may_offer(now) {
            Err(reason) if self.slots.is_empty() => reason,
            Err(_) | Ok(()) if !self.slots.is_empty() => {
                let (held, most) = (counted(self.slots.len(), "host"), self.plan.max_in_flight);
                format!("{held} to finish updating (at most {most} at once){lost}")
            }
            _ if self.turns(now).is_empty() && !self.deferred.is_empty() => {
                format!("{} to come online, until {}", counted(self.deferred.len(), "host"), self.plan.deadline_at)
            }
            _ => "the next tick".into(),
        }
    }

    fn turn_waits_on(&self, position: u32, now: Timestamp) -> String {
        if self.state != FleetUpdateState::Running {
            return self.waiting_on(now).unwrap_or_default();
        }
        if self.deferred.contains(&position) {
            return format!("the host to come online, until {}", self.plan.deadline_at);
        }
        if self.turn_of(position) >= self.wave_end() {
            return match self.soak_ends_at() {
                Some(end) => self.soak(end, now),
                None => format!("wave {} to end", self.wave + 1),
            };
        }
        self.may_offer(now).err().unwrap_or_else(|| "its turn".into())
    }

    fn soak(&self, end: Timestamp, now: Timestamp) -> String {
        let left = end.duration_since(now).as_secs().max(0);
        let left = if left < 120 { format!("{left} s") } else { format!("{} min", left.div_euclid(60)) };
        format!("the soak of wave {} to end, {left} left", self.wave + 1)
    }
}
