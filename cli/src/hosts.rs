//! Hosts: the `hosts` and `host` commands.

mod commands;
mod show;

pub use commands::{HostArguments, HostFilters, list, run};
