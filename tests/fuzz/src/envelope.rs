//! Signed envelopes as they come: nothing verifies that was not signed.

use ed25519_dalek::SigningKey;
use muster_schemas::{
    envelopes::{Envelope, PublicKey, public_key},
    releases::{MANIFEST_TYPE, Manifest, ROOT_TYPE},
};

use crate::given::{PAYLOAD, key, public};

/// An envelope that verifies holds what the keys have signed, and nothing else; any payload that is signed verifies as what it
/// was signed as, by whom it was signed.
pub fn envelope(bytes: &[u8]) {
    signs_and_verifies(bytes);
    let Ok(envelope) = serde_json::from_slice::<Envelope>(bytes) else { return };
    let again = serde_json::to_vec(&envelope).expect("an envelope is plain data");
    assert_eq!(serde_json::from_slice::<Envelope>(&again).ok().as_ref(), Some(&envelope));

    let keys = [public(0), public(1)];
    for threshold in 0..=3 {
        let Ok(payload) = envelope.verify(MANIFEST_TYPE, &keys, threshold) else { continue };
        assert!(threshold <= 2, "there are two keys");
        assert_eq!(payload, PAYLOAD, "nothing else was ever signed");
        assert!(envelope.verify(ROOT_TYPE, &keys, threshold).is_err(), "it was signed as a release");
        assert!(envelope.verify(MANIFEST_TYPE, &[keys[0]; 3], 2).is_err(), "one key counts once");
    }
    assert!(envelope.verify(MANIFEST_TYPE, &[public(2)], 0).is_err(), "this key has signed nothing");
    assert!(envelope.verify(MANIFEST_TYPE, &[], 0).is_err(), "nobody vouches for it");
    // What is only shown need not be signed, and must be readable all the same.
    drop(Manifest::unverified(&envelope));
    counts_a_second_key(envelope);
}

fn signs_and_verifies(payload: &[u8]) {
    let envelope = Envelope::sign(MANIFEST_TYPE, payload, &[key(2)]);
    assert_eq!(envelope.verify(MANIFEST_TYPE, &[public(2)], 1).as_deref(), Ok(payload));
    assert!(envelope.verify(MANIFEST_TYPE, &[public(0)], 1).is_err());
    let mut longer = payload.to_vec();
    longer.push(b' ');
    let forged = Envelope { payload: Envelope::sign(MANIFEST_TYPE, &longer, &[]).payload, ..envelope };
    assert!(forged.verify(MANIFEST_TYPE, &[public(2)], 1).is_err(), "one byte more was not signed");
}

fn counts_a_second_key(mut envelope: Envelope) {
    let own: SigningKey = key(2);
    let keys: [PublicKey; 2] = [public(0), public_key(&own)];
    let before = envelope.verify(MANIFEST_TYPE, &keys[..1], 1).is_ok();
    if envelope.countersign(&own).is_ok() && envelope.payload_type == MANIFEST_TYPE {
        assert_eq!(envelope.verify(MANIFEST_TYPE, &keys, 2).is_ok(), before);
        assert!(envelope.verify(MANIFEST_TYPE, &keys[1..], 1).is_ok());
    }
}
