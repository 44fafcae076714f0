//! Writing: one thread, one transaction for all that are queued, one fsync among them.

use std::{sync::Arc, thread::JoinHandle};

use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension, TransactionBehavior, params,
    types::{ToSqlOutput, ValueRef},
};
use tokio::sync::{mpsc, oneshot};

use super::{COLUMNS, is_of_the_disk, row_limit};
use crate::store::{AttemptId, Expect, Index, Item, StoreError, Write, fault, whole_seconds};

/// How many commits share one fsync at most: bounds how long the first of them waits for the last.
const MAX_GROUP: usize = 256;
/// Many seconds' worth, in few pages: attempts are random, so each commit of a group writes another of these pages.
const REMEMBERED_ATTEMPTS: i64 = 4_000;
const FORGOTTEN_AT_ONCE: i64 = 250;

pub(super) struct Request {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Answer>,
}

pub(super) enum Work {
    Commit { writes: Vec<Write>, attempt: AttemptId },
    Expire { now: Timestamp, limit: usize },
}

/// How many items expiry removed; a commit has nothing to say but success.
pub(super) type Answer = Result<usize, StoreError>;

pub(super) struct JoinOnDrop(pub(super) Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        // A writer that panicked has already failed everyone who waited: their replies were dropped with it.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

pub(super) fn write_until_closed(mut connection: Connection, mut queue: mpsc::Receiver<Request>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        let answers = write_group(&mut connection, &mut group, &mut queue).unwrap_or_else(|error| {
            let error = Arc::new(error);
            group.iter().map(|_| Err(not_written(&error))).collect()
        });
        let is_of_the_tick = group.iter().any(|request| matches!(request.work, Work::Expire { .. }));
        for (request, answer) in group.into_iter().zip(answers) {
            // A caller that went away does not need the answer.
            let _ = request.reply.send(answer);
        }
        if is_of_the_tick {
            // So that the file alone is seldom far behind. What cannot be done now is done by a later one.
            let _ = checkpoint(&connection, "PASSIVE");
        }
    }
    // Nobody reads any more, and this is the last connection: from here on the file alone is the whole database.
    match checkpoint(&connection, "TRUNCATE") {
        Ok(true) => {}
        Ok(false) => tracing::warn!("The write-ahead log was not folded into the database: another process reads it."),
        Err(error) => tracing::warn!("The write-ahead log was not folded into the database: {error}"),
    }
}

fn not_written(error: &Arc<rusqlite::Error>) -> StoreError {
    if is_of_the_disk(error) {
        return StoreError::Unavailable { doing: "write", source: Arc::clone(error).into() };
    }
    fault("write")(Arc::clone(error))
}

/// Moves what is in the log into the file; whether all of it was.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)? - row.get::<_, i64>(2)?) == (0, 0))
    })
}

/// A request that comes while the group is at work joins it: callers that were answered together come back one by one, and to go
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
    let mut changes = Vec::with_capacity(writes.len());
    for (place, write) in writes.iter().enumerate() {
        match met(connection, write)? {
            Some(what) => changes.push(what),
            None => return Ok(Err(StoreError::Stale { write: place })),
        }
    }
    connection.prepare_cached("INSERT INTO attempts (attempt) VALUES (?1)")?.execute([attempt])?;
    let forgotten = connection.last_insert_rowid() - REMEMBERED_ATTEMPTS;
    if forgotten % FORGOTTEN_AT_ONCE == 0 {
        connection.prepare_cached("DELETE FROM attempts WHERE number <= ?1")?.execute([forgotten])?;
    }
    for (write, changed) in writes.iter().zip(changes) {
        apply(connection, write, changed)?;
    }
    Ok(Ok(0))
}

/// How much of an item a write changes. Each index that is left alone is a page less in the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    /// Its body and its revision.
    Body,
    /// These, and when it is due.
    Due,
    /// Everything, or it is not there.
    All,
}

