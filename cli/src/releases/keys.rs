//! Signing keys (Ed25519): 32 random bytes in a file that only its owner can read. They are never sent to a server.

use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use muster_schemas::{
    envelopes::{Envelope, PublicKey, public_key},
    releases::{ROOT_TYPE, Root, TrustRole},
};

use crate::{failures::Failure, files};

/// The public keys that `release keygen` has generated.
pub struct GeneratedKeys {
    /// Verifies the next trust root.
    pub root: PublicKey,
    /// Verifies releases.
    pub release: PublicKey,
}

/// Generates `root.key`, `release.key` and the `root.json` that names both. Never overwrites a file.
pub fn generate(folder: &Path) -> Result<GeneratedKeys, Failure> {
    let paths = ["root.key", "release.key", "root.json"].map(|name| folder.join(name));
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        let why = "exists already, and keys are never overwritten; choose another folder with --out";
        return Err(Failure::Usage(format!("{} {why}", path.display())));
    }
    files::create_folder(folder)?;
    let [root, release] = [(), ()].map(|()| SigningKey::from_bytes(&rand::random()));
    for (path, key) in paths.iter().zip([&root, &release]) {
        files::create(path, &format!("{}\n", URL_SAFE_NO_PAD.encode(key.to_bytes())))?;
    }
    let keys = GeneratedKeys { root: public_key(&root), release: public_key(&release) };
    let role = |key| TrustRole { threshold: 1, keys: vec![key] };
    let payload = Root { kind: "root".into(), root_version: 1, root: role(keys.root), release: role(keys.release) };
    let payload = serde_json::to_vec(&payload).expect("a root is JSON");
    write_envelope(&paths[2], &Envelope::sign(ROOT_TYPE, &payload, &[root]))?;
    Ok(keys)
}

/// Reads a signing key from its file.
pub fn read(path: &Path) -> Result<SigningKey, Failure> {
    let text = files::read(path)?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let unreadable = || Failure::Unreadable {
        what: path.display().to_string(),
        why: "it is not a signing key (32 bytes in base64url); `muster release keygen` generates one".into(),
    };
    bytes.map(|bytes| SigningKey::from_bytes(&bytes)).ok_or_else(unreadable)
}

/// Reads an envelope from its file, without verifying it.
pub fn read_envelope(path: &Path) -> Result<Envelope, Failure> {
    let text = files::read(path)?;
    let unreadable = |error: serde_json::Error| Failure::Unreadable {
        what: path.display().to_string(),
        why: format!("it is not a signed envelope: {error}"),
    };
    serde_json::from_str(&text).map_err(unreadable)
}

/// Writes an envelope. It is public, so any user may read the file.
pub fn write_envelope(path: &Path, envelope: &Envelope) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(envelope).expect("an envelope is JSON");
    std::fs::write(path, text + "\n").map_err(|source| Failure::File { doing: "write", path: path.into(), source })
}
