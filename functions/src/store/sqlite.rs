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

use std::{
    collections::BTreeSet,
    error::Error,
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params,
    types::{ToSqlOutput, Type, Value, ValueRef},
};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{
    AttemptId, Consistency, Expect, Index, IndexEntry, Item, Key, Order, Query, Rows, StoreError, Table, Write,
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
/// In the order `item` reads them; the indexes in the order of `INDEXES`.
const COLUMNS: &str = "partition, sort, revision, expires_at, body, \
    due_partition, due_sort, list_partition, list_sort, owner_partition, owner_sort";
const INDEXES: [Index; 3] = [Index::Due, Index::List, Index::Owner];

/// What `DynamoDB` takes at once; held here too, so that a test on this table finds what would fail on that one.
const MAX_AT_ONCE: usize = 100;
/// How many commits share one fsync at most: bounds how long the first of them waits for the last.
const MAX_GROUP: usize = 256;
const MAX_QUEUED: usize = 1024;
/// How many expired items go in one transaction, so that commits get their turn in between.
const EXPIRE_BATCH: usize = 500;
/// Many seconds' worth, in few pages: attempts are random, so each commit of a group writes another of these pages.
const REMEMBERED_ATTEMPTS: i64 = 4_000;
const FORGOTTEN_AT_ONCE: i64 = 250;
/// 16 MB of log. Each checkpoint costs three fsyncs, so the default of 1000 takes a fifth off the rate of commits.
const CHECKPOINT_PAGES: i64 = 4_000;
const IDLE_READERS: usize = 8;
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

struct Request {
    work: Work,
    reply: oneshot::Sender<Answer>,
}

enum Work {
    Commit { writes: Vec<Write>, attempt: AttemptId },
    Expire { now: Timestamp, limit: usize },
}

/// How many items expiry removed; a commit has nothing to say but success.
type Answer = Result<usize, StoreError>;

struct JoinOnDrop(Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        // A writer that panicked has already failed everyone who waited: their replies were dropped with it.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

fn write_until_closed(mut connection: Connection, mut queue: mpsc::Receiver<Request>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        let answers = write_group(&mut connection, &mut group, &mut queue).unwrap_or_else(|error| {
            let error = Arc::new(error);
            group.iter().map(|_| Err(fault("write")(Arc::clone(&error)))).collect()
        });
        for (request, answer) in group.into_iter().zip(answers) {
            // A caller that went away does not need the answer.
            let _ = request.reply.send(answer);
        }
    }
}

/// Who asks while the group is at work joins it: callers that were answered together come back one by one, and to go
/// ahead without the later ones would cost them, and then the earlier ones, a second fsync.
///
/// An error of the database takes back the whole group, and what it answered so far does not count.
fn write_group(
    connection: &mut Connection,
    group: &mut Vec<Request>,
    queue: &mut mpsc::Receiver<Request>,
) -> rusqlite::Result<Vec<Answer>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut answers = Vec::new();
    while let Some(request) = group.get(answers.len()) {
        answers.push(work(&transaction, &request.work)?);
        if answers.len() < MAX_GROUP {
            group.extend(queue.try_recv());
        }
    }
    transaction.commit()?;
    Ok(answers)
}

fn work(connection: &Connection, work: &Work) -> rusqlite::Result<Answer> {
    match work {
        Work::Commit { writes, attempt } => commit(connection, writes, *attempt),
        Work::Expire { now, limit } => expire(connection, *now, *limit).map(Ok),
    }
}

fn commit(connection: &Connection, writes: &[Write], attempt: AttemptId) -> rusqlite::Result<Answer> {
    let attempt = attempt.to_be_bytes();
    if connection.prepare_cached("SELECT 1 FROM attempts WHERE attempt = ?1")?.exists([attempt])? {
        return Ok(Ok(0));
    }
    for (place, write) in writes.iter().enumerate() {
        if !holds(connection, write)? {
            return Ok(Err(StoreError::Stale { write: place }));
        }
    }
    connection.prepare_cached("INSERT INTO attempts (attempt) VALUES (?1)")?.execute([attempt])?;
    let forgotten = connection.last_insert_rowid() - REMEMBERED_ATTEMPTS;
    if forgotten % FORGOTTEN_AT_ONCE == 0 {
        connection.prepare_cached("DELETE FROM attempts WHERE number <= ?1")?.execute([forgotten])?;
    }
    for write in writes {
        apply(connection, write)?;
    }
    Ok(Ok(0))
}

