//! A fleet on this machine: a server, hosts, releases, and a network that can be cut.

pub use muster_tests::processes::{before, binaries, patience, process};

pub mod api;
pub mod body;
pub mod fleet;
pub mod host;
pub mod machine;
pub mod proxy;
pub mod releases;
pub mod server;
