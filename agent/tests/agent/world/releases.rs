//! Releases, good and bad.

use std::fs;

use ed25519_dalek::SigningKey;
use muster_schemas::{
    envelopes::{Envelope, public_key, sha256_hex},
    ids::JobId,
    releases::{MANIFEST_TYPE, Manifest, PRODUCT, ROOT_TYPE, Root, Target, TrustRole, manifest_sha256},
};
use serde_json::json;

use super::{host::Host, server::Server};

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Gives the host a root of trust: root key 1, release key 2.
pub fn trust(host: &Host) {
    let role = |seed| TrustRole { threshold: 1, keys: vec![public_key(&key(seed))] };
    let root = Root { kind: "root".into(), root_version: 1, root: role(1), release: role(2) };
    let envelope = Envelope::sign(ROOT_TYPE, &serde_json::to_vec(&root).unwrap(), &[key(1)]);
    let file = host.path("first-root.json");
    fs::write(&file, serde_json::to_vec(&envelope).unwrap()).unwrap();
    assert!(host.command("trust-root").arg(file).output().unwrap().status.success());
}

pub fn manifest(version: &str, number: u64, blob: &[u8]) -> Manifest {
    let target = Target {
        os: "linux".into(),
        arch: std::env::consts::ARCH.into(),
        size: blob.len() as u64,
        sha256: sha256_hex(blob),
    };
    Manifest {
        kind: "release".into(),
        manifest_version: number,
        product: PRODUCT.into(),
        version: version.into(),
        issued_at: jiff::Timestamp::UNIX_EPOCH,
        security_floor: 0,
        revoked: Vec::new(),
        targets: vec![target],
    }
}

pub fn signed(manifest: &Manifest, seed: u8) -> Envelope {
    Envelope::sign(MANIFEST_TYPE, &serde_json::to_vec(manifest).unwrap(), &[key(seed)])
}

/// Offers an update to what this envelope says, with these bytes.
pub fn offer(server: &Server, envelope: Envelope, blob: Vec<u8>) -> JobId {
    let version = Manifest::unverified(&envelope).unwrap().version;
    let manifest_sha256 = manifest_sha256(&envelope).unwrap();
    server.with(|world| (world.manifest, world.blob) = (Some(envelope), blob));
    server.job("self_update", json!({ "version": version, "manifest_sha256": manifest_sha256 }))
}

/// The agent itself, with other bytes: the version is the same, the digest is not.
pub fn good_agent() -> Vec<u8> {
    let mut bytes = fs::read(&*super::host::AGENT).unwrap();
    bytes.extend_from_slice(b"another build");
    bytes
}

/// A version that passes its preflight and then does this as a worker.
pub fn script(version: &str, work: &str) -> Vec<u8> {
    format!("#!/bin/sh\nif [ $1 = self-check ]; then echo '{{\"version\":\"{version}\"}}'; exit 0; fi\n{work}\n")
        .into_bytes()
}
