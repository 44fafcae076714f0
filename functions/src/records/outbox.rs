//! The outbox: changes that are still to happen, in the order in which they were decided.

use crate::store::Key;

/// Where a change that is still to happen is kept.
pub fn key(id: &str) -> Key {
    Key::new(format!("outbox#{id}"), "entry")
}

/// The id of the change that is kept here.
pub fn id(key: &Key) -> Option<&str> {
    key.partition.strip_prefix("outbox#")
}
