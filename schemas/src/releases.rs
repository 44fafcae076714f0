//! Releases: versions of the agent, signed offline and verified by the agents themselves. Manifests and trust roots.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{Action, Actions},
    envelopes::{Envelope, EnvelopeError, PublicKey, sha256_hex},
    secrets::Secret,
};

/// The payload type of a release manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.muster.release+json";
/// The payload type of a trust root.
pub const ROOT_TYPE: &str = "application/vnd.muster.root+json";
/// The member `type` of a trust root.
const ROOT_KIND: &str = "root";
/// The product that releases of the agent name.
pub const PRODUCT: &str = "muster-agent";

/// The signed content of a release: one version and its files. Made by `muster release sign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Manifest {
    /// `release`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Grows with every signed release: an agent refuses a number below the highest one it has stored (rollback protection).
    pub manifest_version: u64,
    /// `muster-agent`.
    pub product: String,
    /// The version, as the binary itself says it.
    pub version: String,
    /// When it was signed, by the signer's clock. For people; nothing expires by it.
    pub issued_at: Timestamp,
    /// Releases with a `manifest_version` below this are refused from then on.
    #[serde(default)]
    pub security_floor: u64,
    /// Revoked versions, which must not be installed any more.
    #[serde(default)]
    pub revoked: Vec<String>,
    /// The files, one per platform.
    pub targets: Vec<Target>,
}

/// One file of a release, for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Target {
    /// `linux` or `windows`.
    pub os: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// The file's size in bytes, exactly.
    pub size: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

impl Target {
    /// `linux-x86_64`, as in the upload's path.
    pub fn platform(&self) -> String {
        format!("{}-{}", self.os, self.arch)
    }
}

impl Manifest {
    /// The manifest in an envelope whose signatures are good.
    pub fn verified(envelope: &Envelope, keys: &[PublicKey], threshold: usize) -> Result<Self, EnvelopeError> {
        let payload = envelope.verify(MANIFEST_TYPE, keys, threshold)?;
        read(&payload)
    }

    /// The manifest in an envelope that nobody has verified. For display and storage, never for execution.
    pub fn unverified(envelope: &Envelope) -> Result<Self, EnvelopeError> {
        if envelope.payload_type != MANIFEST_TYPE {
            return Err(EnvelopeError::WrongType { found: envelope.payload_type.clone(), expected: MANIFEST_TYPE });
        }
        read(&envelope.payload_bytes()?)
    }

    /// The file for a platform.
    pub fn target(&self, os: &str, arch: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.os == os && target.arch == arch)
    }
}

/// The highest number of a manifest that every reader of JSON reads exactly.
pub const MAX_MANIFEST_VERSION: u64 = (1 << 53) - 1;

/// What [`is_version`] asks for, in words.
pub const VERSION_RULE: &str = "must be a version: 1 to 64 letters, digits, '.', '-' or '+', first a digit";

/// What stands before the version in a file of the agent, on a line of its own: so a file tells its version without being run.
pub const VERSION_MARK: &str = "muster-agent-version=";
/// What stands behind it, and ends the line: texts that only happen to be neighbors in a file do not.
pub const VERSION_MARK_END: &str = ";";

/// Whether a text is a valid version: safe in a path, in a URL and in a log.
pub fn is_version(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    (1..=64).contains(&text.len()) && text.bytes().all(plain) && text.starts_with(|first: char| first.is_ascii_digit())
}

/// SHA-256 of the signed payload: it identifies a release exactly.
pub fn manifest_sha256(envelope: &Envelope) -> Result<String, EnvelopeError> {
    Ok(sha256_hex(&envelope.payload_bytes()?))
}

/// The root of trust: the keys that may sign. A host gets it when it joins, and only its own root keys can replace it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// `root`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Grows by one per successor.
    pub root_version: u64,
    /// Signs the next root.
    pub root: TrustRole,
    /// Signs release manifests.
    pub release: TrustRole,
}

/// Keys, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRole {
    /// How many different keys must sign; at least 1.
    pub threshold: usize,
    /// The keys.
    pub keys: Vec<PublicKey>,
}

impl Root {
    /// The first root: signed by its own root keys.
    pub fn first(envelope: &Envelope) -> Result<Self, EnvelopeError> {
        let claimed: Self = read(&envelope.payload_bytes()?)?;
        let payload = envelope.verify(ROOT_TYPE, &claimed.root.keys, claimed.root.threshold)?;
        let root: Self = read(&payload)?;
        if root.kind != ROOT_KIND {
            return Err(EnvelopeError::Unreadable(format!("its type is {:?}, not {ROOT_KIND:?}", root.kind)));
        }
        Ok(root)
    }

    /// The successor of this root: signed by this root's keys and by its own, one version later.
    pub fn successor(&self, envelope: &Envelope) -> Result<Self, EnvelopeError> {
        envelope.verify(ROOT_TYPE, &self.root.keys, self.root.threshold)?;
        let next = Self::first(envelope)?;
        if self.root_version.checked_add(1) == Some(next.root_version) {
            Ok(next)
        } else {
            let (is, was) = (next.root_version, self.root_version);
            Err(EnvelopeError::Unreadable(format!("root version {is} does not follow {was}")))
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Result<T, EnvelopeError> {
    serde_json::from_slice(payload).map_err(|error| EnvelopeError::Unreadable(error.to_string()))
}

/// A release as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReleaseView {
    /// The version.
    pub version: String,
    /// Whether it can be offered.
    pub state: ReleaseState,
    /// Reads well after "Waiting for". Absent when it waits for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<String>,
    /// The signed manifest. The server stores it without a guarantee: agents verify it.
    pub manifest: Manifest,
    /// SHA-256 of the signed payload, hexadecimal.
    pub manifest_sha256: String,
    /// Ids of the keys that signed.
    pub signed_by: Vec<String>,
    /// Platforms whose files are uploaded, as `linux-x86_64`.
    pub uploaded: Vec<String>,
    /// Why it was yanked. Absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked_reason: Option<String>,
    /// When it was announced.
    pub created_at: Timestamp,
    /// The record's revision.
    pub revision: u64,
    /// The actions that the caller may take on it now, and why the others are not allowed.
    #[serde(flatten)]
    pub actions: ActionsOnRelease,
}

/// Whether a release can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// Files are missing.
    Draft,
    /// All files are uploaded.
    Published,
    /// Withdrawn: not offered to any host.
    Yanked,
}

/// `POST /api/v1/releases/{version}/targets/{platform}/upload`: where to upload the file. Since protocol 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UploadPlace {
    /// A URL of the object store for one `PUT` of just this file, good for an hour; then
    /// `PUT /releases/{version}/targets/{platform}?uploaded=true` without a body confirms it. Anybody with the URL can
    /// upload this file. Absent: the bytes go to `PUT /releases/{version}/targets/{platform}` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Secret>,
    /// Headers to send with it, unchanged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// `POST /api/v1/releases/{version}/yank`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct YankRequest {
    /// Why, for people: 1 to 1 024 characters.
    pub reason: String,
}

/// [`ActionOnRelease`], each decided.
pub type ActionsOnRelease = Actions<ActionOnRelease>;

/// Actions on a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnRelease {
    /// Take it back.
    Yank,
}

impl Action for ActionOnRelease {
    const ALL: &'static [Self] = &[Self::Yank];
}
