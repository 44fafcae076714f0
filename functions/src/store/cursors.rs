//! Cursors: where an answer stopped, as text that a caller hands back. Every table writes and reads them alike.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Index, Key, StoreError};

/// Where a row stands in a list: its place, then its key, because several items may have one place in an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) place: String,
    pub(super) key: Key,
}

impl Position {
    /// The cursor that goes on behind this row.
    pub(super) fn cursor(&self, index: Option<Index>, partition: &str) -> String {
        let cursor = json!([list(index), partition, self.place, self.key.partition, self.key.sort]);
        BASE64_URL_SAFE_NO_PAD.encode(cursor.to_string())
    }

    /// The row that a cursor of this list stopped at.
    pub(super) fn of_cursor(cursor: &str, index: Option<Index>, partition: &str) -> Result<Self, StoreError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| StoreError::Cursor)?;
        let [of, within, place, key_partition, key_sort] =
            serde_json::from_slice::<[String; 5]>(&bytes).map_err(|_| StoreError::Cursor)?;
        if of != list(index) || within != partition {
            return Err(StoreError::Cursor);
        }
        Ok(Self { place, key: Key::new(key_partition, key_sort) })
    }
}

fn list(index: Option<Index>) -> &'static str {
    index.map_or("", Index::name)
}
