//! Actions on a host: which ones its state and a caller's role allow. Views, routes and the mailbox ask here.

use muster_schemas::{access::Role, hosts::ActionOnHost, ids::JobId, jobs::AGENT};

use super::Host;
use crate::{
    access::Permission,
    fleet_updates::{
        Brings, Candidate,
        brings::{self, Turn},
        turn,
    },
    mailboxes::Mailbox,
    refused::Refused,
    releases::Release,
};

/// A host with everything that decides which actions are allowed.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Its description.
    pub host: &'a Host,
    /// Its mailbox.
    pub mailbox: &'a Mailbox,
    /// Whether it is online.
    pub online: bool,
    /// The release that an update would install: the newest, unless another one is requested. Absent: none is published.
    pub release: Option<&'a Release>,
}

impl Standing<'_> {
    /// Whether a caller of this role may do this with it.
    pub fn allows(&self, action: ActionOnHost, role: Role) -> Result<(), Refused> {
        match action {
            ActionOnHost::Run | ActionOnHost::ResetBreakers => Permission::RunJobs.check(role)?,
            ActionOnHost::Change => Permission::DescribeHosts.check(role)?,
            ActionOnHost::Update => Permission::ManageFleetUpdates.check(role)?,
            ActionOnHost::Readmit | ActionOnHost::Remove => Permission::ManageHosts.check(role)?,
        }
        match action {
            ActionOnHost::Run | ActionOnHost::ResetBreakers => self.mailbox.takes_work(),
            ActionOnHost::Update => self.can_be_updated(),
            // In any state: an operator may note it in the name.
            ActionOnHost::Change => Ok(()),
            ActionOnHost::Readmit => self.mailbox.can_be_readmitted(),
            ActionOnHost::Remove => self.mailbox.can_be_retired(),
        }
    }

    /// Whether the host needs the release: it could have it now, or when it is served and online again.
    pub fn is_behind(&self) -> bool {
        match self.turn() {
            Some(Turn::Offer(_) | Turn::WaitFor) => true,
            Some(Turn::LeaveOut(exclusion)) => exclusion.is_for_now(),
            Some(Turn::Halt(_)) | None => false,
        }
    }

    /// Whether its agent can be brought to the release now.
    pub fn can_be_updated(&self) -> Result<(), Refused> {
        // The mailbox has the reason.
        self.mailbox.served()?;
        match self.turn() {
            None => Err(Refused::wrong_state("no release is published")),
            Some(Turn::Offer(_)) => Ok(()),
            Some(Turn::WaitFor) => Err(self.mailbox.offline("an update needs a host that is online")),
            Some(Turn::Halt(reason)) => Err(Refused::wrong_state(reason)),
            Some(Turn::LeaveOut(exclusion)) => Err(exclusion.refused()),
        }
    }

    fn turn(&self) -> Option<Turn> {
        let Self { host, mailbox, online, release } = self;
        let release = (*release)?;
        let brings = Brings::Release(brings::releases::Release::of(release));
        let candidate = Candidate::new(host, mailbox, *online, AGENT, release);
        // Nothing is offered here, so any job id will do.
        Some(turn(&brings, &candidate, JobId::new(host.enrolled_at, 0)))
    }
}
