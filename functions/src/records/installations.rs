//! The installation: its id and its URLs.

use crate::store::Key;

/// Where it is kept.
pub fn key() -> Key {
    Key::new("installation", "installation")
}
