//! `release`: signed offline, published once, believed by nobody but the agents.

mod commands;
mod keys;
mod publish;
mod sign;

pub use commands::{ReleaseCommand, run};
