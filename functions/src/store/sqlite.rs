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
//! Deliberately absent: a second table for the indexes (they are columns, so an item and its entries cannot
//! disagree), and anything that `sqlite3` cannot show: bodies are text, times are seconds since 1970.

mod read;
mod write;

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use self::{
    read::{Readers, find, list, scan},
    write::{JoinOnDrop, Request, Work, write_until_closed},
};
use super::{
    AttemptId, Consistency, Index, Item, Key, Query, Rows, StoreError, Table, WholeTable, Write, fault,
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
}

impl SqliteTable {
    /// Opens the file, or makes it, readable for its owner only. Dropping the table waits for the commits under way.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = open_writer(path)?;
        let (requests, queue) = mpsc::channel(MAX_QUEUED);
        let writer = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_until_closed(connection, queue))
            .map_err(fault("start its writer"))?;
        let readers = Arc::new(Readers { path: path.into(), idle: Mutex::default() });
        Ok(Self { requests, _writer: JoinOnDrop(Some(writer)), readers })
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
    create(path).map_err(fault("make the database file"))?;
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(configured)
        .map_err(fault("open the database"))?;
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(fault("read the database's version"))?;
    match version {
        SCHEMA_VERSION => {}
        0 => create_schema(&mut connection).map_err(fault("set up the database"))?,
        newer => {
            return Err(fault("use the database")(format!(
                "its schema has version {newer}, this program knows version {SCHEMA_VERSION}; a newer program wrote it"
            )));
        }
    }
    Ok(connection)
}

/// `SQLite` gives its other files the same mode.
fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

fn configured(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(connection)
}

fn create_schema(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::types::Value;

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

    fn plan(connection: &Connection, statement: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        statement.query_map([0; 8], |row| row.get(3)).unwrap().map(Result::unwrap).collect()
    }
}
