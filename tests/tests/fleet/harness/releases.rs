//! Releases, signed as `muster release sign` does, honestly or not.

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use muster_broken_agent::{Behaviour, Mode};
use muster_schemas::{
    envelopes::{Envelope, public_key, sha256_hex},
    releases::{MANIFEST_TYPE, Manifest, PRODUCT, ROOT_TYPE, Root, Target, TrustRole, manifest_sha256},
};

use super::binaries::{BROKEN_AGENT, bytes};

/// Who signs.
pub struct Publisher {
    root: SigningKey,
    release: SigningKey,
}

/// A manifest with its signatures, and the file it names.
#[derive(Clone)]
pub struct Release {
    /// What is signed.
    pub manifest: Manifest,
    /// The same, signed.
    pub envelope: Envelope,
    /// What is sent as its file.
    pub file: Vec<u8>,
}

impl Publisher {
    /// New keys.
    pub fn new() -> Self {
        let [root, release] = [(), ()].map(|()| SigningKey::from_bytes(&rand::random()));
        Self { root, release }
    }

    /// The root of trust that hosts are given when they join.
    pub fn trust_root(&self) -> Envelope {
        let role = |key| TrustRole { threshold: 1, keys: vec![public_key(key)] };
        let root = Root { kind: "root".into(), root_version: 1, root: role(&self.root), release: role(&self.release) };
        Envelope::sign(ROOT_TYPE, &serde_json::to_vec(&root).unwrap(), std::slice::from_ref(&self.root))
    }

    /// A release of a file for this machine, signed.
    pub fn release(&self, version: &str, manifest_version: u64, file: Vec<u8>) -> Release {
        self.release_with(version, manifest_version, file, |_| {})
    }

    /// The same, with a manifest that was changed before it was signed.
    pub fn release_with(
        &self,
        version: &str,
        manifest_version: u64,
        file: Vec<u8>,
        change: impl FnOnce(&mut Manifest),
    ) -> Release {
        let (os, arch) = (std::env::consts::OS.into(), std::env::consts::ARCH.into());
        let target = Target { os, arch, size: file.len() as u64, sha256: sha256_hex(&file) };
        let mut manifest = Manifest {
            kind: "release".into(),
            manifest_version,
            product: PRODUCT.into(),
            version: version.into(),
            issued_at: Timestamp::now(),
            security_floor: 0,
            revoked: Vec::new(),
            targets: vec![target],
        };
        change(&mut manifest);
        let envelope = sign(&manifest, &self.release);
        Release { manifest, envelope, file }
    }
}

impl Release {
    /// Its digest as jobs name it.
    pub fn sha256(&self) -> String {
        manifest_sha256(&self.envelope).unwrap()
    }

    /// The same, signed by somebody whom nobody trusts.
    pub fn signed_by_a_stranger(self) -> Self {
        let envelope = sign(&self.manifest, &SigningKey::from_bytes(&rand::random()));
        Self { envelope, ..self }
    }
}

fn sign(manifest: &Manifest, key: &SigningKey) -> Envelope {
    Envelope::sign(MANIFEST_TYPE, &serde_json::to_vec(manifest).unwrap(), std::slice::from_ref(key))
}

/// The bytes of a release that is bad in this way.
pub fn broken(version: &str, mode: Mode) -> Vec<u8> {
    Behaviour { version: version.into(), mode }.release(&bytes(BROKEN_AGENT))
}
