//! A fleet on this machine: a server, hosts, releases, and a network that can be cut.

pub mod api;
pub mod binaries;
pub mod body;
pub mod fleet;
pub mod host;
pub mod patience;
pub mod process;
pub mod proxy;
pub mod releases;
pub mod server;
