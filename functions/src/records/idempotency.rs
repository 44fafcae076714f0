//! Idempotency records: what an earlier request with the same `Idempotency-Key` has made.

use crate::store::Key;

/// Where it is written down, for one part of what a caller asked for.
pub fn key(caller: &str, key_sha256: &str, part: &str) -> Key {
    Key::new(format!("idempotency#{caller}#{key_sha256}"), part)
}
