//! Actions on a fleet update: which ones its state and a caller's role allow. Views and transitions ask here.

use muster_schemas::{access::Role, fleet_updates::ActionOnFleetUpdate, fleet_updates::FleetUpdateState};

use super::FleetUpdate;
use crate::{access::Permission, refused::Refused, words::word};

impl FleetUpdate {
    /// Whether a caller of this role may do this with it.
    pub fn allows(&self, action: ActionOnFleetUpdate, role: Role) -> Result<(), Refused> {
        Permission::ManageFleetUpdates.check(role)?;
        self.can(action)
    }

    /// Whether its state allows this.
    pub fn can(&self, action: ActionOnFleetUpdate) -> Result<(), Refused> {
        use ActionOnFleetUpdate::{Cancel, Pause, Resume, RetryFailed, WriteOff};
        use FleetUpdateState::{Cancelled, Completed, Halted, Paused, Planning, Running};
        match (action, self.state) {
            (WriteOff, _) if self.lost.is_empty() => Err(Refused::wrong_state("no host of this fleet update is lost")),
            (Pause, Running) | (Resume, Paused) | (Cancel, Planning | Running | Paused | Halted) | (WriteOff, _) => {
                Ok(())
            }
            (Resume, Halted) => self.has_a_slot(),
            (RetryFailed, Running | Paused) => self.has_hosts_to_retry(),
            (RetryFailed, Halted) => self.has_hosts_to_retry().and_then(|()| self.has_a_slot()),
            // The reason for `why_not`: a second request changes nothing, and is not an error.
            (Pause, Paused) | (Resume, Running) | (Cancel, Cancelled) => {
                Err(Refused::wrong_state(format_args!("the fleet update is already {}", word(self.state))))
            }
            (Pause, _) => Err(self.refused("pause")),
            (Resume, _) => Err(self.refused("resume")),
            (Cancel, Completed) => Err(self.refused("cancel")),
            (RetryFailed, Planning | Completed | Cancelled) => Err(self.refused("retry hosts")),
        }
    }

    fn has_a_slot(&self) -> Result<(), Refused> {
        if self.slots_are_exhausted() {
            return Err(Refused::wrong_state("lost hosts hold all slots; write them off first"));
        }
        Ok(())
    }

    fn has_hosts_to_retry(&self) -> Result<(), Refused> {
        if self.retriable.is_empty() {
            return Err(Refused::wrong_state("no failed host has attempts left"));
        }
        Ok(())
    }
}
