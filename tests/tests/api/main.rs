//! Every noun by its routes: what comes of one act, and what must hold whatever happens.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod check_ins;
mod enrollment;
mod fleet_updates;
mod hosts;
mod jobs;
mod results;
