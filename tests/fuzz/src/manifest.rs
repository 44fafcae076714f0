//! Release manifests that a trusted key has signed, whatever they say.

use std::{fs, path::Path, sync::LazyLock};

use muster_agent::{
    sys::files::{create_private_directory, read_json, write_json},
    versions::trust::{Floor, Platform, Trust, install_root},
};
use muster_schemas::{
    envelopes::{Envelope, sha256_hex},
    jobs::SelfUpdateSpec,
    releases::{Manifest, PRODUCT, Target},
};

use crate::given::{directory, first_root, signed_by_known};

const PLATFORM: Platform<'_> = Platform { os: "linux", architecture: "x86_64" };
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A host that has seen release 5, with security floor 3, and that 0.9.0 is revoked.
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let state = directory();
    prepare(state.path());
    Trust::load(state.path()).expect("the root is one, and so is the floor")
});

/// A manifest is believed exactly when every rule lets it, only from the key that may sign, only as what was asked for; and
/// whoever believed it does not believe an older one afterwards.
pub fn manifest(bytes: &[u8]) {
    let envelope = signed_by_known(bytes, &[0]);
    let claimed = serde_json::from_slice::<Manifest>(bytes);
    let version = claimed.as_ref().map_or_else(|_| "1.1.0".to_owned(), |manifest| manifest.version.clone());
    let wanted = SelfUpdateSpec { version, manifest_sha256: sha256_hex(bytes) };

    let judged = TRUST.judge(&envelope, &wanted, PLATFORM);
    let believable = claimed.as_ref().is_ok_and(is_believable);
    assert_eq!(judged.is_ok(), believable, "{judged:?}");

    let stranger = signed_by_known(bytes, &[1, 2]);
    assert!(TRUST.judge(&stranger, &wanted, PLATFORM).is_err(), "nobody who may sign has signed it");
    let other = SelfUpdateSpec { manifest_sha256: sha256_hex(b"another"), ..wanted.clone() };
    assert!(TRUST.judge(&envelope, &other, PLATFORM).is_err(), "another release was asked for");
    if let Ok((manifest, target)) = judged {
        assert_eq!(claimed.ok().as_ref(), Some(&manifest), "what is believed is what was signed");
        assert_eq!(manifest.target(PLATFORM.os, PLATFORM.architecture), Some(&target));
        raises_the_floor(&envelope, &manifest, &wanted);
    }
}

/// The rules of the agent's head, written down once more.
fn is_believable(manifest: &Manifest) -> bool {
    let number = manifest.manifest_version;
    let named = |target: &&Target| target.os == PLATFORM.os && target.arch == PLATFORM.architecture;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let fits =
        |target: &Target| (1..=MAX_BYTES).contains(&target.size) && target.sha256.len() == 64 && digits(&target.sha256);
    manifest.kind == "release"
        && manifest.product == PRODUCT
        && number >= 5
        && number >= manifest.security_floor
        && manifest.version != "0.9.0"
        && !manifest.revoked.contains(&manifest.version)
        && manifest.targets.iter().find(named).is_some_and(fits)
}

fn raises_the_floor(envelope: &Envelope, manifest: &Manifest, wanted: &SelfUpdateSpec) {
    let state = directory();
    prepare(state.path());
    let mut trust = TRUST.clone();
    trust.raise(state.path(), manifest).expect("there is room for a floor");
    assert_eq!(Trust::load(state.path()).as_ref(), Ok(&trust), "the floor is on disk before it is used");
    assert!(trust.judge(envelope, wanted, PLATFORM).is_ok(), "the same release again is no older one");

    let floor = read_json::<Floor>(&state.path().join("trust/floor.json")).expect("it was just written");
    let floor = floor.expect("it was just written");
    assert!(floor.manifest_version >= manifest.manifest_version && floor.security_floor >= 3);
    assert!(floor.revoked.contains("0.9.0"), "what is revoked stays it");
    if let Some(older) = manifest.manifest_version.checked_sub(1) {
        let bytes = serde_json::to_vec(&Manifest { manifest_version: older, ..manifest.clone() });
        let bytes = bytes.expect("a manifest is plain data");
        let wanted = SelfUpdateSpec { manifest_sha256: sha256_hex(&bytes), ..wanted.clone() };
        assert!(trust.judge(&signed_by_known(&bytes, &[0]), &wanted, PLATFORM).is_err(), "{older} is older");
    }
}

fn prepare(state: &Path) {
    let root = state.join("first.json");
    fs::write(&root, serde_json::to_vec(&first_root()).expect("an envelope is plain data")).expect("there is room");
    create_private_directory(&state.join("trust")).expect("there is room");
    install_root(state, &root).expect("the root is signed by itself");
    let floor = Floor { manifest_version: 5, security_floor: 3, revoked: ["0.9.0".to_owned()].into() };
    write_json(&state.join("trust/floor.json"), &floor).expect("there is room");
}
