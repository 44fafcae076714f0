//! Stores that are services of Amazon's: each behaves as the one on our own disk does.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod buckets;
mod faults;
mod tables;
mod units;
