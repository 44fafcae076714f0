//! A table that counts what its use would cost on `DynamoDB`, by Amazon's rules, whatever table is behind it.
//!
//! - A read costs one unit per started 4 KB, an eventually consistent one half of that; a list is summed before it is
//!   rounded; what is not there costs like the smallest item.
//! - A write costs one unit per started 1 KB of the larger of the item before and after; in a commit of several writes
//!   it costs double. A commit that lost costs the same.
//! - An index holds keys alone: an entry that comes or goes is one more write, one that moves is two, and one that stays
//!   where it is costs nothing. A commit that lost does not reach the indexes. To read a list of an index is to read its
//!   keys, and then each item, both eventually consistent.
//! - Expiry is free.
//!
//! An item's size is that of its attributes' names and values, as Amazon counts them. To know an item before a write the
//! meter reads it, uncounted; if another writer comes in between, the figure may be off by that write.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{
    AttemptId, Consistency, Index, IndexEntry, Item, Key, Query, Rows, Sizes, StoreError, Table, Write,
    limits::{entry_size, size},
};

const READ_UNIT_BYTES: usize = 4096;
const WRITE_UNIT_BYTES: usize = 1024;

/// A table with a meter.
pub struct Meter<T> {
    table: T,
    units: Mutex<Units>,
}

/// Units by operation: `get`, `get_many`, `query`, `query_index`, `commit`, `expire`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Units {
    /// Operations that were never called are absent.
    pub operations: BTreeMap<&'static str, Use>,
}

/// The units of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// How often it was called.
    pub calls: u64,
    /// Read units, counted in halves.
    pub read_half_units: u64,
    /// Write units.
    pub write_units: u64,
}

impl Units {
    /// The units of one operation.
    pub fn of(&self, operation: &str) -> Use {
        self.operations.get(operation).copied().unwrap_or_default()
    }

    /// How often something was read.
    pub fn reads(&self) -> u64 {
        ["get", "get_many", "query", "query_index"].into_iter().map(|operation| self.of(operation).calls).sum()
    }

    /// How often something was written.
    pub fn writes(&self) -> u64 {
        self.of("commit").calls
    }

    /// Read units of all operations, counted in halves.
    pub fn read_half_units(&self) -> u64 {
        self.operations.values().map(|used| used.read_half_units).sum()
    }

    /// Write units of all operations.
    pub fn write_units(&self) -> u64 {
        self.operations.values().map(|used| used.write_units).sum()
    }
}

impl<T: Table> Meter<T> {
    /// Starts at zero.
    pub fn new(table: T) -> Self {
        Self { table, units: Mutex::default() }
    }

    /// The units since the start or the last `take`.
    pub fn units(&self) -> Units {
        self.lock().clone()
    }

    /// The same, and starts again at zero.
    pub fn take(&self) -> Units {
        std::mem::take(&mut *self.lock())
    }

    fn count(&self, operation: &'static str, read_half_units: usize, write_units: usize) {
        let mut units = self.lock();
        let used = units.operations.entry(operation).or_default();
        used.calls += 1;
        used.read_half_units += read_half_units as u64;
        used.write_units += write_units as u64;
    }

