//! The version of this binary: built in, so that it can always be asked.

/// The version.
pub const VERSION: &str = match option_env!("MUSTER_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The commit it was built from.
pub const COMMIT: &str = match option_env!("MUSTER_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};
