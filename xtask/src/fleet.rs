//! `target/fleet`: the binaries that real fleets on this machine are made of.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    Result,
    commands::{cargo, run, target},
};

/// The agent is built as two versions, so that one can be updated to the other.
pub const VERSIONS: [(&str, &str); 2] = [("muster-agent-1", "1.0.0"), ("muster-agent-2", "1.1.0")];

/// A binary of the fleet.
pub fn binary(name: &str) -> PathBuf {
    target().join("fleet").join(name)
}

/// Builds them all. Every build selects the whole workspace, so that all share their dependencies.
pub fn build() -> Result {
    let others = ["muster-server", "muster", "muster-broken-agent", "muster-function-host"];
    run(&mut build_of(&others))?;
    for name in others {
        keep(name, name)?;
    }
    for (name, version) in VERSIONS {
        // The version is tracked by cargo: only the agent itself is compiled again.
        run(build_of(&["muster-agent"]).env("MUSTER_VERSION", version))?;
        keep("muster-agent", name)?;
    }
    Ok(())
}

fn build_of(binaries: &[&str]) -> Command {
    let binaries = binaries.iter().flat_map(|name| ["--bin", name]);
    cargo(["build", "--quiet", "--workspace"].into_iter().chain(binaries))
}

/// Puts a built binary in its place in one step: one that is running keeps running.
fn keep(built: &str, name: &str) -> Result {
    let (from, to) = (target().join("debug").join(built), binary(name));
    let temporary = to.with_extension("new");
    let failed = |error| format!("cannot put {} in its place: {error}", to.display());
    fs::create_dir_all(to.parent().expect("it is in the fleet's folder")).map_err(failed)?;
    fs::copy(&from, &temporary).map_err(failed)?;
    fs::rename(&temporary, &to).map_err(failed)
}
