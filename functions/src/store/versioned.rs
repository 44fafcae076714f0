//! A record with its revision, as it is read from an item.

use serde::de::DeserializeOwned;

use super::{Item, StoreError};

/// A record with its revision.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The record.
    pub record: T,
    /// Grows by one with every change.
    pub revision: u64,
}

impl<T: DeserializeOwned> Versioned<T> {
    /// The record in an item.
    pub fn read(item: &Item) -> Result<Self, StoreError> {
        let record = serde_json::from_slice(&item.body)
            .map_err(|source| StoreError::Fault { doing: "read a record", source: source.into() })?;
        Ok(Self { record, revision: item.revision })
    }
}
