//! Real networks: the real server, real agents behind an outbound-only NAT, and everything that happens to packets.
//!
//! ```text
//! server 203.0.113.10, :443 ── wan │ router: masquerade, only tcp/443 outward │ lan1, lan2 ── hosts 10.77.1.2, 10.77.2.2
//! ```
//!
//! Each of these is a network namespace of the test's own. Nothing of the machine is changed, and nothing has to be put back:
//! a namespace has no name, and goes with the last process in it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod harness;
mod ipv6;
mod lines;
mod names;
mod nat;
mod outages;
mod proxies;
