//! Version and platform of this binary.

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

/// The manifest version of the release it was built for: `MUSTER_MANIFEST_VERSION` at build time. 0: of no release. This host
/// never goes back behind it, whatever its state directory says.
pub const MANIFEST_VERSION: u64 = match option_env!("MUSTER_MANIFEST_VERSION") {
    Some(number) => match u64::from_str_radix(number, 10) {
        Ok(number) => number,
        Err(_) => panic!("MUSTER_MANIFEST_VERSION is no number"),
    },
    None => 0,
};

/// The operating system as releases name it.
pub const OS: &str = std::env::consts::OS;

/// The processor as releases name it.
pub const ARCHITECTURE: &str = std::env::consts::ARCH;
