//! `fleet-update`: one release brought to many hosts, in waves, halting by itself.

mod commands;
mod watch_log;
mod request;
mod show;
mod watch;

pub use commands::{FleetUpdateCommand, run};
