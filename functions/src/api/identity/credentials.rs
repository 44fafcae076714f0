//! Credentials as texts: a prefix, a public id, 256 random bits, and a checksum that tells a typing error from a guess.
//! Only the SHA-256 of a text is ever stored; with 256 random bits nothing slower is needed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use muster_schemas::{envelopes::sha256_hex, secrets::Secret};
use subtle::ConstantTimeEq;

const ID_LENGTH: usize = 26;
const CHECKSUM_LENGTH: usize = 6;

/// A new text for the thing with this id (`tok_01…`), and what is stored of it.
pub fn issue(prefix: &str, id: impl ToString) -> (Secret, String) {
    let id = id.to_string();
    let ulid = id.rsplit('_').next().unwrap_or_default();
    let random = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let body = format!("{prefix}{ulid}{random}");
    let text = format!("{body}{}", checksum(&body));
    let stored = sha256_hex(text.as_bytes());
    (Secret::new(text), stored)
}

/// The ULID in a text with this prefix, if its checksum is right.
pub fn ulid<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(prefix).filter(|rest| rest.is_ascii() && rest.len() > ID_LENGTH + CHECKSUM_LENGTH)?;
    let (body, sum) = text.split_at(text.len() - CHECKSUM_LENGTH);
    (checksum(body) == sum).then(|| &rest[..ID_LENGTH])
}

/// Whether a text is the one whose hash is stored.
pub fn matches(text: &str, stored: &str) -> bool {
    !stored.is_empty() && bool::from(sha256_hex(text.as_bytes()).as_bytes().ct_eq(stored.as_bytes()))
}

fn checksum(body: &str) -> String {
    sha256_hex(body.as_bytes())[..CHECKSUM_LENGTH].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "tok_01ARZ3NDEKTSV4RRFFQ69G5FAV";

    #[test]
    fn a_text_names_its_id_and_matches_only_its_own_hash() {
        let (text, stored) = issue("met_", ID);
        assert_eq!(ulid("met_", text.reveal()), Some(&ID[4..]));
        assert!(matches(text.reveal(), &stored));
        assert!(!matches(issue("met_", ID).0.reveal(), &stored));
    }

    #[test]
    fn an_empty_hash_matches_nothing() {
        assert!(!matches("", ""));
    }

    #[test]
    fn a_typing_error_is_no_text() {
        let text = issue("met_", ID).0.reveal().replace("01ARZ", "01ARY");
        for text in [text.as_str(), "met_", "met_ü", "mst_01ARZ3NDEKTSV4RRFFQ69G5FAVx"] {
            assert_eq!(ulid("met_", text), None, "{text}");
        }
    }
}
