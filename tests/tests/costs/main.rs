//! What Muster costs where it is billed by the request and by the unit, counted by the meter while the test moves the time.
//! `MUSTER_COSTS=full` counts the fleets that the goals name; otherwise smaller ones, by the same bounds.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

mod fleet_updates;
mod idle;
mod overview;
mod routes;
mod ticks;

use muster_server::store::meter::Units;

/// The fleet that a goal names, or a smaller one.
fn fleet(full: u32, small: u32) -> u32 {
    if std::env::var("MUSTER_COSTS").is_ok_and(|how| how == "full") { full } else { small }
}

fn reads(units: &Units) -> f64 {
    f64::from(u32::try_from(units.read_half_units()).unwrap()) / 2.0
}

fn writes(units: &Units) -> f64 {
    f64::from(u32::try_from(units.write_units()).unwrap())
}
