//! A table whose cheap reads lag behind, as those of `DynamoDB` may: by so many commits of the item, or by its whole life.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use muster_server::store::{AttemptId, Consistency, Index, Item, Key, Query, Rows, StoreError, Table, Write};

/// A table whose cheap reads lag behind. Cheap to clone: the same table.
#[derive(Clone)]
pub struct Lagging {
    table: Arc<dyn Table>,
    /// What every key held, one entry for each commit.
    history: Arc<Mutex<HashMap<Key, Vec<Option<Item>>>>>,
    behind: Arc<AtomicUsize>,
}

impl Lagging {
    /// Not yet behind.
    pub fn new(table: Arc<dyn Table>) -> Self {
        Self { table, history: Arc::default(), behind: Arc::default() }
    }

    /// From now on every cheap read misses the last so many commits of its item; with `usize::MAX` all of them.
    pub fn lags(&self, commits: usize) {
        self.behind.store(commits, Ordering::SeqCst);
    }

    /// What the key has held, oldest first; nothing if it has not been written since the table began to lag.
    fn states(&self, key: &Key) -> Vec<Option<Item>> {
        self.history.lock().unwrap().get(key).cloned().unwrap_or_default()
    }

    fn remember(&self, writes: Vec<Write>) {
        let mut history = self.history.lock().unwrap();
        for write in writes {
            match write {
                Write::Put { item, .. } => history.entry(item.key.clone()).or_default().push(Some(item)),
                Write::Delete { key, .. } => history.entry(key).or_default().push(None),
                Write::Check { .. } => {}
            }
        }
    }
}

impl Table for Lagging {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async move {
            let behind = self.behind.load(Ordering::SeqCst);
            let states = self.states(key);
            if consistency == Consistency::Strong || behind == 0 || states.is_empty() {
                return self.table.get(key, consistency).await;
            }
            let seen = states.len().saturating_sub(behind).checked_sub(1);
            Ok(seen.and_then(|seen| states[seen].clone()))
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.table.get_many(keys)
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.table.query(query)
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.table.query_index(index, query)
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.table.commit(writes.clone(), attempt).await?;
            self.remember(writes);
            Ok(())
        })
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.table.expire(now, limit)
    }
}
