//! The supervisor: it starts the committed version of the agent, tries a new one, and undoes it.
//!
//! It has no network code path, and what rolls back is never what is being updated. Deliberately absent: any knowledge of jobs.

pub mod control;
pub mod crashes;
pub mod report;
pub mod trial;
pub mod watch;
pub mod worker;
