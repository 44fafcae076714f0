//! Limits: what `DynamoDB` cannot hold, no table holds. So a test on one table finds what would fail on another, and an
//! installation can always move.

use std::collections::BTreeSet;

use super::{IndexEntry, Item, Key, Query, StoreError, Write, fault};

/// How many writes one commit has at most, and how many items one read.
pub(super) const MAX_AT_ONCE: usize = 100;
/// How much one read of a list reads, in bytes of bodies, and one item more: a function's answer has six megabytes at most,
/// escaped once more.
pub(super) const MAX_READ_BYTES: usize = 2 * 1024 * 1024;
const MAX_PARTITION_BYTES: usize = 2_048;
const MAX_SORT_BYTES: usize = 1_024;
const MAX_ITEM_BYTES: usize = 400 * 1_024;
/// `revision` as a number, `body` as a name, `attempt` as sixteen bytes.
const ATTRIBUTES_BYTES: usize = (8 + 3) + 4 + (7 + 16);
/// `expires_at` as a number.
const EXPIRY_BYTES: usize = 10 + 6;

/// Whether something can be there at all.
pub(super) fn can_be(key: &Key) -> bool {
    is_partition(&key.partition) && is_place(&key.sort)
}

/// The query, if anything can be in its partition. A bound that is no place came from a caller.
pub(super) fn readable(query: Query) -> Result<Option<Query>, StoreError> {
    let Query { from, to, .. } = &query;
    let long = |from: &String| from.len() > MAX_SORT_BYTES;
    if from.as_ref().is_some_and(long) || to.as_ref().is_some_and(|to| !is_place(to)) {
        return Err(StoreError::Cursor);
    }
    Ok(Some(query).filter(|query| is_partition(&query.partition)))
}

/// Refuses a commit that no table could do, before it can disturb the commits of others.
pub(super) fn admit(writes: &[Write]) -> Result<(), StoreError> {
    let refused = fault("accept the commit");
    if writes.len() > MAX_AT_ONCE {
        return Err(refused(format!("{} writes are over {MAX_AT_ONCE}", writes.len())));
    }
    let mut keys = BTreeSet::new();
    for write in writes {
        let key = match write {
            Write::Put { item, .. } => {
                std::str::from_utf8(&item.body).map_err(fault("keep a body that is not text"))?;
                if size(item) > MAX_ITEM_BYTES {
                    let Key { partition, sort } = &item.key;
                    return Err(refused(format!("{partition} {sort} has {} bytes", size(item))));
                }
                let entries = item.indexes.iter();
                if !entries.clone().all(|entry| is_partition(&entry.partition) && is_place(&entry.sort)) {
                    return Err(refused("an entry of an index is empty or too long".to_owned()));
                }
                &item.key
            }
            Write::Delete { key, .. } | Write::Check { key, .. } => key,
        };
        if !can_be(key) {
            return Err(refused("a key is empty or too long".to_owned()));
        }
        if !keys.insert(key) {
            return Err(refused(format!("it has two writes to {} {}", key.partition, key.sort)));
        }
    }
    Ok(())
}

/// The size of an item as Amazon counts it: its attributes' names and values.
pub(super) fn size(item: &Item) -> usize {
    let indexes = item.indexes.iter().map(index_size).sum::<usize>();
    let expiry = item.expires_at.map_or(0, |_| EXPIRY_BYTES);
    key_size(item) + indexes + expiry + item.body.len() + ATTRIBUTES_BYTES
}

/// The part of an item that an index holds.
pub(super) fn entry_size(item: &Item, entry: &IndexEntry) -> usize {
    key_size(item) + index_size(entry)
}

/// `partition` and `sort`.
fn key_size(item: &Item) -> usize {
    9 + item.key.partition.len() + 4 + item.key.sort.len()
}

/// The same of an index, each with the index's name before it.
fn index_size(entry: &IndexEntry) -> usize {
    let name = entry.index.name().len() + 1;
    name + 9 + entry.partition.len() + name + 4 + entry.sort.len()
}

fn is_partition(text: &str) -> bool {
    (1..=MAX_PARTITION_BYTES).contains(&text.len())
}

fn is_place(text: &str) -> bool {
    (1..=MAX_SORT_BYTES).contains(&text.len())
}
