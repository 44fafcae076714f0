//! The binaries that real fleets on this machine are made of.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    commands::{cargo, run, target},
};

/// The agent is built as two versions, so that one can be updated to the other.
pub const VERSIONS: [(&str, &str); 2] = [("muster-agent-1", "1.0.0"), ("muster-agent-2", "1.1.0")];

/// A fleet: where its binaries are kept, below `target`, and what they are built from.
pub struct Fleet {
    folder: &'static str,
    /// The packages that are selected, as cargo's arguments: each build of a fleet selects the same ones, so that all share
    /// their dependencies.
    selection: &'static [&'static str],
    binaries: &'static [&'static str],
}

/// What the tests of real processes start: of the whole workspace, as the tests themselves are.
pub const TESTS: Fleet = Fleet {
    folder: "fleet",
    selection: &["--workspace"],
    binaries: &["muster-server", "muster", "muster-broken-agent", "muster-function-host"],
};

/// What the demo starts: the server without Amazon's SDK, which takes longer to build than all the rest.
pub const DEMO: Fleet = Fleet {
    folder: "demo-fleet",
    selection: &[
        "--package=muster-server",
        "--package=muster-agent",
        "--package=muster",
        "--package=muster-broken-agent",
        "--no-default-features",
        "--features=muster-server/console,muster-server/embedded",
    ],
    binaries: &["muster-server", "muster", "muster-broken-agent"],
};

impl Fleet {
    /// A binary of it.
    pub fn binary(&self, name: &str) -> PathBuf {
        target().join(self.folder).join(name)
    }

    /// Builds it.
    pub fn build(&self) -> Result {
        run(&mut self.build_of(self.binaries))?;
        for name in self.binaries {
            self.keep(name, name)?;
        }
        for (name, version) in VERSIONS {
            // The version is tracked by cargo: only the agent itself is compiled again.
            run(self.build_of(&["muster-agent"]).env("MUSTER_VERSION", version))?;
            self.keep("muster-agent", name)?;
        }
        Ok(())
    }

    fn build_of(&self, binaries: &[&str]) -> Command {
        let binaries = binaries.iter().flat_map(|name| ["--bin", name]);
        cargo(["build", "--quiet"].iter().chain(self.selection).copied().chain(binaries))
    }

    /// Puts a built binary in its place in one step: one that is running keeps running.
    fn keep(&self, built: &str, name: &str) -> Result {
        put(&target().join("debug").join(built), &self.binary(name))
    }
}

/// Puts a file in its place in one step.
pub fn put(from: &Path, to: &Path) -> Result {
    let temporary = to.with_extension("new");
    let failed = |error| format!("cannot put {} in its place: {error}", to.display());
    fs::create_dir_all(to.parent().expect("it is in the fleet's folder")).map_err(failed)?;
    fs::copy(from, &temporary).map_err(failed)?;
    fs::rename(&temporary, to).map_err(failed)
}
