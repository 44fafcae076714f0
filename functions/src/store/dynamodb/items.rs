//! Items as attributes, and back. Bodies are text, so that Amazon's own console shows them.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::Timestamp;

use crate::store::{AttemptId, Index, IndexEntry, Item, Key, StoreError, fault, whole_seconds};

pub(super) type Attributes = HashMap<String, AttributeValue>;

pub(super) const PARTITION: &str = "partition";
pub(super) const SORT: &str = "sort";
pub(super) const REVISION: &str = "revision";
pub(super) const EXPIRES_AT: &str = "expires_at";
const BODY: &str = "body";
const ATTEMPT: &str = "attempt";

/// The names of an index's partition and place.
pub(super) fn names_of(index: Index) -> (String, String) {
    (format!("{}_partition", index.name()), format!("{}_sort", index.name()))
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn to_key(key: &Key) -> Attributes {
    HashMap::from([(PARTITION.into(), text(&key.partition)), (SORT.into(), text(&key.sort))])
}

pub(super) fn to_attributes(item: Item, attempt: AttemptId) -> Result<Attributes, StoreError> {
    let Item { key, revision, expires_at, indexes, body } = item;
    let body = String::from_utf8(body).map_err(fault("keep a body that is not text"))?;
    let mut attributes = to_key(&key);
    attributes.insert(REVISION.into(), AttributeValue::N(revision.to_string()));
    attributes.insert(BODY.into(), text(body));
    attributes.insert(ATTEMPT.into(), AttributeValue::B(Blob::new(attempt.to_be_bytes())));
    if let Some(expires_at) = expires_at {
        attributes.insert(EXPIRES_AT.into(), AttributeValue::N(whole_seconds(expires_at).to_string()));
    }
    for IndexEntry { index, partition, sort } in indexes {
        let (partition_name, sort_name) = names_of(index);
        attributes.extend([(partition_name, text(partition)), (sort_name, text(sort))]);
    }
    Ok(attributes)
}

pub(super) fn from_attributes(attributes: &Attributes) -> Result<Item, StoreError> {
    let revision = number(attributes, REVISION).ok_or_else(|| fault("read an item")("it has no revision"))?;
    let expires_at = number::<i64>(attributes, EXPIRES_AT).map(Timestamp::from_second).transpose();
    let indexes = Index::ALL.into_iter().filter_map(|index| {
        let (partition, sort) = names_of(index);
        let (partition, sort) = (string(attributes, &partition)?, string(attributes, &sort)?);
        Some(IndexEntry { index, partition, sort })
    });
    Ok(Item {
        key: key_of(attributes)?,
        revision,
        expires_at: expires_at.map_err(fault("read an item's time"))?,
        indexes: indexes.collect(),
        body: string(attributes, BODY).unwrap_or_default().into_bytes(),
    })
}

pub(super) fn key_of(attributes: &Attributes) -> Result<Key, StoreError> {
    let (partition, sort) = (string(attributes, PARTITION), string(attributes, SORT));
    partition
        .zip(sort)
        .map(|(partition, sort)| Key { partition, sort })
        .ok_or_else(|| fault("read a key")("it has none"))
}

pub(super) fn string(attributes: &Attributes, name: &str) -> Option<String> {
    attributes.get(name)?.as_s().ok().cloned()
}

/// Whether this attempt wrote the item.
pub(super) fn is_of(attributes: &Attributes, attempt: AttemptId) -> bool {
    let written = attributes.get(ATTEMPT).and_then(|value| value.as_b().ok());
    written.is_some_and(|written| written.as_ref() == attempt.to_be_bytes())
}

fn number<T: std::str::FromStr>(attributes: &Attributes, name: &str) -> Option<T> {
    attributes.get(name)?.as_n().ok()?.parse().ok()
}
