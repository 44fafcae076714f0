//! Reading: past the writer, over connections of their own; lists are ranges of positions, and a cursor narrows one.

use std::{
    path::{Path, PathBuf},
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use rusqlite::{
    Connection, InterruptHandle, OptionalExtension, Row, params,
    types::{Type, Value},
};

use super::{COLUMNS, failed, open_reader, row_limit};
use crate::store::{
    Index, IndexEntry, Item, Key, Order, Query, Rows, StoreError,
    cursors::Position,
    limits::{MAX_READ_BYTES, readable},
};

const IDLE_READERS: usize = 8;

/// Connections for reading. As many as there are reads at a time; a few are kept.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Ends an integrity check that is under way.
    checking: Mutex<Option<InterruptHandle>>,
    closed: AtomicBool,
}

impl Readers {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.into(), idle: Mutex::default(), checking: Mutex::default(), closed: AtomicBool::new(false) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Ends an integrity check, closes the idle connections, and keeps none from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(checking) = self.checking().take() {
            checking.interrupt();
        }
        self.idle().clear();
    }

    /// Whether the file is undamaged, over a connection of its own: it takes as long as to read the whole file.
    pub(super) fn check(&self, run: fn(&Connection) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let connection = open_reader(&self.path).map_err(failed("open a reader"))?;
        *self.checking() = Some(connection.get_interrupt_handle());
        if self.closed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let found = run(&connection);
        *self.checking() = None;
        found
    }

    fn checking(&self) -> std::sync::MutexGuard<'_, Option<InterruptHandle>> {
        self.checking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| open_reader(&self.path), Ok).map_err(failed("open a reader"))?;
        let answer = work(&connection);
        let mut idle = self.idle();
        if idle.len() < IDLE_READERS && !self.closed.load(Ordering::SeqCst) {
            idle.push(connection);
        }
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written out once: it is what every check-in asks.
static FIND: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS} FROM items WHERE partition = ?1 AND sort = ?2"));

pub(super) fn find(connection: &Connection, key: &Key) -> Result<Option<Item>, StoreError> {
    connection
        .prepare_cached(&FIND)
        .and_then(|mut statement| statement.query_row([&key.partition, &key.sort], item).optional())
        .map_err(failed("read an item"))
}

fn before_all_at(place: String) -> Position {
    Position { place, key: Key::new("", "") }
}

/// The very next position there can be.
fn successor(mut position: Position) -> Position {
    position.key.sort.push('\0');
    position
}

/// A list is a range of positions, and a cursor narrows it: it never leads out of it.
pub(super) fn list(connection: &Connection, index: Option<Index>, query: Query) -> Result<Rows, StoreError> {
    let Some(query) = readable(query)? else { return Ok(Rows::default()) };
    let Query { partition, from, to, order, limit, cursor } = query;
    let seen = cursor.map(|cursor| Position::of_cursor(&cursor, index, &partition)).transpose()?;
    let mut first = before_all_at(from.unwrap_or_default());
    let mut end = to.map(before_all_at);
    match (order, seen) {
        (_, None) => {}
        (Order::Ascending, Some(seen)) => first = first.max(successor(seen)),
        (Order::Descending, Some(seen)) => end = Some(end.map_or(seen.clone(), |end| end.min(seen))),
    }

    let (items, more) =
        select(connection, index, &partition, (first, end), order, limit).map_err(failed("read a list"))?;
    let cursor = items.last().filter(|_| more).map(|last| position(index, last).cursor(index, &partition));
    Ok(Rows { items, cursor })
}

/// Row by row, as many as are wanted or may be read at once, and whether there are more.
fn select(
    connection: &Connection,
    index: Option<Index>,
    partition: &str,
    (first, end): (Position, Option<Position>),
    order: Order,
    limit: usize,
) -> rusqlite::Result<(Vec<Item>, bool)> {
    let direction = match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let mut statement =
        connection.prepare_cached(&list_statement(&index.map(prefix).unwrap_or_default(), direction))?;
    // In SQLite's order every text comes before every blob: an empty blob is the end of all texts.
    let end = end.map_or((Value::Blob(Vec::new()), Key::new("", "")), |end| (end.place.into(), end.key));
    // One more than wanted, to know whether there is more.
    let mut rows = statement.query(params![
        partition,
        first.place,
        first.key.partition,
        first.key.sort,
        end.0,
        end.1.partition,
        end.1.sort,
        row_limit(limit.saturating_add(1))
    ])?;
    let (mut items, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if items.len() >= limit || bytes >= MAX_READ_BYTES {
            return Ok((items, true));
        }
        let item = item(row)?;
        bytes += item.body.len();
        items.push(item);
    }
    Ok((items, false))
}

/// Everything, in the order of keys.
pub(super) fn scan(connection: &Connection, cursor: Option<String>, limit: usize) -> Result<Rows, StoreError> {
    let seen = cursor.map(|cursor| Position::of_whole(&cursor)).transpose()?;
    let seen = seen.map_or_else(|| Key::new("", ""), |seen| seen.key);
    let statement =
        format!("SELECT {COLUMNS} FROM items WHERE (partition, sort) > (?1, ?2) ORDER BY partition, sort LIMIT ?3");
    let items: Vec<Item> = connection
        .prepare_cached(&statement)
        .and_then(|mut statement| {
            statement.query_map(params![seen.partition, seen.sort, row_limit(limit)], item)?.collect()
        })
        .map_err(failed("read everything"))?;
    let cursor = items.last().filter(|_| items.len() >= limit).map(|last| position(None, last).cursor(None, ""));
    Ok(Rows { items, cursor })
}

pub(super) fn list_statement(prefix: &str, direction: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM items
            WHERE {prefix}partition = ?1
            AND ({prefix}sort, partition, sort) >= (?2, ?3, ?4) AND ({prefix}sort, partition, sort) < (?5, ?6, ?7)
            ORDER BY {prefix}sort {direction}, partition {direction}, sort {direction} LIMIT ?8"
    )
}

fn position(index: Option<Index>, item: &Item) -> Position {
    let entry = item.indexes.iter().find(|entry| Some(entry.index) == index);
    let place = entry.map_or(&item.key.sort, |entry| &entry.sort);
    Position { place: place.clone(), key: item.key.clone() }
}

pub(super) fn prefix(index: Index) -> String {
    format!("{}_", index.name())
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let mut indexes = Vec::new();
    for (column, index) in (5..).step_by(2).zip(Index::ALL) {
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
