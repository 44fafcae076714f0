//! Version and platform of this binary.

use muster_schemas::releases::{VERSION_MARK, VERSION_MARK_END};

/// The agent's version: `MUSTER_VERSION` at build time, or the crate's.
pub const VERSION: &str = match option_env!("MUSTER_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

const MARKED_LENGTH: usize = VERSION_MARK.len() + VERSION.len() + VERSION_MARK_END.len() + 2;

/// The version on a line of its own, as `muster release sign` finds it in this binary's file.
static MARKED: [u8; MARKED_LENGTH] = marked();

const fn marked() -> [u8; MARKED_LENGTH] {
    let (before, after) = (VERSION_MARK.as_bytes(), VERSION_MARK_END.as_bytes());
    let parts = [b"\n".as_slice(), before, VERSION.as_bytes(), after, b"\n"];
    let (mut line, mut length, mut part) = ([0; MARKED_LENGTH], 0, 0);
    while part < parts.len() {
        let mut byte = 0;
        while byte < parts[part].len() {
            line[length] = parts[part][byte];
            length += 1;
            byte += 1;
        }
        part += 1;
    }
    line
}

/// The version, out of that line: what is printed is what is found, and no compiler leaves the line out.
pub fn version() -> &'static str {
    let line = std::hint::black_box(&MARKED);
    let from = 1 + VERSION_MARK.len();
    str::from_utf8(&line[from..from + VERSION.len()]).unwrap_or(VERSION)
}

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