/// What a write changes, if it meets what it expects.
fn met(connection: &Connection, write: &Write) -> rusqlite::Result<Option<Changed>> {
    let (key, expect) = match write {
        Write::Put { item, expect: Expect::Revision(revision) } => return changed(connection, item, *revision),
        Write::Put { item, expect } => (&item.key, expect),
        Write::Delete { key, expect } | Write::Check { key, expect } => (key, expect),
    };
    let found = || {
        connection
            .prepare_cached("SELECT revision FROM items WHERE partition = ?1 AND sort = ?2")?
            .query_row([&key.partition, &key.sort], |row| row.get(0).map(i64::cast_unsigned))
            .optional()
    };
    let holds = match expect {
        Expect::Absent => found()?.is_none(),
        Expect::Revision(revision) => found()? == Some(*revision),
        Expect::Any => true,
    };
    Ok(holds.then_some(Changed::All))
}

/// What an item changes of the one that is there, if that has this revision.
fn changed(connection: &Connection, item: &Item, revision: u64) -> rusqlite::Result<Option<Changed>> {
    let [due, list, owner] = entries(item);
    let found = connection
        .prepare_cached(
            "SELECT revision,
                expires_at IS ?3 AND list_partition IS ?4 AND list_sort IS ?5 AND owner_partition IS ?6 AND owner_sort IS ?7,
                due_partition IS ?8 AND due_sort IS ?9
            FROM items WHERE partition = ?1 AND sort = ?2",
        )?
        .query_row(
            params![
                item.key.partition,
                item.key.sort,
                item.expires_at.map(whole_seconds),
                list.0,
                list.1,
                owner.0,
                owner.1,
                due.0,
                due.1,
            ],
            |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, bool>(1)?, row.get::<_, bool>(2)?)),
        )
        .optional()?;
    let found = found.filter(|(found, ..)| *found == revision);
    Ok(found.map(|(_, same_lists, same_due)| match (same_lists, same_due) {
        (true, true) => Changed::Body,
        (true, false) => Changed::Due,
        (false, _) => Changed::All,
    }))
}

fn apply(connection: &Connection, write: &Write, changed: Changed) -> rusqlite::Result<()> {
    match write {
        Write::Put { item, expect: _ } => match changed {
            Changed::Body => update(connection, item),
            Changed::Due => update_with_due(connection, item),
            Changed::All => put(connection, item),
        },
        Write::Delete { key, expect: _ } => connection
            .prepare_cached("DELETE FROM items WHERE partition = ?1 AND sort = ?2")?
            .execute([&key.partition, &key.sort])
            .map(drop),
        Write::Check { .. } => Ok(()),
    }
}

/// The columns of one index.
type Entry<'a> = (Option<&'a String>, Option<&'a String>);

fn entries(item: &Item) -> [Entry<'_>; 3] {
    Index::ALL.map(|index| {
        let entry = item.indexes.iter().find(|entry| entry.index == index);
        entry.map(|entry| (&entry.partition, &entry.sort)).unzip()
    })
}

fn update(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    let Item { key, revision, body, .. } = item;
    connection
        .prepare_cached("UPDATE items SET revision = ?3, body = ?4 WHERE partition = ?1 AND sort = ?2")?
        .execute(params![key.partition, key.sort, revision.cast_signed(), ToSqlOutput::Borrowed(ValueRef::Text(body))])
        .map(drop)
}

fn update_with_due(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    let (Item { key, revision, body, .. }, [due, ..]) = (item, entries(item));
    connection
        .prepare_cached(
            "UPDATE items SET revision = ?3, body = ?4, due_partition = ?5, due_sort = ?6
            WHERE partition = ?1 AND sort = ?2",
        )?
        .execute(params![
            key.partition,
            key.sort,
            revision.cast_signed(),
            ToSqlOutput::Borrowed(ValueRef::Text(body)),
            due.0,
            due.1,
        ])
        .map(drop)
}

fn put(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    let Item { key, revision, expires_at, body, .. } = item;
    let [due, list, owner] = entries(item);
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
