//! The world of the tests: a real server on a real store, hosts that speak the protocol, and a time that only a test
//! moves. No sockets, no sleeping, nothing mocked.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

pub mod world;
