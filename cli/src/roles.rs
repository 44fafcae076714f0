//! Roles (viewer, operator, admin) as command-line words.

use muster_schemas::access::Role;

/// All roles, as help texts show them.
pub const ALL: &str = "viewer|operator|admin";

/// Parses a role.
pub fn parse(word: &str) -> Result<Role, String> {
    let roles = [Role::Viewer, Role::Operator, Role::Admin];
    roles.into_iter().find(|role| text(*role) == word).ok_or_else(|| format!("must be {ALL}"))
}

/// The role as one word.
pub fn text(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}
