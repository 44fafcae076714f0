//! A session of a person, and the tries to sign in.

use crate::store::Key;

/// Where a session lives.
pub fn key(id: &str) -> Key {
    Key::new(format!("session#{id}"), "session")
}

/// Where tries of one caller to sign in by one name are counted.
pub fn sign_in(caller_sha256: &str) -> Key {
    Key::new(format!("sign-in#{caller_sha256}"), "sign-in")
}

/// Where it is kept how many of them have failed, and which entry of the audit trail says so.
pub fn refusals(caller_sha256: &str) -> Key {
    Key::new(format!("sign-in#{caller_sha256}"), "refusals")
}
