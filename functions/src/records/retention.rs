//! Retention: how far the walk over records of before has come.

use crate::store::Key;

/// Where it is written down.
pub fn walk() -> Key {
    Key::new("retention", "walk")
}
