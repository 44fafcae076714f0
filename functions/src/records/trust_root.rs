//! The root of trust that names the keys which may sign releases, as an operator has told it to the server.

use crate::store::Key;

/// Where it is.
pub fn key() -> Key {
    Key::new("trust-root", "trust-root")
}
