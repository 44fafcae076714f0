//! Releases of the agent: the `release` commands. Signing happens offline; only agents decide whether to trust a release.

mod commands;
mod keys;
mod publish;
mod sign;

pub use commands::{ReleaseCommand, run};
