//! `simulate`: seeds of fleets in virtual time, in an optimised build.

use crate::{
    Result,
    commands::{cargo, run},
};

/// Builds the simulation and hands it the arguments.
pub fn simulate(arguments: &[String]) -> Result {
    let simulation =
        ["run", "--quiet", "--release", "--package", "muster-simulation", "--bin", "muster-simulate", "--"];
    run(cargo(simulation).args(arguments))
}
