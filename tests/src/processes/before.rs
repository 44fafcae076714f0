//! Upgrade tests: the programs of the release before, as `cargo xtask test` builds them from the repository's history.

use std::path::PathBuf;

use super::{
    binaries::{AGENT, CLI, SERVER, target},
    skip::skip,
};

/// Which commit they are built from.
const COMMIT: &str = include_str!("../../fixtures/before/commit");

/// Programs of the release before; its agent says that it is version 0.9.0.
pub struct Before(PathBuf);

impl Before {
    /// None, said aloud, where the history was missing that they are built from.
    pub fn found() -> Option<Self> {
        let folder = target().join("before").join(COMMIT.trim());
        let found = [SERVER, AGENT, CLI].iter().all(|name| folder.join(name).exists());
        if !found {
            skip("`cargo xtask test` builds the release before, where the history of this clone goes back so far");
        }
        found.then_some(Self(folder))
    }

    /// Its server.
    pub fn server(&self) -> PathBuf {
        self.0.join(SERVER).canonicalize().unwrap()
    }

    /// Its agent.
    pub fn agent(&self) -> PathBuf {
        self.0.join(AGENT).canonicalize().unwrap()
    }

    /// Its command line.
    pub fn command_line(&self) -> PathBuf {
        self.0.join(CLI).canonicalize().unwrap()
    }
}