fn holds(connection: &Connection, write: &Write) -> rusqlite::Result<bool> {
    let (key, expect) = match write {
        Write::Put { item, expect } => (&item.key, expect),
        Write::Delete { key, expect } | Write::Check { key, expect } => (key, expect),
    };
    let found = || {
        connection
            .prepare_cached("SELECT revision FROM items WHERE partition = ?1 AND sort = ?2")?
            .query_row([&key.partition, &key.sort], |row| row.get(0).map(i64::cast_unsigned))
            .optional()
    };
    Ok(match expect {
        Expect::Absent => found()?.is_none(),
        Expect::Revision(revision) => found()? == Some(*revision),
        Expect::Any => true,
    })
}

fn apply(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Put { item, expect: _ } => put(connection, item),
        Write::Delete { key, expect: _ } => connection
            .prepare_cached("DELETE FROM items WHERE partition = ?1 AND sort = ?2")?
            .execute([&key.partition, &key.sort])
            .map(drop),
        Write::Check { .. } => Ok(()),
    }
}

fn put(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    let Item { key, revision, expires_at, indexes, body } = item;
    let [due, list, owner] = INDEXES.map(|index| {
        let entry = indexes.iter().find(|entry| entry.index == index);
        entry.map(|entry| (&entry.partition, &entry.sort)).unzip()
    });
    connection
        .prepare_cached(&format!(
            "REPLACE INTO items ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        ))?
        .execute(params![
            key.partition,
            key.sort,
            revision.cast_signed(),
            expires_at.map(whole_seconds),
            ToSqlOutput::Borrowed(ValueRef::Text(body)),
            due.0,
            due.1,
            list.0,
            list.1,
            owner.0,
            owner.1,
        ])
        .map(drop)
}

fn expire(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM items WHERE (partition, sort) IN
                (SELECT partition, sort FROM items WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute(params![now.as_second(), row_limit(limit)])
}

/// Connections for reading. As many as there are reads at a time; a few are kept.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| open_reader(&self.path), Ok).map_err(fault("open a reader"))?;
        let answer = work(&connection);
        let mut idle = self.idle();
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(connection: &Connection, key: &Key) -> Result<Option<Item>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM items WHERE partition = ?1 AND sort = ?2"))
        .and_then(|mut statement| statement.query_row([&key.partition, &key.sort], item).optional())
        .map_err(fault("read an item"))
}

/// Where a row stands in a list: its place, then its key, because several items may have one place in an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    place: String,
    key: Key,
}

impl Position {
    fn before_all_at(place: String) -> Self {
        Self { place, key: Key::new("", "") }
    }

    /// The very next position there can be.
    fn successor(mut self) -> Self {
        self.key.sort.push('\0');
        self
    }
}

/// A list is a range of positions, and a cursor narrows it: it never leads out of it.
fn list(connection: &Connection, index: Option<Index>, query: Query) -> Result<Rows, StoreError> {
    let Query { partition, from, to, order, limit, cursor } = query;
    let seen = cursor.map(|cursor| read_cursor(&cursor, index, &partition)).transpose()?;
    let mut first = Position::before_all_at(from.unwrap_or_default());
    let mut end = to.map(Position::before_all_at);
    match (order, seen) {
        (_, None) => {}
        (Order::Ascending, Some(seen)) => first = first.max(seen.successor()),
        (Order::Descending, Some(seen)) => end = Some(end.map_or(seen.clone(), |end| end.min(seen))),
    }

    // One more than wanted, to know whether there is more.
    let mut items = select(connection, index, &partition, (first, end), order, limit.saturating_add(1))
        .map_err(fault("read a list"))?;
    let more = items.len() > limit;
    items.truncate(limit);
    let cursor = items.last().filter(|_| more).map(|last| write_cursor(index, &partition, last));
    Ok(Rows { items, cursor })
}

fn select(
    connection: &Connection,
    index: Option<Index>,
    partition: &str,
    (first, end): (Position, Option<Position>),
    order: Order,
    limit: usize,
) -> rusqlite::Result<Vec<Item>> {
    let direction = match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let mut statement = connection.prepare_cached(&list_statement(index.map(prefix).unwrap_or_default(), direction))?;
    // In SQLite's order every text comes before every blob: an empty blob is the end of all texts.
    let end = end.map_or((Value::Blob(Vec::new()), Key::new("", "")), |end| (end.place.into(), end.key));
    let rows = statement.query_map(
        params![
            partition,
            first.place,
            first.key.partition,
            first.key.sort,
            end.0,
            end.1.partition,
            end.1.sort,
            row_limit(limit)
        ],
        item,
    )?;
    rows.collect()
}

fn list_statement(prefix: &str, direction: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM items
            WHERE {prefix}partition = ?1
            AND ({prefix}sort, partition, sort) >= (?2, ?3, ?4) AND ({prefix}sort, partition, sort) < (?5, ?6, ?7)
            ORDER BY {prefix}sort {direction}, partition {direction}, sort {direction} LIMIT ?8"
    )
}

