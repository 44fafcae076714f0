//! The figures of the whole fleet, as last counted, and as they were.

use crate::store::Key;

/// How many hosts are how, as last counted.
pub fn counted() -> Key {
    Key::new("overview", "counted")
}

/// How many hosts were how.
pub fn history() -> Key {
    Key::new("overview", "history")
}
