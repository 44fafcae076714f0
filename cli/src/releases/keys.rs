//! Signing keys: 32 random bytes in a file for their owner only. They never reach a server.

use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use muster_schemas::{
    envelopes::{Envelope, PublicKey, public_key},
    releases::{ROOT_TYPE, Root, TrustRole},
};

use crate::{failures::Failure, files};

/// What `release keygen` made.
pub struct Made {
    /// Signs the next root.
    pub root: PublicKey,
    /// Signs releases.
    pub release: PublicKey,
}

/// Makes `root.key`, `release.key` and the `root.json` that names both. Nothing that is there is overwritten.
pub fn generate(folder: &Path) -> Result<Made, Failure> {
    let there = ["root.key", "release.key", "root.json"].map(|name| folder.join(name));
    if let Some(path) = there.iter().find(|path| path.exists()) {
        let why = "it is there already; keys are never overwritten, choose another --out";
        return Err(Failure::Usage(format!("{}: {why}", path.display())));
    }
    files::create_folder(folder)?;
    let [root, release] = [(), ()].map(|()| SigningKey::from_bytes(&rand::random()));
    for (path, key) in there.iter().zip([&root, &release]) {
        files::create(path, &format!("{}\n", URL_SAFE_NO_PAD.encode(key.to_bytes())))?;
    }
    let made = Made { root: public_key(&root), release: public_key(&release) };
    let role = |key| TrustRole { threshold: 1, keys: vec![key] };
    let payload = Root { kind: "root".into(), root_version: 1, root: role(made.root), release: role(made.release) };
    let payload = serde_json::to_vec(&payload).expect("a root is JSON");
    write_envelope(&there[2], &Envelope::sign(ROOT_TYPE, &payload, &[root]))?;
    Ok(made)
}

/// A signing key from its file.
pub fn read(path: &Path) -> Result<SigningKey, Failure> {
    let text = files::read(path)?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let unreadable = || Failure::Unreadable {
        what: path.display().to_string(),
        why: "a signing key is 32 bytes in base64url, as `muster release keygen` makes it".into(),
    };
    bytes.map(|bytes| SigningKey::from_bytes(&bytes)).ok_or_else(unreadable)
}

/// An envelope from its file, believed by nobody yet.
pub fn read_envelope(path: &Path) -> Result<Envelope, Failure> {
    let text = files::read(path)?;
    let unreadable = |error: serde_json::Error| Failure::Unreadable {
        what: path.display().to_string(),
        why: format!("not a signed envelope: {error}"),
    };
    serde_json::from_str(&text).map_err(unreadable)
}

/// Writes an envelope; it is public.
pub fn write_envelope(path: &Path, envelope: &Envelope) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(envelope).expect("an envelope is JSON");
    std::fs::write(path, text + "\n").map_err(|source| Failure::File { doing: "write", path: path.into(), source })
}