fn write_cursor(index: Option<Index>, partition: &str, last: &Item) -> String {
    let entry = last.indexes.iter().find(|entry| Some(entry.index) == index);
    let place = entry.map_or(&last.key.sort, |entry| &entry.sort);
    let prefix = index.map(prefix).unwrap_or_default();
    let cursor = json!([prefix, partition, place, last.key.partition, last.key.sort]);
    BASE64_URL_SAFE_NO_PAD.encode(cursor.to_string())
}

fn read_cursor(cursor: &str, index: Option<Index>, partition: &str) -> Result<Position, StoreError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| StoreError::Cursor)?;
    let [list, of, place, key_partition, key_sort] =
        serde_json::from_slice::<[String; 5]>(&bytes).map_err(|_| StoreError::Cursor)?;
    if list != index.map(prefix).unwrap_or_default() || of != partition {
        return Err(StoreError::Cursor);
    }
    Ok(Position { place, key: Key::new(key_partition, key_sort) })
}

fn prefix(index: Index) -> &'static str {
    match index {
        Index::Due => "due_",
        Index::List => "list_",
        Index::Owner => "owner_",
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let mut indexes = Vec::new();
    for (column, index) in (5..).step_by(2).zip(INDEXES) {
        if let Some(partition) = row.get(column)? {
            indexes.push(IndexEntry { index, partition, sort: row.get(column + 1)? });
        }
    }
    let expires_at = row.get::<_, Option<i64>>(3)?.map(Timestamp::from_second).transpose();
    Ok(Item {
        key: Key { partition: row.get(0)?, sort: row.get(1)? },
        revision: row.get::<_, i64>(2)?.cast_unsigned(),
        expires_at: expires_at
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Integer, Box::new(error)))?,
        indexes,
        body: row.get_ref(4)?.as_bytes()?.to_vec(),
    })
}

/// What no table could do is refused before it can disturb the commits of others.
fn admit(writes: &[Write]) -> Result<(), StoreError> {
    let refused = fault("accept the commit");
    if writes.len() > MAX_AT_ONCE {
        return Err(refused(format!("{} writes are over {MAX_AT_ONCE}", writes.len())));
    }
    let mut keys = BTreeSet::new();
    for write in writes {
        let key = match write {
            Write::Put { item, .. } => {
                std::str::from_utf8(&item.body).map_err(fault("keep a body that is not text"))?;
                &item.key
            }
            Write::Delete { key, .. } | Write::Check { key, .. } => key,
        };
        if !keys.insert(key) {
            return Err(refused(format!("it has two writes to {} {}", key.partition, key.sort)));
        }
    }
    Ok(())
}

/// The end of the second: an item may stay a little longer, never shorter.
fn whole_seconds(time: Timestamp) -> i64 {
    time.as_second() + i64::from(time.subsec_nanosecond() > 0)
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

fn fault<E: Into<Box<dyn Error + Send + Sync>>>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |source| StoreError::Fault { doing, source: source.into() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

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
        for prefix in INDEXES.map(prefix).into_iter().chain([""]) {
            for direction in ["ASC", "DESC"] {
                let plan = plan(&connection, &list_statement(prefix, direction));
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
