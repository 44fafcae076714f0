//! Role-based access control: which role has which permission. It fails closed: what is not listed here is forbidden.

use muster_schemas::{
    access::Role,
    access::{ActionOfCaller, ActionOnApiKey, ActionOnUser},
    actions::{Action, Actions},
    problems::ProblemCode,
};
use serde::Serialize;

use crate::{refused::Refused, words::word};

/// A permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Look at everything but secrets.
    Look,
    /// Run, cancel and follow jobs.
    RunJobs,
    /// Name and label hosts.
    DescribeHosts,
    /// Make and revoke enrollment tokens; retire and readmit hosts.
    ManageHosts,
    /// Publish and yank releases.
    ManageReleases,
    /// Update agents: single hosts, and fleet updates.
    ManageFleetUpdates,
    /// Accounts and API keys of everybody.
    ManageAccess,
    /// Run the tick.
    RunTick,
    /// Erase the log of a job.
    EraseLogs,
}

impl Permission {
    /// The least role that has it.
    pub const fn least_role(self) -> Role {
        match self {
            Self::Look => Role::Viewer,
            Self::RunJobs | Self::DescribeHosts => Role::Operator,
            Self::ManageHosts
            | Self::ManageReleases
            | Self::ManageFleetUpdates
            | Self::ManageAccess
            | Self::RunTick
            | Self::EraseLogs => Role::Admin,
        }
    }

    /// Refuses a caller of a role that does not have it.
    pub fn check(self, role: Role) -> Result<(), Refused> {
        if role >= self.least_role() {
            return Ok(());
        }
        Err(Refused::new(ProblemCode::Forbidden, format_args!("requires the role {}", word(self.least_role()))))
    }
}

/// Every action on a record, decided: allowed, or the reason that a request would be refused with.
pub fn actions<A: Action>(allows: impl Fn(A) -> Result<(), Refused>) -> Actions<A> {
    Actions::of(|action| allows(action).map_err(Refused::sentence))
}

/// The actions of a caller of this role that belong to no record.
pub fn of_caller(role: Role) -> Actions<ActionOfCaller> {
    let permission = |action| match action {
        ActionOfCaller::CreateJobs => Permission::RunJobs,
        ActionOfCaller::CreateFleetUpdates => Permission::ManageFleetUpdates,
        ActionOfCaller::PublishReleases => Permission::ManageReleases,
        ActionOfCaller::CreateEnrollmentTokens | ActionOfCaller::LookAtEnrollmentTokens => Permission::ManageHosts,
        ActionOfCaller::LookAtAudit => Permission::Look,
        ActionOfCaller::CreateUsers
        | ActionOfCaller::CreateApiKeys
        | ActionOfCaller::LookAtUsers
        | ActionOfCaller::LookAtApiKeys => Permission::ManageAccess,
    };
    actions(|action| permission(action).check(role))
}

/// Whether a caller of this role may do this with an account, by whether it is the only admin's.
pub fn allows_on_user(action: ActionOnUser, role: Role, is_last_admin: bool) -> Result<(), Refused> {
    Permission::ManageAccess.check(role)?;
    match action {
        ActionOnUser::Change => Ok(()),
        ActionOnUser::Remove => stays_administered(is_last_admin),
    }
}

/// Refuses to remove or demote the last admin.
pub fn stays_administered(ends_last_admin: bool) -> Result<(), Refused> {
    if ends_last_admin { Err(Refused::wrong_state("the last admin cannot be removed or demoted")) } else { Ok(()) }
}

/// Whether a caller of this role may do this with an API key, in any state: an expired key is removed in this way, too.
pub fn allows_on_api_key(action: ActionOnApiKey, role: Role) -> Result<(), Refused> {
    match action {
        ActionOnApiKey::Revoke => Permission::ManageAccess.check(role),
    }
}
