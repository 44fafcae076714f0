//! A lock: something that only one record may have at a time.

use crate::store::Key;

/// Where the holder of a lock is written down.
pub fn key(name: &str) -> Key {
    Key::new(format!("lock#{name}"), "lock")
}
