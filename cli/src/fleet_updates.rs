//! Fleet updates (rolling updates of agents in waves): the `fleet-update` commands.

mod commands;
mod request;
mod show;
mod watch;
mod watch_log;

pub use commands::{FleetUpdateCommand, run};
