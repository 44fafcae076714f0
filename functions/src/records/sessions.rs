//! A session of a person, and the tries to sign in by a name.

use crate::store::Key;

/// Where a session lives.
pub fn key(id: &str) -> Key {
    Key::new(format!("session#{id}"), "session")
}

/// Where tries to sign in by this name are counted.
pub fn sign_in(username_sha256: &str) -> Key {
    Key::new(format!("sign-in#{username_sha256}"), "sign-in")
}
