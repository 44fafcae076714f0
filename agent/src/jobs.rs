//! Job execution: accepted, run once, and reported until the server has the result.

pub mod desk;
pub mod intake;
pub mod life;
pub mod outbox;
pub mod output;
pub mod queue;
pub mod reporter;
pub mod resources;
pub mod spool;
