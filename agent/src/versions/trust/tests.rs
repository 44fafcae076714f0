use ed25519_dalek::SigningKey;
use muster_schemas::{
    envelopes::{public_key, sha256_hex},
    releases::{MANIFEST_TYPE, ROOT_TYPE, TrustRole},
};
use tempfile::TempDir;

use super::*;

const HERE: Platform<'_> = Platform { os: "linux", architecture: "x86_64" };

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Root key 1; release keys 2 and 3, of which `threshold` must sign.
fn root(version: u64, threshold: usize) -> Root {
    Root {
        kind: "root".into(),
        root_version: version,
        root: TrustRole { threshold: 1, keys: vec![public_key(&key(1))] },
        release: TrustRole { threshold, keys: vec![public_key(&key(2)), public_key(&key(3))] },
    }
}

fn trust(threshold: usize) -> Trust {
    Trust { root: root(1, threshold), floor: Floor::default() }
}

fn manifest() -> Manifest {
    let target = |os: &str| Target { os: os.into(), arch: "x86_64".into(), size: 5, sha256: sha256_hex(b"bytes") };
    Manifest {
        kind: "release".into(),
        manifest_version: 57,
        product: PRODUCT.into(),
        version: "1.9.2".into(),
        issued_at: jiff::Timestamp::UNIX_EPOCH,
        security_floor: 41,
        revoked: vec!["1.7.0".into()],
        targets: vec![target("linux"), target("windows")],
    }
}

fn signed(manifest: &Manifest, seeds: &[u8]) -> Envelope {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    Envelope::sign(MANIFEST_TYPE, &serde_json::to_vec(manifest).unwrap(), &keys)
}

fn wanted(envelope: &Envelope) -> SelfUpdateSpec {
    SelfUpdateSpec { version: "1.9.2".into(), manifest_sha256: manifest_sha256(envelope).unwrap() }
}

fn code(judged: Result<(Manifest, Target), Refusal>) -> &'static str {
    judged.map_or_else(|refusal| refusal.code, |_| "believed")
}

fn judged(trust: &Trust, manifest: &Manifest) -> &'static str {
    let envelope = signed(manifest, &[2]);
    code(trust.judge(&envelope, &wanted(&envelope), HERE))
}

#[test]
fn a_release_that_enough_keys_signed_is_believed() {
    assert_eq!(judged(&trust(1), &manifest()), "believed");
    let envelope = signed(&manifest(), &[2, 3]);
    assert_eq!(code(trust(2).judge(&envelope, &wanted(&envelope), HERE)), "believed");
}

#[test]
fn unsigned_wrongly_signed_and_too_little_signed_releases_are_refused() {
    for (seeds, threshold) in [(&[][..], 1), (&[1], 1), (&[9], 1), (&[2], 2), (&[2, 2], 2)] {
        let envelope = signed(&manifest(), seeds);
        assert_eq!(code(trust(threshold).judge(&envelope, &wanted(&envelope), HERE)), "signature", "{seeds:?}");
    }
}

#[test]
fn a_manifest_with_any_bit_flipped_is_refused() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let genuine = signed(&manifest(), &[2]);
    let payload = genuine.payload_bytes().unwrap();
    for bit in 0..payload.len() * 8 {
        let mut changed = payload.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let envelope = Envelope { payload: STANDARD.encode(&changed), ..genuine.clone() };
        assert_eq!(code(trust(1).judge(&envelope, &wanted(&envelope), HERE)), "signature", "bit {bit}");
    }
}

#[test]
fn a_genuine_release_in_place_of_another_is_refused() {
    let envelope = signed(&manifest(), &[2]);
    let other = SelfUpdateSpec { manifest_sha256: sha256_hex(b"other"), ..wanted(&envelope) };
    assert_eq!(code(trust(1).judge(&envelope, &other, HERE)), "signature");
    let other = SelfUpdateSpec { version: "1.9.1".into(), ..wanted(&envelope) };
    assert_eq!(code(trust(1).judge(&envelope, &other, HERE)), "signature");
}

