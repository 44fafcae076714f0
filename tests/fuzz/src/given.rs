//! What targets are given beside their input: keys, ids, a place for files.

use std::{path::Path, sync::LazyLock};

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use muster_schemas::{
    envelopes::{Envelope, PublicKey, public_key, sha256_hex},
    ids::{HostId, JobId, ProcessId},
    releases::{MANIFEST_TYPE, ROOT_TYPE, Root, TrustRole},
};
use serde::Deserialize;
use tempfile::TempDir;

/// Something that happens to a record, and when.
#[derive(Deserialize)]
pub struct Happens<What> {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

/// The golden manifest: the one payload that known keys have signed.
pub const PAYLOAD: &[u8] = include_bytes!("../../../schemas/samples/manifest.json");

/// Envelopes that known keys have signed: by one as a release, by two, and by one as something else.
pub fn known_signed() -> [Envelope; 3] {
    [
        Envelope::sign(MANIFEST_TYPE, PAYLOAD, &[key(0)]),
        Envelope::sign(MANIFEST_TYPE, PAYLOAD, &[key(0), key(1)]),
        Envelope::sign(ROOT_TYPE, PAYLOAD, &[key(0), key(1)]),
    ]
}

/// Bytes as a release that known keys have signed.
pub fn signed_by_known(payload: &[u8], numbers: &[u8]) -> Envelope {
    let keys: Vec<_> = numbers.iter().copied().map(key).collect();
    Envelope::sign(MANIFEST_TYPE, payload, &keys)
}

/// A key that everybody can have: nothing but tests believes it.
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

/// Its public half.
pub fn public(number: u8) -> PublicKey {
    public_key(&key(number))
}

/// The first root of trust: key 0 signs releases, key 1 its successor.
pub fn first_root() -> Envelope {
    let root = Root {
        kind: "root".into(),
        root_version: 1,
        root: TrustRole { threshold: 1, keys: vec![public(1)] },
        release: TrustRole { threshold: 1, keys: vec![public(0)] },
    };
    let payload = serde_json::to_vec(&root).expect("a root is plain data");
    Envelope::sign(ROOT_TYPE, &payload, &[key(1)])
}

/// The host of the golden samples.
pub fn host() -> HostId {
    HOST.parse().expect("it is a host's id")
}

/// A job that no sample names.
pub fn other_job() -> JobId {
    JobId::new(Timestamp::UNIX_EPOCH, 7)
}

/// A process that no sample names.
pub fn other_process() -> ProcessId {
    ProcessId::new(Timestamp::UNIX_EPOCH, 7)
}

const HOST: &str = "host_01KJQ6PSG0DRSNYJN0TRKP6Y1T";

/// The time of the golden samples.
pub fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("it is a time")
}

/// Each line that begins with `!` gets the checksum of what follows, because a fuzzer cannot guess one.
pub fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let frame = |line: &[u8]| match line.strip_prefix(b"!") {
        Some(json) => {
            let text = json.strip_suffix(b"\n").unwrap_or(json);
            [&sha256_hex(text).as_bytes()[..16], b" ", json].concat()
        }
        None => line.to_vec(),
    };
    bytes.split_inclusive(|byte| *byte == b'\n').flat_map(frame).collect()
}

/// An empty directory; in memory where that can be had, because what is written durably is written to nobody here.
pub fn directory() -> TempDir {
    static MEMORY: LazyLock<bool> = LazyLock::new(|| tempfile::tempdir_in("/dev/shm").is_ok());
    let place = if *MEMORY { Path::new("/dev/shm").into() } else { std::env::temp_dir() };
    tempfile::tempdir_in(place).expect("there is a place for temporary files")
}
