//! The table in one `SQLite` file, for a server that is its own database.
//!
//! Commits go through one thread, which takes all that are queued into one transaction and so shares one fsync among
//! them (group commit); it answers after the transaction is durable, never before. A commit's expectations are all
//! looked at before its first write, so that one that loses has nothing to take back and disturbs no other. Reads go
//! past the thread over connections of their own: they see the last acknowledged state and wait for nobody.
//!
//! The table `attempts` remembers the last 4 000 commits, written in the same transaction as their items. It knows a
//! commit again whatever happened since: also one that only deleted, and one whose items others have overwritten.
//!
//! The file is made whole, under another name, and gets its name when its tables are in it. So a file without tables is
//! never a beginning: it is a copy that was made without the write-ahead log. At the end the log is folded into the file,
//! which can then be copied alone; while the table is open, [`copy::copy`] makes a copy that is whole.
//!
//! Deliberately absent: a second table for the indexes (they are columns, so an item and its entries cannot
//! disagree), and anything that `sqlite3` cannot show: bodies are text, times are seconds since 1970.

mod check;
pub mod copy;
mod files;
mod read;
mod sizes;
mod write;

use std::{fs::File, path::Path, sync::Arc, thread, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use self::{
    read::{Readers, find, list, scan},
    write::{JoinOnDrop, Request, Work, write_until_closed},
};
use super::{
    AttemptId, Consistency, Index, Item, Key, Query, Rows, Sizes, StoreError, Table, WholeTable, Write, fault,
    limits::{MAX_AT_ONCE, admit},
};

const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE items (
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        revision INTEGER NOT NULL,
        expires_at INTEGER,
        body TEXT NOT NULL,
        due_partition TEXT, due_sort TEXT,
        list_partition TEXT, list_sort TEXT,
        owner_partition TEXT, owner_sort TEXT,
        PRIMARY KEY (partition, sort)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX items_due ON items (due_partition, due_sort) WHERE due_partition IS NOT NULL;
    CREATE INDEX items_list ON items (list_partition, list_sort) WHERE list_partition IS NOT NULL;
    CREATE INDEX items_owner ON items (owner_partition, owner_sort) WHERE owner_partition IS NOT NULL;
    CREATE INDEX items_expiring ON items (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE attempts (number INTEGER PRIMARY KEY, attempt BLOB NOT NULL UNIQUE) STRICT;
";
/// In the order `item` reads them; the indexes in the order of `Index::ALL`.
const COLUMNS: &str = "partition, sort, revision, expires_at, body, \
    due_partition, due_sort, list_partition, list_sort, owner_partition, owner_sort";

const MAX_QUEUED: usize = 1024;
/// How many expired items go in one transaction, so that commits get their turn in between.
const EXPIRE_BATCH: usize = 500;
/// 16 MB of log. Each checkpoint costs three fsyncs, so the default of 1000 takes a fifth off the rate of commits.
const CHECKPOINT_PAGES: i64 = 4_000;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The table.
pub struct SqliteTable {
    // Order matters: fields are dropped from the top, and the writer ends when nobody can ask it any more.
    requests: mpsc::Sender<Request>,
    _writer: JoinOnDrop,
    readers: Arc<Readers>,
    /// Last: to close any handle of the file takes back the locks that `SQLite` has on it.
    lock: Option<File>,
}

impl Drop for SqliteTable {
    /// Readers go first: the log is folded in by whoever closes last, and a reader cannot.
    fn drop(&mut self) {
        self.readers.close();
    }
}

impl SqliteTable {
    /// The same as [`Self::open`], for this process alone: the file itself is locked until the table is dropped.
    pub fn open_alone(path: &Path) -> Result<Self, StoreError> {
        files::make(path)?;
        let lock = files::lock(path).map_err(fault("have the database for itself"))?;
        let mut table = Self::open(path)?;
        table.lock = Some(lock);
        Ok(table)
    }

    /// Opens the file, or makes it, readable for its owner only. Dropping the table waits for the commits under way.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = open_writer(path)?;
        let (requests, queue) = mpsc::channel(MAX_QUEUED);
        let writer = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_until_closed(connection, queue))
            .map_err(fault("start its writer"))?;
        let readers = Arc::new(Readers::of(path));
        Ok(Self { requests, _writer: JoinOnDrop(Some(writer)), readers, lock: None })
    }

    /// Once the request is sent it will be done, whether or not somebody still waits for the answer.
    async fn ask(&self, work: Work) -> Result<usize, StoreError> {
        let (reply, answer) = oneshot::channel();
        let gone = "the writer has ended";
        self.requests.send(Request { work, reply }).await.map_err(|_| fault("reach its writer")(gone))?;
        answer.await.map_err(|_| fault("hear from its writer")(gone))?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || readers.read(work)).await.map_err(fault("run a read"))?
    }
}

