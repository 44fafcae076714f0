//! Releases of the agent: the `release` commands. Signing happens offline; only agents decide whether to trust a release.

mod commands;
mod keys;
mod numbers;
mod publish;
mod republish;
mod sign;
mod version;

pub use commands::{ReleaseCommand, run};