#[test]
fn an_older_a_floored_and_a_revoked_release_are_refused() {
    let seen = |floor| Trust { floor, ..trust(1) };
    assert_eq!(judged(&seen(Floor { manifest_version: 57, ..Floor::default() }), &manifest()), "believed");
    assert_eq!(judged(&seen(Floor { manifest_version: 58, ..Floor::default() }), &manifest()), "rollback");
    assert_eq!(judged(&seen(Floor { security_floor: 58, ..Floor::default() }), &manifest()), "rollback");
    assert_eq!(judged(&seen(Floor { revoked: ["1.9.2".into()].into(), ..Floor::default() }), &manifest()), "revoked");
    assert_eq!(judged(&trust(1), &Manifest { revoked: vec!["1.9.2".into()], ..manifest() }), "revoked");
    assert_eq!(judged(&trust(1), &Manifest { security_floor: 58, ..manifest() }), "rollback");
}

#[test]
fn an_earlier_version_is_taken_under_a_newer_manifest_and_only_under_one() {
    // This host has accepted 1.9.3 with manifest 58, and goes back to 1.9.2.
    let seen = Trust { floor: Floor { manifest_version: 58, ..Floor::default() }, ..trust(1) };
    assert_eq!(judged(&seen, &Manifest { manifest_version: 59, ..manifest() }), "believed");
    assert_eq!(judged(&seen, &manifest()), "rollback");
}

#[test]
fn another_product_system_and_processor_are_refused() {
    assert_eq!(judged(&trust(1), &Manifest { product: "muster".into(), ..manifest() }), "platform");
    assert_eq!(judged(&trust(1), &Manifest { kind: "root".into(), ..manifest() }), "platform");
    let envelope = signed(&manifest(), &[2]);
    for (os, architecture) in [("linux", "aarch64"), ("freebsd", "x86_64")] {
        assert_eq!(code(trust(1).judge(&envelope, &wanted(&envelope), Platform { os, architecture })), "platform");
    }
}

#[test]
fn a_size_that_cannot_be_is_refused() {
    for size in [0, MAX_TARGET_BYTES + 1] {
        let target = Target { size, ..manifest().targets[0].clone() };
        assert_eq!(judged(&trust(1), &Manifest { targets: vec![target], ..manifest() }), "size");
    }
}

#[test]
fn the_floor_is_stored_and_never_sinks() {
    let state = state_with_root();
    let mut trust = Trust::load(state.path()).unwrap();
    trust.raise(state.path(), &manifest()).unwrap();
    let older = Manifest { manifest_version: 3, security_floor: 2, revoked: vec!["1.8.0".into()], ..manifest() };
    trust.raise(state.path(), &older).unwrap();
    let Trust { floor, .. } = Trust::load(state.path()).unwrap();
    let revoked = ["1.7.0".into(), "1.8.0".into()].into();
    assert_eq!(floor, Floor { manifest_version: 57, security_floor: 41, revoked });
}

#[test]
fn a_damaged_floor_and_a_missing_root_refuse_everything() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Trust::load(empty.path()).unwrap_err().code, "no_trust_root");
    let state = state_with_root();
    fs::write(floor_path(state.path()), "{").unwrap();
    assert_eq!(Trust::load(state.path()).unwrap_err().code, "rollback");
    fs::write(root_path(state.path()), "{").unwrap();
    assert_eq!(Trust::load(state.path()).unwrap_err().code, "no_trust_root");
}

