//! The store: a narrow key-value table, not a repository per noun and not a query language.
//!
//! Everything Muster knows is an item with a revision; every change is a commit of writes that either all happen or
//! none. The store does not interpret the bytes of an item. Deliberately absent: scans, joins, counters,
//! last-writer-wins.

pub mod conformance;
mod cursors;
#[cfg(feature = "services")]
pub mod dynamodb;
pub mod health;
pub mod keys;
mod limits;
pub mod load;
pub mod meter;
#[cfg(feature = "embedded")]
pub mod sqlite;
mod versioned;

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use self::versioned::Versioned;

/// Where an item lives: a partition that is read together, and a place in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition: its items are read together.
    pub partition: String,
    /// The place in it; queries go by its order, byte by byte.
    pub sort: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: sort.into() }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it lives.
    pub key: Key,
    /// Grows by one with every change; writers set it.
    pub revision: u64,
    /// When it may be removed, kept to the second and rounded up. A read may still find it afterwards: a caller to
    /// whom that matters compares the time.
    pub expires_at: Option<Timestamp>,
    /// Where else it is found. Each index at most once.
    pub indexes: Vec<IndexEntry>,
    /// The record itself, JSON.
    pub body: Vec<u8>,
}

/// A further way to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Which index.
    pub index: Index,
    /// The partition in the index.
    pub partition: String,
    /// The place in it.
    pub sort: String,
}

/// The indexes. All are sparse: only items with an entry are in them. Reads of an index may lag behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// Records that want the tick's attention, by the time they want it.
    Due,
    /// All records of a kind, newest last.
    List,
    /// Records that belong to another (jobs of a host), newest last.
    Owner,
}

impl Index {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Due, Self::List, Self::Owner];

    /// Its name in stores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::List => "list",
            Self::Owner => "owner",
        }
    }
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Sees every commit that was acknowledged before.
    Strong,
    /// May lag behind; costs half.
    Eventual,
}

/// The state that a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Absent,
    /// The item at this revision.
    Revision(u64),
    /// Whatever there is. Only for items that nobody else writes.
    Any,
}

/// One part of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Write the item.
    Put {
        /// The item.
        item: Item,
        /// The state that must be found before.
        expect: Expect,
    },
    /// Remove the item.
    Delete {
        /// Which.
        key: Key,
        /// The state that must be found before.
        expect: Expect,
    },
    /// Write nothing, but let the commit fail unless this holds.
    Check {
        /// Which item.
        key: Key,
        /// The state that must be found.
        expect: Expect,
    },
}

impl Write {
    /// The same, of an item that may be removed from then on.
    #[must_use]
    pub fn until(self, expires_at: Timestamp) -> Self {
        self.removed_at(Some(expires_at))
    }

    /// The same, of an item that may be kept for ever.
    #[must_use]
    pub fn removed_at(mut self, expires_at: Option<Timestamp>) -> Self {
        if let Self::Put { item, .. } = &mut self {
            item.expires_at = expires_at;
        }
        self
    }
}

/// A part of a partition, of the table or of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which partition.
    pub partition: String,
    /// The first place, itself included. Absent: from the beginning.
    pub from: Option<String>,
    /// The place before which to stop. Absent: to the end.
    pub to: Option<String>,
    /// Which way.
    pub order: Order,
    /// How many items at most.
    pub limit: usize,
    /// Goes on where an earlier answer stopped.
    pub cursor: Option<String>,
}

impl Query {
    /// The whole partition, ascending, at most `limit` items.
    pub fn all(partition: impl Into<String>, limit: usize) -> Self {
        Self { partition: partition.into(), from: None, to: None, order: Order::Ascending, limit, cursor: None }
    }
}

/// Which way a query goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The result of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The items, in order; fewer than asked for perhaps, above all if they are large, but none only at the end.
    pub items: Vec<Item>,
    /// Where to go on, opaque; absent when there is nothing more.
    pub cursor: Option<String>,
}

/// Why the table did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An expectation did not hold; nothing was written. `write` is the first such write's place in the commit.
    #[error("another writer came first (write {write})")]
    Stale {
        /// The place of the write whose expectation failed.
        write: usize,
    },
    /// A cursor that no query of this table gave.
    #[error("the cursor is not from this list")]
    Cursor,
    /// The store does not answer, or has too much to do; later it may. Whether a commit happened is unknown.
    #[error("the store was unavailable to {doing}")]
    Unavailable {
        /// The action that was tried.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store itself failed; whether a commit happened is unknown.
    #[error("the store failed to {doing}")]
    Fault {
        /// The action that was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// How much a table holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// By kind of record: how many, and the bytes of their keys, index entries and bodies.
    pub kinds: BTreeMap<String, (u64, u64)>,
    /// The size of the database file and of its write-ahead log, if there is a file.
    pub file: Option<(u64, u64)>,
}

/// Tells one commit from another, so that a commit whose reply was lost is recognised as our own when it is tried again.
pub type AttemptId = u128;

/// The table. Futures may be dropped at any point: a commit then happens wholly or not at all.
pub trait Table: Send + Sync {
    /// One item.
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>>;

    /// Several items at once (at most 100), strongly consistent, in the order of the keys.
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>>;

    /// The same for half the price where reads are billed: what is found may be a moment old.
    fn get_many_lagging<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.get_many(keys)
    }

    /// Items of a partition, strongly consistent.
    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>>;

    /// Items of a partition of an index.
    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>>;

    /// Does all writes (at most 100, each to another key) or none, durably. The same attempt again is a success
    /// without a second effect, as long as no other commit came to its items in between.
    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Removes items whose time is over, at most `limit`; says how many. Stores that do so by themselves do nothing.
    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>>;

    /// Reads everything, to see whether it is undamaged. Stores that look after that themselves do nothing.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    /// How much it holds: by reading all keys, but no body. Stores that would bill that know nothing.
    fn sizes(&self) -> BoxFuture<'_, Result<Sizes, StoreError>> {
        Box::pin(async { Ok(Sizes::default()) })
    }
}

/// The store itself failed at this.
fn fault<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |source| StoreError::Fault { doing, source: source.into() }
}

/// The end of the second: an item may stay a little longer, never shorter.
pub(crate) fn whole_seconds(time: Timestamp) -> i64 {
    time.as_second() + i64::from(time.subsec_nanosecond() > 0)
}

/// A table that can be read as a whole, to move an installation. Nothing that serves requests is given one.
pub trait WholeTable: Table {
    /// Some items, in any order, and where to go on.
    fn scan(&self, cursor: Option<String>, limit: usize) -> BoxFuture<'_, Result<Rows, StoreError>>;
}

impl<T: Table + ?Sized> Table for std::sync::Arc<T> {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        (**self).get(key, consistency)
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        (**self).get_many(keys)
    }

    fn get_many_lagging<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        (**self).get_many_lagging(keys)
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        (**self).query(query)
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        (**self).query_index(index, query)
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).commit(writes, attempt)
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        (**self).expire(now, limit)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).check()
    }

    fn sizes(&self) -> BoxFuture<'_, Result<Sizes, StoreError>> {
        (**self).sizes()
    }
}
