//! A table whose callers overlap, and whose process dies: after so many operations no further one happens, and none is
//! answered.
//!
//! Whoever has read lets all others read before it writes. Without that a fast store hides every race: requests that were
//! sent at once would be done one after the other.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use muster_server::store::{AttemptId, Consistency, Index, Item, Key, Query, Rows, Sizes, StoreError, Table, Write};
use tokio::sync::Notify;

use super::ManualClock;

/// A table whose process can be made to die before a certain operation. Cheap to clone: the same table.
#[derive(Clone)]
pub struct Mortal {
    table: Arc<dyn Table>,
    left: Arc<AtomicU64>,
    death: Arc<Notify>,
    slow: Arc<Mutex<Option<Arc<ManualClock>>>>,
}

impl Mortal {
    /// Lives on.
    pub fn new(table: Arc<dyn Table>) -> Self {
        Self { table, left: Arc::new(AtomicU64::new(u64::MAX)), death: Arc::default(), slow: Arc::default() }
    }

    /// Dies after so many operations from now on.
    pub fn dies_after(&self, operations: u64) {
        self.left.store(operations, Ordering::SeqCst);
    }

    /// A new process opens the table.
    pub fn revives(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
    }

    /// From now on an operation takes a second of this clock; none again: no time at all.
    pub fn is_slow(&self, by: Option<Arc<ManualClock>>) {
        *self.slow.lock().unwrap() = by;
    }

    /// Until an operation was tried after the last one.
    pub async fn dies(&self) {
        self.death.notified().await;
    }

    async fn lives(&self) {
        if let Some(clock) = &*self.slow.lock().unwrap() {
            clock.moves(1);
        }
        let spend = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_err() {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

impl Table for Mortal {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async move {
            self.lives().await;
            overlapping(self.table.get(key, consistency)).await
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        Box::pin(async move {
            self.lives().await;
            overlapping(self.table.get_many(keys)).await
        })
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            self.lives().await;
            overlapping(self.table.query(query)).await
        })
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            self.lives().await;
            overlapping(self.table.query_index(index, query)).await
        })
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.lives().await;
            self.table.commit(writes, attempt).await
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
            self.lives().await;
            self.table.expire(now, limit).await
        })
    }
}

async fn overlapping<T>(read: impl Future<Output = T>) -> T {
    let found = read.await;
    tokio::task::yield_now().await;
    found
}
