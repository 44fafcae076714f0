//! Release signing: creates and verifies manifests offline.

use std::{collections::BTreeSet, path::Path};

use jiff::Timestamp;
use muster_schemas::{
    envelopes::{Envelope, PublicKey, sha256_hex},
    releases::{MANIFEST_TYPE, Manifest, PRODUCT, Root, Target, VERSION_RULE, is_version},
};

use super::keys;
use crate::{failures::Failure, files, pairs::TargetFile};

/// The fields of a new manifest, except its files.
pub struct ManifestFields {
    /// Version of the release, as the agent binary reports it.
    pub version: String,
    /// Number of the manifest; grows with every release.
    pub manifest_version: u64,
    /// Agents refuse releases with a lower manifest version from now on.
    pub security_floor: u64,
    /// Versions that agents no longer install.
    pub revoked: Vec<String>,
}

/// Creates the manifest of these files, signed with these keys.
pub fn sign(fields: ManifestFields, files: &[TargetFile], key_files: &[impl AsRef<Path>]) -> Result<Envelope, Failure> {
    let ManifestFields { version, manifest_version, security_floor, revoked } = fields;
    if let Some(wrong) = revoked.iter().find(|revoked| !is_version(revoked)) {
        return Err(Failure::Usage(format!("--revoke {wrong:?} {VERSION_RULE}")));
    }
    if revoked.contains(&version) {
        return Err(Failure::Usage(format!("--revoke {version} is this release itself; agents would refuse it")));
    }
    if security_floor > manifest_version {
        let rule = "--security-floor is higher than --manifest-version; agents would refuse this release itself";
        return Err(Failure::Usage(rule.into()));
    }
    let manifest = Manifest {
        kind: "release".into(),
        manifest_version,
        product: PRODUCT.into(),
        version,
        issued_at: Timestamp::now(),
        security_floor,
        revoked,
        targets: targets(files)?,
    };
    let signing_keys = key_files.iter().map(|path| keys::read(path.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let payload = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    Ok(Envelope::sign(MANIFEST_TYPE, &payload, &signing_keys))
}

/// Refuses a manifest that none of the release keys of a trust root has signed, so that a wrong key is noticed where it is used.
pub fn check_keys(root: &Path, envelope: &Envelope) -> Result<(), Failure> {
    let untrusted = |error| Failure::untrusted(root.display().to_string(), &error);
    let trust = Root::first(&keys::read_envelope(root)?).map_err(untrusted)?;
    Manifest::verified(envelope, &trust.release.keys, 1).map(drop).map_err(|_| {
        let release = trust.release.keys.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ");
        let own = envelope.signatures.iter().map(|signature| signature.keyid.as_str()).collect::<Vec<_>>().join(", ");
        let why = format!("{own} signs no releases by {}; {release} does", root.display());
        Failure::Untrusted { what: "the signing key".into(), why }
    })
}

/// Verifies that the release keys of the trust root signed the manifest, and that the files are the ones that it names.
pub fn verify(root: &Path, manifest: &Path, files: &[TargetFile]) -> Result<Manifest, Failure> {
    let untrusted_root = |error| Failure::untrusted(root.display().to_string(), &error);
    let trust = Root::first(&keys::read_envelope(root)?).map_err(untrusted_root)?;
    let envelope = keys::read_envelope(manifest)?;
    let verified = Manifest::verified(&envelope, &trust.release.keys, trust.release.threshold);
    let verified = verified.map_err(|error| Failure::untrusted(manifest.display().to_string(), &error))?;
    for file in files {
        check(&verified, file)?;
    }
    Ok(verified)
}

/// Checks that a file is the one that the manifest names for its platform, and returns its size.
pub fn check(manifest: &Manifest, file: &TargetFile) -> Result<u64, Failure> {
    let untrusted = |why: String| Failure::Untrusted { what: file.path.display().to_string(), why };
    let expected = manifest.target(&file.os, &file.arch);
    let named = || untrusted(format!("the manifest of {} names no file for {}", manifest.version, file.platform()));
    let expected = expected.ok_or_else(named)?;
    let found = target(file)?;
    if found == *expected {
        return Ok(found.size);
    }
    let (version, platform) = (&manifest.version, file.platform());
    Err(untrusted(format!(
        "the manifest of {version} expects {} bytes with digest {} for {platform}, but the file has {} bytes with digest {}",
        expected.size, expected.sha256, found.size, found.sha256
    )))
}

fn targets(files: &[TargetFile]) -> Result<Vec<Target>, Failure> {
    let mut platforms = BTreeSet::new();
    if let Some(twice) = files.iter().find(|file| !platforms.insert(file.platform())) {
        return Err(Failure::Usage(format!("--target {} is given twice", twice.platform())));
    }
    files.iter().map(target).collect()
}

fn target(file: &TargetFile) -> Result<Target, Failure> {
    let bytes = files::read_bytes(&file.path)?;
    let (os, arch) = (file.os.clone(), file.arch.clone());
    Ok(Target { os, arch, size: bytes.len() as u64, sha256: sha256_hex(&bytes) })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    struct Workspace {
        folder: tempfile::TempDir,
        file: TargetFile,
    }

    impl Workspace {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            keys::generate(&folder.path().join("keys")).unwrap();
            let path = folder.path().join("muster-agent");
            fs::write(&path, "the agent").unwrap();
            Self { file: TargetFile { os: "linux".into(), arch: "x86_64".into(), path }, folder }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn signed(&self, key: &str) -> Envelope {
            let (version, revoked) = ("1.1.0".into(), vec!["1.0.9".into()]);
            let fields = ManifestFields { version, manifest_version: 2, security_floor: 1, revoked };
            sign(fields, std::slice::from_ref(&self.file), &[self.path(key)]).unwrap()
        }

        fn verify(&self, envelope: &Envelope) -> Result<Manifest, Failure> {
            keys::write_envelope(&self.path("manifest.json"), envelope)?;
            verify(&self.path("keys/root.json"), &self.path("manifest.json"), std::slice::from_ref(&self.file))
        }
    }

    #[test]
    fn a_manifest_signed_by_the_release_key_is_trusted() {
        let workspace = Workspace::new();
        let manifest = workspace.verify(&workspace.signed("keys/release.key")).unwrap();
        assert_eq!((manifest.version.as_str(), manifest.targets[0].size), ("1.1.0", 9));
    }

    #[test]
    fn a_manifest_signed_by_another_key_is_not_trusted() {
        let workspace = Workspace::new();
        assert!(matches!(workspace.verify(&workspace.signed("keys/root.key")), Err(Failure::Untrusted { .. })));
        let mut both = workspace.signed("keys/root.key");
        both.countersign(&keys::read(&workspace.path("keys/release.key")).unwrap()).unwrap();
        assert!(workspace.verify(&both).is_ok());
    }

    #[test]
    fn one_changed_byte_in_the_file_the_manifest_or_the_root_is_detected() {
        let workspace = Workspace::new();
        let envelope = workspace.signed("keys/release.key");
        let mut changed = envelope.clone();
        changed.payload.replace_range(8..9, if &changed.payload[8..9] == "A" { "B" } else { "A" });
        assert!(workspace.verify(&changed).is_err());
        fs::write(&workspace.file.path, "the Agent").unwrap();
        assert!(matches!(workspace.verify(&envelope), Err(Failure::Untrusted { .. })));
        fs::write(&workspace.file.path, "the agent").unwrap();
        let root = fs::read_to_string(workspace.path("keys/root.json")).unwrap();
        let other = keys::generate(&workspace.path("other")).map(|_| workspace.path("other/root.json")).unwrap();
        fs::copy(other, workspace.path("keys/root.json")).unwrap();
        assert!(workspace.verify(&envelope).is_err());
        fs::write(workspace.path("keys/root.json"), root).unwrap();
        assert!(workspace.verify(&envelope).is_ok());
    }

    #[test]
    fn keys_are_never_overwritten() {
        let workspace = Workspace::new();
        assert!(matches!(keys::generate(&workspace.path("keys")), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_platform_is_named_once() {
        let workspace = Workspace::new();
        assert!(targets(&[workspace.file.clone(), workspace.file.clone()]).is_err());
    }
}
