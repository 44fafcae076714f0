//! `dist`: what is shipped.

use std::fs;

use crate::{
    Result,
    commands::{cargo, run, say, short, target},
};

/// Builds server, agent and command line small, and shows how small.
pub fn dist() -> Result {
    // The agent is built alone, with nothing but its own features in it.
    for package in ["muster-server", "muster-agent", "muster"] {
        run(&mut cargo(["build", "--profile", "dist", "--package", package]))?;
    }
    for name in ["muster-server", "muster-agent", "muster"] {
        let path = target().join("dist").join(name);
        let size = fs::metadata(&path).map_err(|error| format!("{}: {error}", short(&path)))?.len();
        // Tenths of a MiB in whole numbers.
        let tenths = size * 10 / (1 << 20);
        say(&format!("{:>4}.{} MiB  {}", tenths / 10, tenths % 10, short(&path)));
    }
    Ok(())
}
