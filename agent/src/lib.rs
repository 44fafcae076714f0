//! The agent of Muster: it runs jobs on a host that accepts no connections, and reports truthfully how they ended.
//!
//! The server is treated as hostile: bodies are bounded, the host's own policy decides what may run, and no new version of
//! the agent is executed without a signature of the host's root of trust.

pub mod agent;
pub mod breaker;
pub mod client;
pub mod clock;
pub mod config;
pub mod enroll;
pub mod errors;
pub mod exits;
pub mod facts;
pub mod failure;
pub mod followed;
pub mod identity;
pub mod jobs;
pub mod journal;
pub mod link;
pub mod log;
pub mod lookup;
pub mod policy;
pub mod programs;
pub mod reload;
pub mod relocation;
pub mod reports;
pub mod run;
pub mod runners;
pub mod session;
pub mod status;
pub mod supervisor;
pub mod suspend;
pub mod sys;
pub mod transport;
pub mod upstream;
pub mod version;
pub mod versions;
