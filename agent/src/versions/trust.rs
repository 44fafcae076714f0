//! Root of trust and rollback protection for releases.
//!
//! `trust/root.json` names the keys; only its own root keys can replace it. `trust/floor.json` keeps the highest manifest version
//! seen, the security floor and what was revoked: stored before it is used, never lowered. A compromised server can
//! withhold releases, but nothing more.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use muster_schemas::{
    envelopes::{Envelope, EnvelopeError, is_sha256},
    jobs::SelfUpdateSpec,
    releases::{Manifest, PRODUCT, Root, Target, manifest_sha256},
};
use serde::{Deserialize, Serialize};

use super::pointer::{BINARY, Installed};
use crate::{
    errors::chain,
    sys::files::{FileError, create_private_directory, read_json, sha256_of, write_json},
    version::MANIFEST_VERSION,
};

/// The largest binary that is ever downloaded, in bytes.
const MAX_TARGET_BYTES: u64 = 256 * 1024 * 1024;

/// Why a release is not installed: a stable word, and the same for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The word.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// Why a root of trust is not installed.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not there.
    #[error("{0} does not exist")]
    Missing(String),
    /// It is not signed as it must be.
    #[error("the root of trust cannot be verified")]
    Unbelieved(#[source] EnvelopeError),
}

/// The root of trust and the rollback floor of this host.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    root: Root,
    floor: Floor,
}

/// `trust/floor.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The highest `manifest_version` ever accepted.
    pub manifest_version: u64,
    /// Releases below it are refused for ever.
    pub security_floor: u64,
    /// Versions that were revoked.
    pub revoked: BTreeSet<String>,
}

/// The platform that a release must have a file for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform<'a> {
    /// `linux` or `windows`.
    pub os: &'a str,
    /// `x86_64` or `aarch64`.
    pub architecture: &'a str,
}

/// The purpose of verifying an installed version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be tried as the next one.
    Update,
    /// To be gone back to.
    GoBack,
}

impl Trust {
    /// The root and the floor of a state directory.
    pub fn load(state: &Path) -> Result<Self, Refusal> {
        let refuse = |failed: &dyn std::error::Error| Refusal::new("no_trust_root", chain(failed));
        let envelope: Option<Envelope> = read_json(&root_path(state)).map_err(|failed| refuse(&failed))?;
        let none = || Refusal::new("no_trust_root", "this host has no root of trust, so it accepts no release");
        let root = Root::first(&envelope.ok_or_else(none)?).map_err(|failed| refuse(&failed))?;
        // A floor that cannot be read might be any floor.
        let floor = read_json(&floor_path(state)).map_err(|failed| Refusal::new("rollback", chain(&failed)))?;
        Ok(Self { root, floor: at_least(floor.unwrap_or_default(), MANIFEST_VERSION) })
    }

    /// The file to install, if this is the release that was asked for and nothing speaks against it.
    pub fn judge(
        &self,
        envelope: &Envelope,
        wanted: &SelfUpdateSpec,
        platform: Platform<'_>,
    ) -> Result<(Manifest, Target), Refusal> {
        let manifest = self.verified(envelope)?;
        let digest = manifest_sha256(envelope).map_err(|failed| Refusal::new("signature", chain(&failed)))?;
        if manifest.version != wanted.version || digest != wanted.manifest_sha256 {
            return Err(Refusal::new("signature", "the server sent a different release than the requested one"));
        }
        self.check_floor(&manifest)?;
        let target = manifest.target(platform.os, platform.architecture).cloned().ok_or_else(|| {
            let Platform { os, architecture } = platform;
            Refusal::new("platform", format!("the release has no file for {os} on {architecture}"))
        })?;
        if !is_sha256(&target.sha256) || target.size == 0 || target.size > MAX_TARGET_BYTES {
            return Err(Refusal::new("size", format!("the release's file has {} bytes", target.size)));
        }
        Ok((manifest, target))
    }

    /// Raises the floor to this manifest's, durably, before anything of the release is used.
    pub fn raise(&mut self, state: &Path, manifest: &Manifest) -> Result<(), Refusal> {
        self.floor.manifest_version = self.floor.manifest_version.max(manifest.manifest_version);
        self.floor.security_floor = self.floor.security_floor.max(manifest.security_floor);
        self.floor.revoked.extend(manifest.revoked.iter().cloned());
        write_json(&floor_path(state), &self.floor).map_err(|failed| Refusal::new("rollback", chain(&failed)))
    }

