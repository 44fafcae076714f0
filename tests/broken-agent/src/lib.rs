//! How one compiled program becomes many bad releases: what it shall do stands at the end of its own file.
//!
//! ```text
//! <the executable's bytes>\nMUSTER-BROKEN {"version":"9.9.9","mode":"crash"}\n
//! ```
//!
//! The line is written by [`Behaviour::line`] and is nothing but what it looks like: no spaces, no escapes, the two
//! members in this order. A release made so differs in its bytes from every other, as real ones do.

use std::fmt;

const MARK: &str = "\nMUSTER-BROKEN ";

/// How a bad release behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Passes its self-check; as a worker writes a panic to stderr and aborts.
    Crash,
    /// Passes its self-check; as a worker says nothing, for ever, until stdin ends.
    Hang,
    /// As `Hang`, and even the end of stdin does not stop it: it must be killed.
    Deaf,
    /// Passes its self-check; as a worker ends at once, with success.
    Exit0,
    /// Its self-check names another version than the release.
    WrongVersion,
    /// Its self-check fails.
    PreflightFails,
    /// Its self-check never ends.
    PreflightHangs,
}

/// Every mode, under its name in the line.
pub const MODES: [(&str, Mode); 7] = [
    ("crash", Mode::Crash),
    ("hang", Mode::Hang),
    ("deaf", Mode::Deaf),
    ("exit0", Mode::Exit0),
    ("wrong_version", Mode::WrongVersion),
    ("preflight_fails", Mode::PreflightFails),
    ("preflight_hangs", Mode::PreflightHangs),
];

/// What a bad release is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// The version it is released as.
    pub version: String,
    /// How it behaves.
    pub mode: Mode,
}

impl Behaviour {
    /// The bytes to append to the program's file.
    pub fn line(&self) -> String {
        let name = MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("", |(name, _)| name);
        format!("{MARK}{{\"version\":\"{}\",\"mode\":\"{name}\"}}\n", self.version)
    }

    /// The behaviour at the end of a file; none where there is no such line.
    pub fn read(file: &[u8]) -> Option<Self> {
        let start = file.windows(MARK.len()).rposition(|window| window == MARK.as_bytes())?;
        let line = std::str::from_utf8(&file[start + MARK.len()..]).ok()?;
        let members = line.strip_prefix("{\"version\":\"")?.strip_suffix("\"}\n")?;
        let (version, name) = members.split_once("\",\"mode\":\"")?;
        let (_, mode) = MODES.iter().find(|(known, _)| *known == name)?;
        Some(Self { version: version.into(), mode: *mode })
    }

    /// The bad release made from the program's bytes.
    pub fn release(&self, program: &[u8]) -> Vec<u8> {
        [program, self.line().as_bytes()].concat()
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line().trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_reads_back_from_the_end_of_the_file() {
        for (_, mode) in MODES {
            let behaviour = Behaviour { version: "9.9.9".into(), mode };
            assert_eq!(Behaviour::read(&behaviour.release(b"\x7fELF\xff bytes")), Some(behaviour));
        }
    }

    #[test]
    fn only_the_last_line_counts_and_only_at_the_very_end() {
        let [old, new] = ["1.0.0", "2.0.0"].map(|version| Behaviour { version: version.into(), mode: Mode::Hang });
        assert_eq!(Behaviour::read(&new.release(&old.release(b"program"))), Some(new.clone()));
        assert_eq!(Behaviour::read(&[new.release(b"program"), b"more".to_vec()].concat()), None);
        assert_eq!(Behaviour::read(b"program"), None);
    }
}
