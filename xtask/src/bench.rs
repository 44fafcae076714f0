//! `bench`: the figures that performance is judged by, from an optimised build, as text on the terminal.

use crate::{
    Result,
    commands::{cargo, run, say, target},
};

/// Builds with optimisation, then measures the store alone and the server from outside.
pub fn bench() -> Result {
    run(&mut cargo(["build", "--release", "--package", "muster-server", "--package", "muster-agent"]))?;
    let release = target().join("release");
    say("\n━━ the store, and the disk below it");
    let store = ["run", "--quiet", "--release", "--package", "muster-server", "--example", "store_bench", "--"];
    run(cargo(store).arg(&release))?;
    say("\n━━ the server, from outside");
    run(cargo(["bench", "--quiet", "--package", "muster-tests", "--bench", "serve", "--"]).arg(&release))
}
