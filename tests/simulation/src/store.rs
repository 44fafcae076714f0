//! The embedded store, in virtual time: each operation takes a few milliseconds of it, and none of the thread's own.
//!
//! The real table answers from another thread. Were that awaited, the paused clock would take the silence for idleness and
//! jump; so the thread waits, and the other requests get their turn before the operation instead.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_executor::block_on;
use futures_util::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use muster_agent::sys::dice;
use muster_server::store::{
    AttemptId, Consistency, Index, Item, Key, Query, Rows, StoreError, Table, Write, sqlite::SqliteTable,
};
use tokio_util::sync::CancellationToken;

/// The longest that an operation takes.
const LONGEST: Duration = Duration::from_millis(8);

/// A table in a file that can be copied and put back.
pub struct Store {
    folder: PathBuf,
    table: Mutex<Option<SqliteTable>>,
}

impl Store {
    /// An empty one in this folder.
    pub fn new(folder: PathBuf) -> Self {
        let store = Self { folder, table: Mutex::default() };
        store.open();
        store
    }

    /// Copies everything, as a backup does.
    pub fn back_up(&self, to: &Path) {
        self.close();
        copy(&self.folder, to);
        self.open();
    }

    /// Puts a backup in place of what there is.
    pub fn restore(&self, from: &Path) {
        self.close();
        fs::remove_dir_all(&self.folder).expect("it is there");
        copy(from, &self.folder);
        self.open();
    }

    fn open(&self) {
        fs::create_dir_all(&self.folder).expect("a folder can be made");
        let table = SqliteTable::open(&self.folder.join("muster.sqlite")).expect("the table can be opened");
        *self.table.lock().expect("nobody panics with it") = Some(table);
    }

    fn close(&self) {
        self.table.lock().expect("nobody panics with it").take();
    }
}

/// The store as one process has it: once that is killed, nothing goes on that it has begun.
pub struct Connection {
    /// What is behind it.
    pub store: Arc<Store>,
    /// Whether the process is dead.
    pub killed: CancellationToken,
}

impl Connection {
    fn soon<'a, T>(&'a self, work: impl FnOnce(&SqliteTable) -> T + Send + 'a) -> BoxFuture<'a, T> {
        async move {
            tokio::time::sleep(LONGEST.mul_f64(dice::random())).await;
            if self.killed.is_cancelled() {
                return std::future::pending().await;
            }
            let table = self.store.table.lock().expect("nobody panics with it");
            work(table.as_ref().expect("it is open whenever anything runs"))
        }
        .boxed()
    }
}

impl Table for Connection {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        self.soon(move |table| block_on(table.get(key, consistency)))
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.soon(move |table| block_on(table.get_many(keys)))
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.soon(move |table| block_on(table.query(query)))
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.soon(move |table| block_on(table.query_index(index, query)))
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        self.soon(move |table| block_on(table.commit(writes, attempt)))
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.soon(move |table| block_on(table.expire(now, limit)))
    }
}

/// Copies a folder of files.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("it is a folder").map(|entry| entry.expect("it can be listed")) {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("it can be copied");
    }
}
