//! `faults`: every point at which a disk can fail under a real agent.

use crate::{
    Result,
    commands::{cargo, run},
};

/// Runs the fault bench on all of its points, one test after the other. More arguments go to the tests, as names do.
pub fn faults(arguments: &[String]) -> Result {
    let bench = ["test", "--quiet", "--package", "muster-agent", "--test", "agent", "faults::", "--"];
    // Each test has many hosts at a time already.
    let mut command = cargo(bench);
    run(command.args(["--test-threads=1", "--nocapture"]).args(arguments).env("MUSTER_FAULTS", "all"))
}
