//! What operators may do with a host: told with it, and held by the routes and by the steps of its mailbox.

use muster_schemas::{
    access::Role,
    actions::ActionOnHost,
    problems::{Problem, ProblemCode},
};

use super::Host;
use crate::{access::Permission, mailboxes::Mailbox, refused::Refused, releases::Release};

/// A host with all that decides about it.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// What it is.
    pub host: &'a Host,
    /// What is served to it.
    pub mailbox: &'a Mailbox,
    /// Whether it was heard from lately.
    pub online: bool,
    /// The release that an update would bring: the newest, unless another one is asked for. Absent: none is published.
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
            // Whatever has become of it: a name may say so.
            ActionOnHost::Change => Ok(()),
            ActionOnHost::Readmit => self.mailbox.can_be_readmitted(),
            ActionOnHost::Remove => self.mailbox.can_be_retired(),
        }
    }

    /// Whether the release is newer than what it runs.
    pub fn is_behind(&self) -> bool {
        let Some((agent, release)) = self.host.agent.as_ref().zip(self.release) else { return false };
        let facts = &self.host.facts;
        release.manifest.version != agent.version && release.target(&facts.os, &facts.architecture).is_some()
    }

    /// Whether its agent can be brought to the release now.
    pub fn can_be_updated(&self) -> Result<(), Refused> {
        let Self { host: Host { facts, agent, .. }, mailbox, online, release } = self;
        mailbox.served()?;
        let release = release.ok_or_else(|| Refused::wrong_state("no release is published"))?;
        let version = &release.manifest.version;
        let Some(target) = release.target(&facts.os, &facts.architecture) else {
            let detail = format!("release {version} has no file for {}-{}", facts.os, facts.architecture);
            let problem = Problem::new(ProblemCode::Invalid).detail(detail);
            return Err(Refused(Box::new(Problem { field: Some("version".into()), ..problem })));
        };
        let runs = agent.as_ref().map(|agent| (&agent.version, &agent.executable_sha256));
        if runs == Some((version, &target.sha256)) {
            return Err(Refused::new(ProblemCode::AlreadyUpToDate, format_args!("it runs {version} already")));
        }
        mailbox.takes_update()?;
        if !online {
            return Err(mailbox.offline("an update needs a host that was heard from lately"));
        }
        mailbox.takes_work()
    }
}
