//! An account of a person, and the lookup of an account by its name.

use muster_schemas::ids::UserId;

use crate::store::{IndexEntry, Key, keys::list};

/// Where an account lives.
pub fn key(id: UserId) -> Key {
    Key::new(format!("user#{id}"), "user")
}

/// Where the id of the account with this name is written down.
pub fn by_name(name: &str) -> Key {
    Key::new(format!("user-name#{name}"), "user-name")
}

/// Its entries in the indexes.
pub fn found_by(id: UserId) -> Vec<IndexEntry> {
    vec![list("users", id)]
}
