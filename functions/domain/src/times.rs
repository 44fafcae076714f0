//! Time arithmetic that saturates instead of overflowing.

use jiff::{SignedDuration, Timestamp};

/// `span` seconds after `at`, or the latest timestamp if that is out of range.
pub fn after(at: Timestamp, span: impl Into<i64>) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(span.into())).unwrap_or(Timestamp::MAX)
}
