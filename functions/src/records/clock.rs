//! What the last tick read from the clock.

use crate::store::Key;

/// Where it is written down.
pub fn reading() -> Key {
    Key::new("clock", "reading")
}
