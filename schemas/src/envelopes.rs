//! Signed envelopes (DSSE, Ed25519): the signature covers the raw bytes and their type, so no canonical form is needed.
//!
//! Verification is strict Ed25519, by threshold, counting each key once. A signature over one type of payload is invalid for
//! any other. Signing keys are 32 random bytes, which the caller draws.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A payload with signatures over it and its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Envelope {
    /// The type of the payload.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The payload's bytes, standard base64.
    pub payload: String,
    /// Signatures, in any order.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnvelopeSignature {
    /// The key's id: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
    pub keyid: String,
    /// The signature's 64 bytes, standard base64.
    pub sig: String,
}

/// A public key that may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key's id.
    pub fn id(&self) -> String {
        sha256_hex(self.0.as_bytes())[..16].into()
    }

    /// A key from its 32 bytes, base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        // With a weak key, anybody's signature over anything verifies.
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The key's 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("must be an Ed25519 public key: 32 bytes, base64url"))
    }
}

/// Why an envelope is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Another type of payload.
    #[error("the payload is {found}, expected {expected}")]
    WrongType {
        /// The type in the envelope.
        found: String,
        /// The expected type.
        expected: &'static str,
    },
    /// Not enough valid signatures.
    #[error("{good} of {threshold} required signatures are valid")]
    TooFewSignatures {
        /// How many keys have a valid signature.
        good: usize,
        /// How many are required.
        threshold: usize,
    },
    /// Not base64, so that nothing can be verified.
    #[error("the payload is not base64")]
    NotBase64,
    /// A payload of the right type that cannot be read.
    #[error("the payload cannot be read: {0}")]
    Unreadable(String),
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(payload_type: &str, payload: &[u8], keys: &[SigningKey]) -> Self {
        let signatures = keys.iter().map(|key| signature(key, payload_type, payload)).collect();
        Self { payload_type: payload_type.into(), payload: STANDARD.encode(payload), signatures }
    }

    /// Adds another key's signature.
    pub fn countersign(&mut self, key: &SigningKey) -> Result<(), EnvelopeError> {
        let payload = self.payload_bytes()?;
        let added = signature(key, &self.payload_type, &payload);
        self.signatures.retain(|signature| signature.keyid != added.keyid);
        self.signatures.push(added);
        Ok(())
    }

    /// The payload, returned only if at least `threshold` of `keys` (at least one) signed these bytes as this type.
    pub fn verify(
        &self,
        expected: &'static str,
        keys: &[PublicKey],
        threshold: usize,
    ) -> Result<Vec<u8>, EnvelopeError> {
        if self.payload_type != expected {
            return Err(EnvelopeError::WrongType { found: self.payload_type.clone(), expected });
        }
        let payload = self.payload_bytes()?;
        let message = pre_authentication_encoding(expected, &payload);
        let signed_by = |key: &&PublicKey| self.signatures.iter().any(|signature| signature.is_good(key, &message));
        // A set, so that a key listed twice counts once.
        let good = keys.iter().filter(signed_by).map(PublicKey::as_bytes).collect::<BTreeSet<_>>().len();
        let threshold = threshold.max(1);
        if good < threshold { Err(EnvelopeError::TooFewSignatures { good, threshold }) } else { Ok(payload) }
    }

    /// The payload, not verified.
    pub fn payload_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        STANDARD.decode(&self.payload).map_err(|_| EnvelopeError::NotBase64)
    }
}

impl EnvelopeSignature {
    fn is_good(&self, key: &PublicKey, message: &[u8]) -> bool {
        let bytes = STANDARD.decode(&self.sig).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        bytes.is_some_and(|bytes| key.0.verify_strict(message, &Signature::from_bytes(&bytes)).is_ok())
    }
}

/// The public half of a signing key.
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key())
}

/// SHA-256 as hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether a text is a SHA-256 as [`sha256_hex`] writes it.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

fn signature(key: &SigningKey, payload_type: &str, payload: &[u8]) -> EnvelopeSignature {
    let signature = key.sign(&pre_authentication_encoding(payload_type, payload));
    EnvelopeSignature { keyid: public_key(key).id(), sig: STANDARD.encode(signature.to_bytes()) }
}

/// The signed bytes (pre-authentication encoding): version, type and payload, each with its length.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "application/vnd.muster.test+json";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn a_signed_payload_is_believed_and_comes_back_as_it_was() {
        let envelope = Envelope::sign(TYPE, b"{}", &[key(1)]);
        assert_eq!(envelope.verify(TYPE, &[public_key(&key(1))], 1), Ok(b"{}".to_vec()));
    }

    #[test]
    fn a_foreign_key_another_type_and_changed_bytes_are_not_believed() {
        let envelope = Envelope::sign(TYPE, b"{}", &[key(1)]);
        let changed = Envelope { payload: STANDARD.encode(b"[]"), ..envelope.clone() };
        let retyped = Envelope { payload_type: "application/other".into(), ..envelope.clone() };
        assert!(envelope.verify(TYPE, &[public_key(&key(2))], 1).is_err());
        assert!(envelope.verify("application/other", &[public_key(&key(1))], 1).is_err());
        assert!(changed.verify(TYPE, &[public_key(&key(1))], 1).is_err());
        assert!(retyped.verify("application/other", &[public_key(&key(1))], 1).is_err());
    }

    #[test]
    fn one_key_never_counts_twice_toward_the_threshold() {
        let mut envelope = Envelope::sign(TYPE, b"{}", &[key(1), key(1)]);
        let keys = [public_key(&key(1)), public_key(&key(1)), public_key(&key(2))];
        assert_eq!(envelope.verify(TYPE, &keys, 2), Err(EnvelopeError::TooFewSignatures { good: 1, threshold: 2 }));
        envelope.countersign(&key(2)).expect("the payload is base64");
        assert!(envelope.verify(TYPE, &keys, 2).is_ok());
    }

    #[test]
    fn no_threshold_is_below_one() {
        let unsigned = Envelope::sign(TYPE, b"{}", &[]);
        assert!(unsigned.verify(TYPE, &[], 0).is_err());
    }

    #[test]
    fn a_weak_key_is_no_key() {
        assert_eq!(PublicKey::parse(&URL_SAFE_NO_PAD.encode([0_u8; 32])), None);
    }
}
