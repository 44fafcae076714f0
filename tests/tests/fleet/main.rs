//! Real processes: the real server, real agents, real bad releases, and cables that are cut at the worst moment.
//!
//! `MUSTER_TEST_BODY` says what the server is made of ([`harness::body`]): `serve` (as it comes), `serve-services` or
//! `functions`. The binaries come from `target/fleet`, where `cargo xtask test` builds them.
//!
//! Nothing here waits by sleeping: a condition is asked for with `?wait=`, or looked at again and again until its deadline
//! ([`harness::patience`]).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod clients;
mod clones;
mod console;
mod document;
mod fleet_updates;
mod harness;
mod install;
mod jobs;
mod jobs_once;
mod refused_releases;
mod servers;
mod single_updates;
mod tls;
mod update_steps;
mod upgrades;