    fn lock(&self) -> MutexGuard<'_, Units> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Table> Table for Meter<T> {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async move {
            let found = self.table.get(key, consistency).await?;
            let halves = match consistency {
                Consistency::Strong => 2,
                Consistency::Eventual => 1,
            };
            self.count("get", halves * read_units(found.iter().map(size).sum()), 0);
            Ok(found)
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        Box::pin(async {
            let found = self.table.get_many(keys).await?;
            let units: usize = found.iter().map(|item| read_units(item.iter().map(size).sum())).sum();
            self.count("get_many", 2 * units, 0);
            Ok(found)
        })
    }

    fn get_many_lagging<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        Box::pin(async {
            let found = self.table.get_many_lagging(keys).await?;
            let units: usize = found.iter().map(|item| read_units(item.iter().map(size).sum())).sum();
            self.count("get_many", units, 0);
            Ok(found)
        })
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async {
            let found = self.table.query(query).await?;
            self.count("query", 2 * read_units(found.items.iter().map(size).sum()), 0);
            Ok(found)
        })
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            let found = self.table.query_index(index, query).await?;
            let entries = found.items.iter().filter_map(|item| entry(item, index).map(|entry| entry_size(item, entry)));
            let items = found.items.iter().map(|item| read_units(size(item))).sum::<usize>();
            self.count("query_index", read_units(entries.sum()) + items, 0);
            Ok(found)
        })
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let factor = if writes.len() > 1 { 2 } else { 1 };
            let (mut on_table, mut on_indexes) = (0, 0);
            for write in &writes {
                let before = self.table.get(key(write), Consistency::Strong).await?;
                let after = after(write, before.as_ref());
                on_table += factor * write_units(before.as_ref().map_or(0, size).max(after.map_or(0, size)));
                if !matches!(write, Write::Check { .. }) {
                    on_indexes += index_units(before.as_ref(), after);
                }
            }
            let outcome = self.table.commit(writes, attempt).await;
            self.count("commit", 0, if outcome.is_ok() { on_table + on_indexes } else { on_table });
            outcome
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.table.check()
    }

    fn sizes(&self) -> BoxFuture<'_, Result<Sizes, StoreError>> {
        self.table.sizes()
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async move {
            self.count("expire", 0, 0);
            self.table.expire(now, limit).await
        })
    }
}

fn key(write: &Write) -> &Key {
    match write {
        Write::Put { item, .. } => &item.key,
        Write::Delete { key, .. } | Write::Check { key, .. } => key,
    }
}

fn after<'a>(write: &'a Write, before: Option<&'a Item>) -> Option<&'a Item> {
    match write {
        Write::Put { item, .. } => Some(item),
        Write::Delete { .. } => None,
        Write::Check { .. } => before,
    }
}

fn index_units(before: Option<&Item>, after: Option<&Item>) -> usize {
    let cost = |index| match (before.and_then(|item| entry(item, index)), after.and_then(|item| entry(item, index))) {
        (Some(before), Some(after)) if before == after => 0,
        (before, after) => before.into_iter().chain(after).count(),
    };
    Index::ALL.map(cost).into_iter().sum()
}

fn entry(item: &Item, index: Index) -> Option<&IndexEntry> {
    item.indexes.iter().find(|entry| entry.index == index)
}

fn read_units(bytes: usize) -> usize {
    bytes.div_ceil(READ_UNIT_BYTES).max(1)
}

