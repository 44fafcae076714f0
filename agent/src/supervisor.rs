//! Supervisor: starts the committed version of the agent, tries a new one, and rolls it back.
//!
//! It has no network code, and the process that rolls back is never the one that is updated. It knows nothing about jobs.

pub mod control;
pub mod crashes;
pub mod report;
pub mod signs;
pub mod trial;
pub mod watch;
pub mod worker;
