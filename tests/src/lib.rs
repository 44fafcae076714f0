//! What tests share: a world in one process whose time only a test moves, and what real processes are started with.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

pub mod processes;
pub mod world;
