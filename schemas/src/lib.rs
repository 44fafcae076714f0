//! Wire types of Muster: everything that crosses a wire or is signed, without any rules.
//!
//! One file per noun. A field says its unit, where it comes from, and what its absence means. What
//! agents and servers send each other tolerates unknown fields and values, so that either side may be
//! newer; what operators send does not, so that a typing error is an error.

pub mod access;
pub mod actions;
pub mod audit;
pub mod check_ins;
pub mod commands;
pub mod enrollment;
pub mod envelopes;
pub mod fleet_updates;
pub mod health;
pub mod hosts;
pub mod ids;
pub mod jobs;
pub mod messages;
pub mod overview;
pub mod pages;
pub mod problems;
pub mod releases;
pub mod reports;
pub mod secrets;
pub mod storage;
pub mod ticks;
pub mod upstreams;

/// The protocol this crate speaks; `schemas/README.md` keeps its history.
pub const PROTOCOL: u32 = 1;
