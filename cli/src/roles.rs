//! Roles on the command line: what an account or a key may do.

use muster_schemas::access::Role;

/// Every role, as help texts name them.
pub const ALL: &str = "viewer|operator|admin";

/// A role from its word.
pub fn parse(word: &str) -> Result<Role, String> {
    let roles = [Role::Viewer, Role::Operator, Role::Admin];
    roles.into_iter().find(|role| text(*role) == word).ok_or_else(|| format!("must be {ALL}"))
}

/// A role as one word.
pub fn text(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}
