//! Releases of a test: signed with a key of the test, and a few bytes long.

use ed25519_dalek::SigningKey;
use muster_schemas::{
    envelopes::{Envelope, sha256_hex},
    releases::{MANIFEST_TYPE, Manifest, PRODUCT, ReleaseView, Target},
};

use super::World;

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// The file for `linux-x86_64`.
    pub bytes: Vec<u8>,
    /// What is signed.
    pub manifest: Manifest,
    /// The signed manifest.
    pub envelope: Envelope,
}

impl Release {
    /// Signs a release of one file.
    pub fn sign(world: &World, version: &str) -> Self {
        let bytes = format!("the agent {version}").into_bytes();
        let target =
            Target { os: "linux".into(), arch: "x86_64".into(), size: bytes.len() as u64, sha256: sha256_hex(&bytes) };
        let manifest = Manifest {
            kind: "release".into(),
            manifest_version: world.number(),
            product: PRODUCT.into(),
            version: version.into(),
            issued_at: world.now(),
            security_floor: 0,
            revoked: Vec::new(),
            targets: vec![target],
        };
        let envelope = signed(&manifest);
        Self { version: version.into(), bytes, manifest, envelope }
    }

    /// The same files, signed anew with the next number.
    #[must_use]
    pub fn signed_anew(&self, world: &World) -> Self {
        let manifest = Manifest { manifest_version: world.number(), ..self.manifest.clone() };
        Self { envelope: signed(&manifest), manifest, ..self.clone() }
    }

    /// What a host that runs it reports as its executable's digest.
    pub fn sha256(&self) -> String {
        sha256_hex(&self.bytes)
    }
}

/// A manifest, signed with the key of the tests.
pub fn signed(manifest: &Manifest) -> Envelope {
    let payload = serde_json::to_vec(manifest).unwrap();
    Envelope::sign(MANIFEST_TYPE, &payload, &[SigningKey::from_bytes(&[7; 32])])
}

impl World {
    /// Signs, announces and uploads a release.
    pub async fn publishes(&self, version: &str) -> Release {
        let release = Release::sign(self, version);
        self.admin().await.post("/api/v1/releases", &release.envelope).await.is(201);
        self.uploads(&release).await.is(200);
        release
    }

    /// Uploads the one file of a release.
    pub async fn uploads(&self, release: &Release) -> super::Answer {
        let path = format!("/api/v1/releases/{}/targets/linux-x86_64", release.version);
        self.admin().await.put(&path, release.bytes.clone()).await
    }

    /// A release as operators see it.
    pub async fn sees_release(&self, version: &str) -> ReleaseView {
        self.viewer().await.get(&format!("/api/v1/releases/{version}")).await.is(200).json()
    }
}
