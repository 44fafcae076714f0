//! The programs under test, as `cargo xtask test` builds them.

use std::path::PathBuf;

/// The server.
pub const SERVER: &str = "muster-server";
/// The command line.
pub const CLI: &str = "muster";
/// What runs the server as functions.
pub const FUNCTION_HOST: &str = "muster-function-host";
/// The agent, as a build of a whole release names it.
pub const AGENT: &str = "muster-agent";
/// The agent in version 1.0.0.
pub const AGENT_1: &str = "muster-agent-1";
/// The agent in version 1.1.0.
pub const AGENT_2: &str = "muster-agent-2";
/// The program that is any bad release.
pub const BROKEN_AGENT: &str = "muster-broken-agent";

/// The versions that hosts of tests join with: what was there before any release.
pub const FACTORY_VERSIONS: [&str; 2] = ["0.9.0", "1.0.0"];

/// Where cargo builds.
pub fn target() -> PathBuf {
    let root = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(root, PathBuf::from)
}

/// Where a program is.
pub fn binary(name: &str) -> PathBuf {
    let path = target().join("fleet").join(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask test`", path.display());
    path.canonicalize().unwrap()
}

/// A program's bytes.
pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(binary(name)).unwrap()
}
