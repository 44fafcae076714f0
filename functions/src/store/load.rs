//! Load shedding: how much this process has to do, as the number of operations of its store that it waits for. Slow callers and
//! held requests do not count: neither costs other callers anything.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{AttemptId, Consistency, Index, Item, Key, Query, Rows, Sizes, StoreError, Table, Write, health::Health};

/// How many operations are waited for. Cheap to clone: the same count.
#[derive(Debug, Clone, Default)]
pub struct Load(Arc<AtomicUsize>);

impl Load {
    /// How many there are now.
    pub fn pending(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn counts<'a, T: 'a>(&self, operation: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        let pending = Pending::of(self.0.clone());
        Box::pin(async move {
            let _pending = pending;
            operation.await
        })
    }
}

/// One operation. It counts until it is dropped: a caller that hangs up waits for nothing any more.
struct Pending(Arc<AtomicUsize>);

impl Pending {
    fn of(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A table whose operations are counted while they are waited for, and whose commits tell of its health.
pub struct CountingTable {
    /// The table.
    pub table: Arc<dyn Table>,
    /// Their count.
    pub load: Load,
    /// What came of its commits.
    pub health: Arc<Health>,
}

impl Table for CountingTable {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        self.load.counts(self.table.get(key, consistency))
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.load.counts(self.table.get_many(keys))
    }

    fn get_many_lagging<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.load.counts(self.table.get_many_lagging(keys))
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.load.counts(self.table.query(query))
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.load.counts(self.table.query_index(index, query))
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        let commit = self.load.counts(self.table.commit(writes, attempt));
        Box::pin(async {
            let done = commit.await;
            self.health.hears(&done);
            done
        })
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.load.counts(self.table.expire(now, limit))
    }

    /// It does not count: it takes long, and hardly anybody waits for it.
    fn sizes(&self) -> BoxFuture<'_, Result<Sizes, StoreError>> {
        self.table.sizes()
    }

    /// It does not count: nobody waits for it, and it takes long.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async {
            let found = self.table.check().await;
            self.health.checked(&found);
            found
        })
    }
}
