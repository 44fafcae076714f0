//! Version pointer and update record: which version is committed and how the last update went, in two small files, each
//! replaced atomically.
//!
//! `current.json` is the single commit point. `update.json` only remembers; where the two disagree, `current.json` is right.

use std::path::{Path, PathBuf};

use muster_schemas::{
    envelopes::is_sha256,
    ids::JobId,
    releases::is_version,
    reports::{LastUpdate, UpdateOutcome},
};
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::{
    errors::{chain, head},
    sys::files::{FileError, read_json, write_json},
};

/// So often a new version is started before it is given up.
pub const TRIES: u32 = 3;
/// The longest reason that is told, in bytes.
const MAX_REASON_BYTES: usize = 4096;

/// `current.json`: what a restart brings back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The version that is run.
    pub committed: Choice,
    /// The version before it. Absent: none that could be gone back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Choice>,
}

/// One of the binaries on this host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The one that the package installed: the supervisor's own.
    #[default]
    Factory,
    /// One that an update has brought.
    Installed(Installed),
}

/// A binary under `versions/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Its version.
    pub version: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

/// `update.json`: the last update of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The job that asked for it.
    pub transaction: JobId,
    /// The version that ran before.
    pub from: String,
    /// The version that it is to bring.
    pub to: Installed,
    /// How far it is.
    pub phase: Phase,
    /// How often the new version may still be started.
    pub tries_left: u32,
    /// How often it was started.
    #[serde(default)]
    pub tries: u32,
    /// Why it failed, as a stable word. Empty while it has not.
    #[serde(default)]
    pub code: String,
    /// Why it failed, for people. Empty while it has not.
    #[serde(default)]
    pub reason: String,
    /// The last 4 KiB that the new version wrote to its stderr.
    #[serde(default)]
    pub log_tail: String,
}

/// How far an update is; `trial` draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Verified and installed; the supervisor is to start it.
    Armed,
    /// Started, not committed.
    OnTrial,
    /// Rolled back because it did not reach the server; whether the old version can is not known yet.
    Unproven,
    /// Committed: a restart starts it again.
    Committed,
    /// Rolled back.
    RolledBack,
    /// Rolled back without a verdict: the old version did not reach the server either.
    Inconclusive,
    /// Never started.
    Refused,
    /// Written by a newer agent.
    #[serde(other)]
    Unknown,
}

impl Phase {
    /// Whether nothing is left to be decided.
    pub fn is_decided(self) -> bool {
        self.outcome().is_some()
    }

    fn outcome(self) -> Option<UpdateOutcome> {
        match self {
            Self::Armed | Self::OnTrial | Self::Unproven | Self::Unknown => None,
            Self::Committed => Some(UpdateOutcome::Committed),
            Self::RolledBack => Some(UpdateOutcome::RolledBack),
            Self::Inconclusive => Some(UpdateOutcome::Inconclusive),
            Self::Refused => Some(UpdateOutcome::Refused),
        }
    }
}

impl Choice {
    /// The binary under `versions/`; `None` for the factory's.
    pub fn installed(&self) -> Option<&Installed> {
        match self {
            Self::Factory => None,
            Self::Installed(installed) => Some(installed),
        }
    }
}

impl Installed {
    /// Where it is. Both parts were checked before they came here, and are checked again: they become a path.
    pub fn directory(&self, state: &Path) -> Option<PathBuf> {
        let digest = self.sha256.get(..12).filter(|_| is_sha256(&self.sha256))?;
        is_version(&self.version).then(|| state.join("versions").join(format!("{}-{digest}", self.version)))
    }

    /// The binary itself.
    pub fn binary(&self, state: &Path) -> Option<PathBuf> {
        Some(self.directory(state)?.join(BINARY))
    }
}

/// The file's name in each version's directory.
pub const BINARY: &str = if cfg!(windows) { "muster-agent.exe" } else { "muster-agent" };

impl Pointer {
    /// The committed version; the factory version if none was ever committed.
    pub fn load(state: &Path) -> Result<Self, FileError> {
        Ok(read_json(&state.join("current.json"))?.unwrap_or_default())
    }

