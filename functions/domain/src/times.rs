//! Times: arithmetic that never overflows.

use jiff::{SignedDuration, Timestamp};

/// So many seconds after a time; the end of time when there are not so many.
pub fn after(at: Timestamp, span: impl Into<i64>) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(span.into())).unwrap_or(Timestamp::MAX)
}
