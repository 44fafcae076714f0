//! An API key.

use muster_schemas::ids::ApiKeyId;

use crate::store::{IndexEntry, Key, keys::list};

/// Where an API key lives.
pub fn key(id: ApiKeyId) -> Key {
    Key::new(format!("api-key#{id}"), "api-key")
}

/// Its entries in the indexes.
pub fn found_by(id: ApiKeyId) -> Vec<IndexEntry> {
    vec![list("api-keys", id)]
}
