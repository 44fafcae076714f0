//! Architecture: which file may import which. Imports point down, nobody climbs, and no files import one another in a circle.
//! Cargo holds the borders of crates, this holds the rest. Each exception stands in a table, and one that nothing needs any
//! more is an error.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod agent;
mod circles;
mod server;
mod sources;