fn write_units(bytes: usize) -> usize {
    bytes.div_ceil(WRITE_UNIT_BYTES).max(1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::store::{Expect, sqlite::SqliteTable};

    /// A table with items of these sizes, named by their place.
    async fn metered(sizes: &[usize]) -> (Meter<SqliteTable>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let table = Meter::new(SqliteTable::open(&directory.path().join("muster.db")).unwrap());
        for (place, bytes) in (0..).zip(sizes) {
            table.commit(vec![put(&place.to_string(), *bytes, &[])], place).await.unwrap();
        }
        table.take();
        (table, directory)
    }

    /// Of just this size, with these entries of one letter each.
    fn put(sort: &str, bytes: usize, indexes: &[(Index, &str)]) -> Write {
        let entry =
            |(index, sort): &(Index, &str)| IndexEntry { index: *index, partition: "i".into(), sort: (*sort).into() };
        let indexes: Vec<_> = indexes.iter().map(entry).collect();
        let mut item = Item { key: Key::new("p", sort), revision: 1, expires_at: None, indexes, body: Vec::new() };
        item.body = vec![b' '; bytes - size(&item)];
        assert_eq!(size(&item), bytes);
        Write::Put { item, expect: Expect::Any }
    }

    #[tokio::test]
    async fn a_read_costs_by_started_four_kilobytes_and_half_if_it_may_lag() {
        let (table, _directory) = metered(&[4096, 4097, 100]).await;
        for (sort, strong) in [("0", 2), ("1", 4), ("none", 2)] {
            let key = Key::new("p", sort);
            table.get(&key, Consistency::Strong).await.unwrap();
            table.get(&key, Consistency::Eventual).await.unwrap();
            let units = table.take();
            assert_eq!(
                units.of("get"),
                Use { calls: 2, read_half_units: strong + strong / 2, write_units: 0 },
                "{sort}"
            );
            assert_eq!((units.reads(), units.writes()), (2, 0));
        }
    }

    #[tokio::test]
    async fn a_list_is_summed_before_it_is_rounded_and_many_items_after() {
        let (table, _directory) = metered(&[1000; 5]).await;
        table.query(Query::all("p", 4)).await.unwrap();
        assert_eq!(table.take().read_half_units(), 2);
        table.query(Query::all("p", 5)).await.unwrap();
        assert_eq!(table.take().read_half_units(), 4);
        table.get_many(&["0", "1", "none"].map(|sort| Key::new("p", sort))).await.unwrap();
        assert_eq!(table.take().read_half_units(), 6);
        table.get_many_lagging(&["0", "1", "none"].map(|sort| Key::new("p", sort))).await.unwrap();
        assert_eq!(table.take().read_half_units(), 3);

        let writes = (0..5).map(|n| put(&n.to_string(), 1000, &[(Index::List, "1")])).collect();
        table.commit(writes, 9).await.unwrap();
        table.take();
        table.query_index(Index::List, Query::all("i", 5)).await.unwrap();
        let read = Use { calls: 1, read_half_units: 1 + 5, write_units: 0 };
        assert_eq!(table.take().of("query_index"), read, "the keys together, then each item");
        table.query_index(Index::Due, Query::all("i", 5)).await.unwrap();
        assert_eq!(table.take().of("query_index").read_half_units, 1, "nothing");
    }

    #[tokio::test]
    async fn a_write_costs_by_started_kilobyte_of_the_larger_item_and_double_among_others() {
        let (table, _directory) = metered(&[1024, 3000, 100]).await;
        let delete = |sort| Write::Delete { key: Key::new("p", sort), expect: Expect::Any };
        let check = |sort| Write::Check { key: Key::new("p", sort), expect: Expect::Any };
        let cases = [
            (vec![put("0", 1024, &[])], 1),
            (vec![put("0", 1025, &[])], 2),
            (vec![put("1", 100, &[])], 3),
            (vec![put("1", 100, &[]), put("2", 100, &[])], 4),
            (vec![check("0"), put("2", 100, &[])], 2 * (2 + 1)),
            (vec![delete("0")], 2),
            (vec![delete("none")], 1),
        ];
        for (attempt, (writes, units)) in (100..).zip(cases) {
            table.commit(writes.clone(), attempt).await.unwrap();
            assert_eq!(
                table.take().of("commit"),
                Use { calls: 1, read_half_units: 0, write_units: units },
                "{writes:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_commit_that_lost_costs_too_but_not_in_the_indexes() {
        let (table, _directory) = metered(&[1500]).await;
        let lost = |write| match write {
            Write::Put { item, .. } => Write::Put { item, expect: Expect::Revision(7) },
            other => other,
        };
        table.commit(vec![lost(put("0", 100, &[(Index::Due, "1")]))], 9).await.unwrap_err();
        let units = table.take();
        assert_eq!((units.write_units(), units.writes()), (2, 1));
    }

    #[tokio::test]
    async fn an_index_costs_a_write_for_each_entry_that_comes_or_goes_and_two_if_it_moves() {
        let (table, _directory) = metered(&[]).await;
        let cases: [(&[_], _); 5] = [
            (&[(Index::Due, "1"), (Index::List, "1")], 2),
            (&[(Index::Due, "1"), (Index::List, "1")], 0),
            (&[(Index::Due, "2"), (Index::List, "1")], 2),
            (&[(Index::List, "1")], 1),
            (&[], 1),
        ];
        for (attempt, (indexes, units)) in (0..).zip(cases) {
            table.commit(vec![put("0", 300, indexes)], attempt).await.unwrap();
            assert_eq!(table.take().write_units(), 1 + units, "{indexes:?}");
        }
    }

    #[tokio::test]
    async fn expiry_is_free() {
        let (table, _directory) = metered(&[100]).await;
        table.expire(Timestamp::UNIX_EPOCH, 10).await.unwrap();
        assert_eq!(table.units().of("expire"), Use { calls: 1, ..Use::default() });
        assert_eq!((table.units().reads(), table.units().writes()), (0, 0));
    }
}