#[test]
fn a_root_is_replaced_only_by_its_own_successor() {
    let state = state_with_root();
    let install = |root: &Root, seeds: &[u8]| {
        let file = state.path().join("next.json");
        write_json(&file, &signed_root(root, seeds)).unwrap();
        install_root(state.path(), &file).is_ok()
    };
    let mut stranger = root(2, 1);
    stranger.root.keys = vec![public_key(&key(8))];
    assert!(!install(&stranger, &[8]), "signed by its own keys only");
    assert!(!install(&root(1, 2), &[1]), "another root of the same version");
    assert!(!install(&root(3, 1), &[1]), "two versions later");
    assert!(install(&root(1, 1), &[1]), "the same again");
    assert!(install(&stranger, &[8, 1]), "signed by both");
    assert!(!install(&root(1, 1), &[1]), "back to the first");
}

#[test]
fn the_root_of_the_last_number_has_no_successor() {
    let last = root(u64::MAX, 1);
    assert!(last.successor(&signed_root(&root(0, 1), &[1])).is_err());
}

#[test]
fn an_installed_version_is_looked_at_again_before_it_is_started() {
    let state = state_with_root();
    let installed = Installed { version: "1.9.2".into(), sha256: sha256_hex(b"bytes") };
    let directory = installed.directory(state.path()).unwrap();
    fs::create_dir_all(&directory).unwrap();
    let write = |binary: &[u8], seeds: &[u8]| {
        fs::write(directory.join(BINARY), binary).unwrap();
        write_json(&directory.join("manifest.json"), &signed(&manifest(), seeds)).unwrap();
        let trust = Trust::load(state.path()).unwrap();
        trust
            .check_installed(state.path(), &installed, HERE, Purpose::Update)
            .map_or_else(|refusal| refusal.code, |()| "believed")
    };
    assert_eq!(write(b"bytes", &[2]), "believed");
    assert_eq!(write(b"bytez", &[2]), "digest");
    assert_eq!(write(b"bytes", &[9]), "signature");
}

fn signed_root(root: &Root, seeds: &[u8]) -> Envelope {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    Envelope::sign(ROOT_TYPE, &serde_json::to_vec(root).unwrap(), &keys)
}

fn state_with_root() -> TempDir {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("first.json");
    write_json(&file, &signed_root(&root(1, 1), &[1])).unwrap();
    install_root(state.path(), &file).unwrap();
    state
}

#[test]
fn a_fresh_state_directory_does_not_bring_a_host_below_its_own_release() {
    let stored = |manifest_version| Floor { manifest_version, ..Floor::default() };
    assert_eq!(at_least(Floor::default(), 57), stored(57));
    assert_eq!(at_least(stored(58), 57), stored(58));
}

#[test]
fn the_version_before_may_be_old_but_not_revoked_or_insecure() {
    let mut trust = trust(1);
    let manifest = manifest();
    trust.floor.manifest_version = 60;
    assert!(trust.check_floor(&manifest).is_err() && trust.check_security(&manifest).is_ok());
    trust.floor.security_floor = 58;
    assert_eq!(trust.check_security(&manifest).unwrap_err().code, "rollback");
    trust.floor = Floor { revoked: ["1.9.2".into()].into(), ..Floor::default() };
    assert_eq!(trust.check_security(&manifest).unwrap_err().code, "revoked");
}

#[test]
fn a_root_of_another_type_is_installed_by_nobody_however_well_it_is_signed() {
    let state = TempDir::new().unwrap();
    let signed = |kind: &str| {
        let payload = serde_json::to_vec(&Root { kind: kind.into(), ..root(1, 1) }).unwrap();
        let file = state.path().join("root.json");
        fs::write(&file, serde_json::to_vec(&Envelope::sign(ROOT_TYPE, &payload, &[key(1)])).unwrap()).unwrap();
        file
    };
    for kind in ["release", "", "Root"] {
        let refused = install_root(state.path(), &signed(kind));
        assert!(matches!(refused, Err(RootError::Unbelieved(_))), "{kind:?}: {refused:?}");
        assert!(!root_path(state.path()).exists());
    }
    assert_eq!(install_root(state.path(), &signed("root")).unwrap(), 1);
}
