//! The rules of Muster, explored state by state: the machines of `muster_domain` themselves, in every order in which hosts,
//! ticks and operators can come to them. A model of the rules could be right where the rules are wrong.

pub mod commands;
pub mod fleet_updates;

use jiff::Timestamp;

/// How many states are looked at: as many as `MUSTER_MODEL_STATES` says, or these few.
pub fn states(few: usize) -> usize {
    std::env::var("MUSTER_MODEL_STATES").ok().and_then(|states| states.parse().ok()).unwrap_or(few)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}
