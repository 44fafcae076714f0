//! What this binary says of itself.

/// The agent's version: `MUSTER_VERSION` at build time, or the crate's.
pub const VERSION: &str = match option_env!("MUSTER_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The commit it was built from: `MUSTER_COMMIT` at build time.
pub const COMMIT: &str = match option_env!("MUSTER_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// The operating system as releases name it.
pub const OS: &str = std::env::consts::OS;

/// The processor as releases name it.
pub const ARCHITECTURE: &str = std::env::consts::ARCH;
