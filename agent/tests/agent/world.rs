//! A world for one agent: a server that a test scripts, and a host whose processes a test may kill.
//!
//! The server keeps the contract's promises and breaks the line when told to. It is not the real one: whether both agree is
//! proved elsewhere; here it does what no well-behaved server would.

#[cfg(target_os = "linux")]
pub mod faults;
pub mod host;
pub mod http;
pub mod releases;
pub mod server;