    /// Looks at an installed version once more, as if nothing had been checked: signatures, floor, digest.
    pub fn check_installed(
        &self,
        state: &Path,
        installed: &Installed,
        platform: Platform<'_>,
        purpose: Purpose,
    ) -> Result<(), Refusal> {
        let directory = installed.directory(state).ok_or_else(|| Refusal::new("digest", "no such version"))?;
        let signature = |failed: &dyn std::error::Error| Refusal::new("signature", chain(failed));
        let envelope: Option<Envelope> =
            read_json(&directory.join("manifest.json")).map_err(|failed| signature(&failed))?;
        let envelope = envelope.ok_or_else(|| Refusal::new("signature", "its manifest is missing"))?;
        let manifest = self.verified(&envelope)?;
        match purpose {
            Purpose::Update => self.check_floor(&manifest)?,
            Purpose::GoBack => self.check_security(&manifest)?,
        }
        let named = manifest.target(platform.os, platform.architecture).map(|target| target.sha256.as_str());
        if manifest.version != installed.version || named != Some(installed.sha256.as_str()) {
            return Err(Refusal::new("digest", "its manifest is for another version"));
        }
        let (sha256, _) =
            sha256_of(&directory.join(BINARY)).map_err(|failed| Refusal::new("digest", chain(&failed)))?;
        if sha256 == installed.sha256 {
            Ok(())
        } else {
            Err(Refusal::new("digest", "its file does not match the signed digest"))
        }
    }

    fn verified(&self, envelope: &Envelope) -> Result<Manifest, Refusal> {
        let role = &self.root.release;
        let manifest = Manifest::verified(envelope, &role.keys, role.threshold)
            .map_err(|failed| Refusal::new("signature", chain(&failed)))?;
        if manifest.kind != "release" || manifest.product != PRODUCT {
            let message =
                format!("the manifest is for a {} of {}, not for this agent", manifest.kind, manifest.product);
            return Err(Refusal::new("platform", message));
        }
        Ok(manifest)
    }

    fn check_floor(&self, manifest: &Manifest) -> Result<(), Refusal> {
        let (number, manifest_version) = (manifest.manifest_version, self.floor.manifest_version);
        if number < manifest_version {
            let message =
                format!("manifest {number} is older than manifest {manifest_version}, which this host has accepted");
            return Err(Refusal::new("rollback", message));
        }
        self.check_security(manifest)
    }

    /// The rules that apply to the previous version as well, which is always older than the newest one accepted.
    fn check_security(&self, manifest: &Manifest) -> Result<(), Refusal> {
        let Floor { manifest_version: _, security_floor, revoked } = &self.floor;
        let number = manifest.manifest_version;
        if number < (*security_floor).max(manifest.security_floor) {
            return Err(Refusal::new("rollback", format!("manifest {number} is below the security floor")));
        }
        if revoked.contains(&manifest.version) || manifest.revoked.contains(&manifest.version) {
            return Err(Refusal::new("revoked", format!("version {} was revoked", manifest.version)));
        }
        Ok(())
    }
}

impl Refusal {
    /// A reason.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Installs the first root of trust, or the successor of the one that is there. The same one again is fine.
pub fn install_root(state: &Path, file: &Path) -> Result<u64, RootError> {
    let missing = || RootError::Missing(file.display().to_string());
    let envelope: Envelope = read_json(file)?.ok_or_else(missing)?;
    let path = root_path(state);
    let root = match read_json::<Envelope>(&path)? {
        None => Root::first(&envelope),
        Some(current) if current == envelope => Root::first(&envelope),
        Some(current) => Root::first(&current).and_then(|current| current.successor(&envelope)),
    };
    let root = root.map_err(RootError::Unbelieved)?;
    create_private_directory(&state.join("trust"))?;
    write_json(&path, &envelope)?;
    Ok(root.root_version)
}

fn root_path(state: &Path) -> PathBuf {
    state.join("trust").join("root.json")
}

fn floor_path(state: &Path) -> PathBuf {
    state.join("trust").join("floor.json")
}

/// The floor of a fresh state directory: the release that this binary came from.
fn at_least(floor: Floor, own: u64) -> Floor {
    Floor { manifest_version: floor.manifest_version.max(own), ..floor }
}

/// Removes versions that are neither committed, previous nor on trial.
pub fn remove_versions_except(state: &Path, kept: &[&Installed]) -> io::Result<()> {
    let kept: Vec<_> = kept.iter().filter_map(|installed| installed.directory(state)).collect();
    for entry in fs::read_dir(state.join("versions"))? {
        let path = entry?.path();
        if !kept.contains(&path) {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