    /// The same; the factory's version as well when the file cannot be read, because something must run.
    pub fn load_or_factory(state: &Path) -> Self {
        Self::load(state).unwrap_or_else(|failed| {
            error!("Cannot read which version is committed, so the factory version is used: {}", chain(&failed));
            Self::default()
        })
    }

    /// Whether what an update is to is committed.
    pub fn has_committed(&self, update: &Update) -> bool {
        self.committed.installed() == Some(&update.to)
    }

    /// The pointer after an update.
    pub fn followed_by(self, update: &Update) -> Self {
        Self { committed: Choice::Installed(update.to.clone()), previous: Some(self.committed) }
    }

    /// The binaries under `versions/` that it names.
    pub fn installed(&self) -> Vec<&Installed> {
        [Some(&self.committed), self.previous.as_ref()].into_iter().flatten().filter_map(Choice::installed).collect()
    }

    /// The commit.
    pub fn save(&self, state: &Path) -> Result<(), FileError> {
        write_json(&state.join("current.json"), self)
    }
}

impl Update {
    /// The last update; `None` when there was none.
    pub fn load(state: &Path) -> Result<Option<Self>, FileError> {
        read_json(&state.join("update.json"))
    }

    /// Remembers.
    pub fn save(&self, state: &Path) -> Result<(), FileError> {
        write_json(&state.join("update.json"), self)
    }

    /// The reason with the last words of the version that failed, up to 4 KiB.
    pub fn full_reason(&self) -> String {
        let (reason, words) = (head(self.reason.clone(), MAX_REASON_BYTES / 2), self.log_tail.trim());
        if words.is_empty() {
            return reason;
        }
        let start = format!("{reason}; its last words: ");
        // The last of the last words say most.
        let excess = words.len().saturating_sub(MAX_REASON_BYTES - start.len());
        start + &words[words.ceil_char_boundary(excess)..]
    }

    /// How it ended, for the server. `None` while it has not.
    pub fn last_update(&self) -> Option<LastUpdate> {
        let outcome = self.phase.outcome()?;
        let (transaction, to, tries) = (self.transaction, self.to.version.clone(), self.tries);
        Some(LastUpdate { transaction, to, outcome, reason: self.full_reason(), tries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_version_and_no_digest_leads_out_of_its_directory() {
        let sha256 = "a".repeat(64);
        let path = |version: &str, sha256: &str| {
            Installed { version: version.into(), sha256: sha256.into() }.directory(Path::new("/s"))
        };
        assert_eq!(path("1.2.3", &sha256), Some("/s/versions/1.2.3-aaaaaaaaaaaa".into()));
        for version in ["", "..", "../1", "1/2", "1\\2", ".1", "1 2", "1\n", "v1", &"1".repeat(65)] {
            assert_eq!(path(version, &sha256), None, "{version}");
        }
        for sha256 in ["", "aa", &"A".repeat(64), &"/".repeat(64), &"ä".repeat(32)] {
            assert_eq!(path("1", sha256), None, "{sha256}");
        }
    }

    #[test]
    fn a_damaged_pointer_is_an_error_and_a_missing_one_means_the_factory() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Pointer::load(state.path()).unwrap(), Pointer::default());
        std::fs::write(state.path().join("current.json"), "").unwrap();
        assert!(Pointer::load(state.path()).is_err());
        assert_eq!(Pointer::load_or_factory(state.path()), Pointer::default());
    }

    #[test]
    fn the_reason_that_is_told_is_bounded() {
        let to = Installed { version: "2".into(), sha256: "a".repeat(64) };
        let transaction = JobId::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let update = Update {
            transaction,
            from: "1".into(),
            to,
            phase: Phase::RolledBack,
            tries_left: 0,
            tries: 1,
            code: "rolled_back".into(),
            reason: "it ended".into(),
            log_tail: "ä".repeat(4096),
        };
        let told = update.last_update().unwrap();
        assert!(told.reason.starts_with("it ended; its last words: ä") && told.reason.len() <= 4096);
    }

    #[test]
    fn a_phase_of_a_newer_agent_is_no_damage() {
        assert_eq!(serde_json::from_str::<Phase>("\"paused\"").unwrap(), Phase::Unknown);
        assert!(!Phase::Unknown.is_decided());
    }
}
