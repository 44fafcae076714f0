//! The standing of a host: quarantined when its identity is in doubt, readmitted by an operator, retired for good.

use jiff::Timestamp;
use muster_schemas::{
    hosts::HostState,
    problems::{Problem, ProblemCode},
};

use super::{Mailbox, OpenJob};
use crate::{
    changes::{Change, Effect, Note},
    fleet_updates::hosts::Event as FleetUpdateHostEvent,
    jobs,
    machine::Step,
    refused::Refused,
    words::counted,
};

impl Mailbox {
    /// Whether an operator can readmit it.
    pub fn can_be_readmitted(&self) -> Result<(), Refused> {
        if self.state == HostState::Quarantined {
            return Ok(());
        }
        Err(Refused::wrong_state("the host is not quarantined"))
    }

    /// Whether its identity can be revoked. Revoking it twice changes nothing, and is not an error.
    pub fn can_be_retired(&self) -> Result<(), Refused> {
        if self.state == HostState::Retired {
            return Err(Refused::wrong_state("the host is already retired"));
        }
        Ok(())
    }

    pub(super) fn quarantine(&self, reason: &str) -> Step<Self> {
        if self.state != HostState::Active {
            return Step::to(self.clone());
        }
        let next = Self { state: HostState::Quarantined, state_reason: Some(reason.into()), ..self.clone() };
        let note = Note::alert("host.quarantined", self.host_id, reason).by_the_server();
        Step::to(next).and(note).and(Effect::Wake(self.host_id))
    }

    pub(super) fn readmit(&self, reason: &str) -> Result<Step<Self>, Refused> {
        self.can_be_readmitted()?;
        let next = Self {
            state: HostState::Active,
            state_reason: None,
            earlier_processes: Vec::new(),
            process_id: None,
            ..self.clone()
        };
        Ok(Step::to(next).and(Note::new("host.readmitted", self.host_id, reason)))
    }

    pub(super) fn retire(&self, reason: &str, force: bool, now: Timestamp) -> Result<Step<Self>, Refused> {
        if self.can_be_retired().is_err() {
            return Ok(Step::to(self.clone()));
        }
        if !self.open.is_empty() && !force {
            let open = self.open.len();
            let problem = Problem::new(ProblemCode::HostInUse)
                .detail(format_args!("it has {}; force=true abandons them", counted(open, "open job")))
                .with("open_jobs", open);
            return Err(Refused(Box::new(problem)));
        }
        let give_up = |open: &OpenJob| Effect::Later(Change::Job(open.id, jobs::Event::HostRetired));
        // First: it can never prove its update, so its slot is free at once.
        let leave = self.fleet_update.map(|place| Effect::Later(place.change(FleetUpdateHostEvent::HostRetired)));
        let state_reason = Some(reason.into());
        let next = Self { state: HostState::Retired, state_reason, retired_at: Some(now), ..self.clone() };
        Ok(Step::to(next)
            .and(Note::new("host.retired", self.host_id, reason))
            .and_all(leave)
            .and_all(self.open.iter().map(give_up))
            .and(Effect::Wake(self.host_id)))
    }
}
