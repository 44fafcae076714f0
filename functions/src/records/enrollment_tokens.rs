//! An enrollment token.

use muster_domain::{enrollment_tokens::EnrollmentToken, retention::Retention};
use muster_schemas::ids::EnrollmentTokenId;

use super::Record;
use crate::store::{IndexEntry, Key, keys::list};

/// Where an enrollment token lives.
pub fn key(id: EnrollmentTokenId) -> Key {
    Key::new(format!("token#{id}"), "token")
}

impl Record for EnrollmentToken {
    const NOUN: &'static str = "enrollment token";
    type Id = EnrollmentTokenId;

    fn key(id: &EnrollmentTokenId) -> Key {
        key(*id)
    }

    fn found_by(&self, _: &Retention) -> Vec<IndexEntry> {
        vec![list("tokens", self.id)]
    }
}
