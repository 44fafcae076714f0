//! `hosts` and `host`: which machines there are, and what operators say of them.

mod commands;
mod show;

pub use commands::{HostArguments, HostFilters, list, run};
