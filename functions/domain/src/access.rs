//! Access: which role may do what. Fail closed: what is not written here, nobody may.

use muster_schemas::access::Role;

/// Something that a caller may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            | Self::RunTick => Role::Admin,
        }
    }

    /// Whether a caller of this role has it.
    pub fn granted_to(self, role: Role) -> bool {
        role >= self.least_role()
    }
}
