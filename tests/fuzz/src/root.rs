//! Roots of trust and their successors, signed by any of three keys.

use std::collections::BTreeSet;

use muster_schemas::{
    envelopes::{Envelope, PublicKey},
    releases::{ROOT_TYPE, Root, TrustRole},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::given::{key, public};

#[derive(Deserialize)]
struct Input {
    current: Value,
    next: Value,
    /// Which keys have signed both.
    signed_by: BTreeSet<u8>,
}

/// A root is believed exactly when enough of its own root keys have signed it, and follows another exactly when enough of that
/// one's have as well and it is the very next.
pub fn root(bytes: &[u8]) {
    let Ok(Input { current, next, signed_by }) = serde_json::from_slice(bytes) else { return };
    let signers: Vec<_> = signed_by.iter().copied().filter(|number| *number < 3).collect();
    let sign = |root: &Value| {
        let keys: Vec<_> = signers.iter().copied().map(key).collect();
        Envelope::sign(ROOT_TYPE, root.to_string().as_bytes(), &keys)
    };
    let enough = |role: &TrustRole| {
        let signed = |named: &&PublicKey| signers.iter().any(|number| public(*number) == **named);
        let good: BTreeSet<_> = role.keys.iter().filter(signed).map(PublicKey::as_bytes).collect();
        good.len() >= role.threshold.max(1)
    };
    let claimed = |root: &Value| serde_json::from_value::<Root>(root.clone()).ok();

    let first = Root::first(&sign(&current));
    let expected = claimed(&current).filter(|root| enough(&root.root));
    assert_eq!(first.as_ref().ok(), expected.as_ref());
    let Ok(first) = first else { return };

    let follows = |next: &Root| first.root_version.checked_add(1) == Some(next.root_version);
    let expected = claimed(&next).filter(|next| enough(&first.root) && enough(&next.root) && follows(next));
    assert_eq!(first.successor(&sign(&next)).ok(), expected);
}

/// Pairs of roots: a good successor, one that comes too early, a threshold of two, and the last number there is.
pub fn roots() -> [Value; 4] {
    let root = |version: u64, threshold: usize, keys: &[u8]| {
        let role = |keys: &[u8]| TrustRole { threshold, keys: keys.iter().copied().map(public).collect() };
        json!(Root { kind: "root".into(), root_version: version, root: role(keys), release: role(keys) })
    };
    let pair = |current: Value, next: Value, signed_by: &[u8]| json!({ "current": current, "next": next, "signed_by": signed_by });
    [
        pair(root(1, 1, &[0]), root(2, 1, &[1]), &[0, 1]),
        pair(root(1, 1, &[0]), root(3, 1, &[1]), &[0, 1]),
        pair(root(7, 2, &[0, 1, 1]), root(8, 0, &[2]), &[0, 1, 2]),
        pair(root(u64::MAX - 1, 1, &[0]), root(u64::MAX, 1, &[0]), &[0]),
    ]
}