impl Table for SqliteTable {
    /// Done in place: a point look-up takes microseconds, less than handing it to another thread.
    fn get<'a>(&'a self, key: &'a Key, _: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async { self.readers.read(|connection| find(connection, key)) })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        Box::pin(async {
            if keys.len() > MAX_AT_ONCE {
                return Err(fault("read so many items at once")(format!("{} are over {MAX_AT_ONCE}", keys.len())));
            }
            let keys = keys.to_vec();
            self.read(move |connection| keys.iter().map(|key| find(connection, key)).collect()).await
        })
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(self.read(move |connection| list(connection, None, query)))
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(self.read(move |connection| list(connection, Some(index), query)))
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            admit(&writes)?;
            self.ask(Work::Commit { writes, attempt }).await.map(drop)
        })
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async move {
            let mut removed = 0;
            while removed < limit {
                let batch = EXPIRE_BATCH.min(limit - removed);
                let found = self.ask(Work::Expire { now, limit: batch }).await?;
                removed += found;
                if found < batch {
                    break;
                }
            }
            Ok(removed)
        })
    }

    fn sizes(&self) -> BoxFuture<'_, Result<Sizes, StoreError>> {
        let path = self.readers.path().to_owned();
        let measured = async move { tokio::task::spawn_blocking(move || sizes::of(&path)).await };
        Box::pin(async { measured.await.map_err(fault("measure itself"))? })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        let readers = Arc::clone(&self.readers);
        let checked = async move { tokio::task::spawn_blocking(move || readers.check(check::quick)).await };
        Box::pin(async { checked.await.map_err(fault("run its integrity check"))? })
    }
}

impl SqliteTable {
    /// The same as [`Table::sizes`] of a file that another process may use.
    pub fn sizes_of(path: &Path) -> Result<Sizes, StoreError> {
        sizes::of(path)
    }
}

impl WholeTable for SqliteTable {
    fn scan(&self, cursor: Option<String>, limit: usize) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(self.read(move |connection| scan(connection, cursor, limit)))
    }
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    files::make(path)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(configured)
        .map_err(fault("open the database"))?;
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(fault("read the database's version"))?;
    let refused = |why: String| Err(fault("use the database")(why));
    match version {
        SCHEMA_VERSION => Ok(connection),
        0 => refused(
            "it has no tables: it is a copy that was made without its write-ahead log, or it was cut off; restore a \
             backup, or begin anew in an empty directory"
                .into(),
        ),
        newer => refused(format!(
            "its schema has version {newer}, this program knows version {SCHEMA_VERSION}; a newer program wrote it"
        )),
    }
}

fn configured(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // What was deleted is overwritten: a log is erased because of what it holds.
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(connection)
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// An error of the database. What ends when somebody makes room, or puts the disk right, is no fault of the program: the
/// caller is asked to come again.
fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        if is_of_the_disk(&error) {
            return StoreError::Unavailable { doing, source: error.into() };
        }
        fault(doing)(error)
    }
}

fn is_of_the_disk(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    code.is_some_and(|code| {
        matches!(
            code,
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
        )
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::types::Value;

    use crate::store::Expect;

    use super::{
        read::{list_statement, prefix},
        *,
    };

    #[test]
    fn every_commit_is_synced_to_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("muster.db")).unwrap();
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, Value>(0)).unwrap();
        assert_eq!(pragma("journal_mode"), Value::Text("wal".into()));
        assert_eq!(pragma("synchronous"), Value::Integer(2), "FULL");
    }

    #[test]
    fn every_list_is_read_along_an_index_without_sorting() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("muster.db")).unwrap();
        for prefix in Index::ALL.map(prefix).into_iter().chain([String::new()]) {
            for direction in ["ASC", "DESC"] {
                let plan = plan(&connection, &list_statement(&prefix, direction));
                assert_eq!(plan.len(), 1, "{plan:?}");
                assert!(plan[0].starts_with("SEARCH items USING"), "{plan:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_full_disk_and_a_read_only_one_ask_the_caller_to_come_again() {
        for pragma in ["max_page_count = 20", "query_only = ON"] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("muster.db");
            let connection = open_writer(&path).unwrap();
            connection.execute_batch(&format!("PRAGMA {pragma}")).unwrap();
            let (requests, queue) = mpsc::channel(MAX_QUEUED);
            let writer = thread::spawn(move || write_until_closed(connection, queue));
            let readers = Arc::new(Readers::of(&path));
            let table = SqliteTable { requests, _writer: JoinOnDrop(Some(writer)), readers, lock: None };
            let mut outcome = Ok(());
            for n in 0..100 {
                let key = Key::new("p", n.to_string());
                let body = format!("\"{}\"", "x".repeat(4_000)).into_bytes();
                let item = Item { key, revision: 1, expires_at: None, indexes: Vec::new(), body };
                outcome = table.commit(vec![Write::Put { item, expect: Expect::Absent }], n).await;
                if outcome.is_err() {
                    break;
                }
            }
            assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{pragma}: {outcome:?}");
        }
    }

    fn plan(connection: &Connection, statement: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        statement.query_map([0; 8], |row| row.get(3)).unwrap().map(Result::unwrap).collect()
    }
}
