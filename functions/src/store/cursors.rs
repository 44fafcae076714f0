//! Cursors: where an answer stopped, as text that a caller hands back. Every table writes and reads them alike.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Index, Key, StoreError, limits};

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
        let position = Self { place, key: Key::new(key_partition, key_sort) };
        // One that was made by hand may name a row that no list of this kind has.
        let fits = index.is_some() || partition.is_empty() || position.is_of(partition);
        if of != list(index) || within != partition || !position.can_be() || !fits {
            return Err(StoreError::Cursor);
        }
        Ok(position)
    }

    /// The row that a cursor of the whole table stopped at.
    pub(super) fn of_whole(cursor: &str) -> Result<Self, StoreError> {
        Self::of_cursor(cursor, None, "")
    }

    fn can_be(&self) -> bool {
        limits::can_be(&self.key) && limits::can_be(&Key::new(&self.key.partition, &self.place))
    }

    /// Without an index a row stands where its key says.
    fn is_of(&self, partition: &str) -> bool {
        self.key.partition == partition && self.key.sort == self.place
    }
}

fn list(index: Option<Index>) -> &'static str {
    index.map_or("", Index::name)
}
