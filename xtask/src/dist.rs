//! `dist`: what is shipped.

use std::fs;

use crate::{
    Result,
    commands::{cargo, run, say, short, target},
    console,
};

/// Builds server, agent and command line small, and shows how small.
pub fn dist() -> Result {
    let console = console::put_into_servers()?;
    // The agent is built alone, with nothing but its own features in it.
    for package in ["muster-server", "muster-agent", "muster"] {
        run(cargo(["build", "--profile", "dist", "--package", package]).env("MUSTER_CONSOLE", &console))?;
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
