//! The embedded table: what every table must do, and what only a file on a disk must.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    error::Error,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::future::join_all;
use muster_server::store::{
    Consistency, Expect, Index, IndexEntry, Item, Key, Query, StoreError, Table, Write, conformance,
    meter::Meter,
    sqlite::{SqliteTable, copy},
};
use rusqlite::Connection;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_table_does_what_every_table_must() {
    let directory = tempfile::tempdir().unwrap();
    conformance::all(async || Arc::new(fresh(&directory)) as conformance::Subject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_metered_table_does_what_every_table_must() {
    let directory = tempfile::tempdir().unwrap();
    conformance::all(async || Arc::new(Meter::new(fresh(&directory))) as conformance::Subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_found_after_a_shutdown_in_the_middle_of_commits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = Arc::new(SqliteTable::open(&path).unwrap());
    let writers = (0..50_u32).map(|n| {
        let table = Arc::clone(&table);
        tokio::spawn(async move { table.commit(vec![put(n, Expect::Absent)], n.into()).await.unwrap() })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    drop(table);

    let table = SqliteTable::open(&path).unwrap();
    assert_eq!(table.query(Query::all("p", 100)).await.unwrap().items.len(), 50);
}

#[tokio::test]
async fn what_was_acknowledged_is_found_after_a_crash_and_so_is_its_attempt() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = SqliteTable::open(&path).unwrap();
    table.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();

    // The files as a killed process leaves them: nothing was closed, nothing moved out of the log.
    let left = directory.path().join("left.db");
    fs::copy(&path, &left).unwrap();
    fs::copy(directory.path().join("muster.db-wal"), directory.path().join("left.db-wal")).unwrap();

    let reopened = SqliteTable::open(&left).unwrap();
    assert_eq!(reopened.get(&Key::new("p", "00001"), Consistency::Strong).await.unwrap(), Some(item(1)));
    reopened.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
}

#[tokio::test]
async fn after_a_stop_the_file_alone_is_the_whole_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = SqliteTable::open(&path).unwrap();
    for n in 0..300 {
        table.commit(vec![put(n, Expect::Absent)], n.into()).await.unwrap();
        // A reader that was used is kept open.
        assert!(table.get(&item(n).key, Consistency::Strong).await.unwrap().is_some());
    }
    drop(table);
    let copy = directory.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let table = SqliteTable::open(&copy).unwrap();
    assert_eq!(table.query(Query::all("p", 1_000)).await.unwrap().items.len(), 300);
    let log = fs::metadata(directory.path().join("muster.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "nothing is left in the log");
}

#[tokio::test]
async fn the_tick_leaves_the_file_alone_at_most_its_interval_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = SqliteTable::open(&path).unwrap();
    table.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
    table.expire("2030-01-01T00:00:00Z".parse().unwrap(), 10).await.unwrap();
    // The writer takes what comes next when it is done with what came before.
    table.expire("2030-01-01T00:00:00Z".parse().unwrap(), 10).await.unwrap();
    let copy = directory.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let table = SqliteTable::open(&copy).unwrap();
    assert!(table.get(&item(1).key, Consistency::Strong).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_without_tables_is_no_beginning_and_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    // What `cp` made of the database of a server that had just been started for the first time.
    Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 4_096);
    let why = why_not(&path);
    assert!(why.contains("it has no tables: it is a copy that was made without its write-ahead log"), "{why}");
    fs::remove_file(&path).unwrap();
    fs::write(directory.path().join("muster.db-wal"), "a log whose database is gone").unwrap();
    let why = why_not(&path);
    assert!(why.contains("its write-ahead log is there without it"), "{why}");
    assert!(!path.exists());
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_is_begun_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    fs::write(directory.path().join("muster.db.unfinished"), "half a database").unwrap();
    fs::write(&path, "").unwrap();
    let table = SqliteTable::open(&path).unwrap();
    table.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
    assert!(!directory.path().join("muster.db.unfinished").exists());
}

#[tokio::test]
async fn a_database_that_one_process_has_for_itself_is_refused_to_another_under_any_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let first = SqliteTable::open_alone(&path).unwrap();
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [&path, &link] {
        let refused = SqliteTable::open_alone(path).err().unwrap();
        assert!(refused.source().unwrap().to_string().contains("another process is using it"), "{refused}");
    }
    first.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
    drop(first);
    drop(SqliteTable::open_alone(&path).unwrap());
}

#[tokio::test]
async fn a_page_that_was_destroyed_is_found_by_the_integrity_check() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = SqliteTable::open(&path).unwrap();
    for block in 0..10 {
        let writes = (0..100).map(|n| put(block * 100 + n, Expect::Absent));
        table.commit(writes.collect(), block.into()).await.unwrap();
    }
    table.check().await.unwrap();
    drop(table);
    let good = fs::read(&path).unwrap();
    let pages = good.len() / 4_096;
    for page in [pages / 3, pages / 2, pages - 1] {
        let mut bad = good.clone();
        bad[page * 4_096..][..4_096].fill(0xa5);
        fs::write(&path, bad).unwrap();
        let table = SqliteTable::open(&path).unwrap();
        let found = table.check().await.unwrap_err();
        assert!(matches!(found, StoreError::Fault { .. }), "{found:?}");
        assert_eq!(found.to_string(), "the store failed to pass its integrity check");
        assert!(copy::copy(&path, &directory.path().join("copy.db")).is_err(), "what is damaged is no backup");
        drop(table);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_beside_writes_holds_all_that_was_acknowledged_before_it_began() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = Arc::new(SqliteTable::open_alone(&path).unwrap());
    let acknowledged = Arc::new(AtomicU32::new(0));
    let writer = {
        let (table, acknowledged) = (table.clone(), acknowledged.clone());
        tokio::spawn(async move {
            for n in 0.. {
                table.commit(vec![put(n, Expect::Absent)], n.into()).await.unwrap();
                acknowledged.store(n + 1, Ordering::SeqCst);
            }
        })
    };
    for number in 0..10 {
        while acknowledged.load(Ordering::SeqCst) < number * 20 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let (from, to) = (path.clone(), directory.path().join(format!("copy {number}.db")));
        let copied = to.clone();
        tokio::task::spawn_blocking(move || copy::copy(&from, &copied).unwrap()).await.unwrap();
        let copied = SqliteTable::open(&to).unwrap();
        let found = copied.query(Query::all("p", 100_000)).await.unwrap().items;
        assert!(found.len() >= before as usize, "{} of {before}", found.len());
        let whole = found.iter().enumerate().all(|(n, found)| *found == item(u32::try_from(n).unwrap()));
        assert!(whole, "it is one moment of the database");
    }
    writer.abort();
}

#[tokio::test]
async fn an_attempt_is_known_again_after_others_overwrote_or_removed_what_it_wrote() {
    let directory = tempfile::tempdir().unwrap();
    let table = SqliteTable::open(&directory.path().join("muster.db")).unwrap();
    table.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
    table.commit(vec![Write::Delete { key: item(1).key, expect: Expect::Revision(1) }], 2).await.unwrap();

    table.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
    assert_eq!(table.get(&item(1).key, Consistency::Strong).await.unwrap(), None, "it was not made a second time");
}

#[tokio::test]
async fn attempts_are_forgotten_after_four_thousand_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = SqliteTable::open(&path).unwrap();
    for block in 0..50 {
        let commits = (0..100).map(|n| table.commit(vec![put(n, Expect::Any)], (block * 100 + n).into()));
        join_all(commits).await.into_iter().for_each(Result::unwrap);
    }
    let remembered = Connection::open(&path).unwrap().query_one("SELECT count(*) FROM attempts", [], |row| row.get(0));
    assert_eq!(remembered, Ok(4_000));
}

#[tokio::test]
async fn a_change_that_leaves_the_indexes_alone_writes_half_the_pages() {
    let directory = tempfile::tempdir().unwrap();
    let table = SqliteTable::open(&directory.path().join("muster.db")).unwrap();
    let found_by = |n: u32, due: u32| {
        let entry = |index, sort: u32| IndexEntry { index, partition: "listed".into(), sort: format!("{sort:08}") };
        // Neighbors in one index are none in another, as in life.
        vec![entry(Index::Due, due), entry(Index::List, n), entry(Index::Owner, n * 7 % 1_000)]
    };
    let at = |n: u32, revision: u64, due: u32| {
        let expect = if revision == 1 { Expect::Absent } else { Expect::Revision(revision - 1) };
        Write::Put { item: Item { revision, indexes: found_by(n, due), ..item(n) }, expect }
    };
    for block in 0..10 {
        let writes = (0..100).map(|n| at(block * 100 + n, 1, (block * 100 + n) * 3 % 1_000));
        table.commit(writes.collect(), block.into()).await.unwrap();
    }
    let log = directory.path().join("muster.db-wal");
    let pages = || (fs::metadata(&log).unwrap().len() - 32) / (4_096 + 24);
    let mut attempt = 1_000_u128;
    let mut each = async |revision: u64, due: &dyn Fn(u32) -> u32| {
        let before = pages();
        for n in (0..1_000).step_by(50) {
            attempt += 1;
            table.commit(vec![at(n, revision, due(n))], attempt).await.unwrap();
        }
        (pages() - before) / 20
    };
    // The item itself, and two of what remembers the attempt; then the places where it was due and is due.
    assert!(each(2, &|n| n * 3 % 1_000).await <= 3, "its body alone");
    assert!(each(3, &|n| (n * 3 + 500) % 1_000).await <= 5, "and when it is due");
    let listed = Query { limit: 2_000, ..Query::all("listed", 2_000) };
    for index in Index::ALL {
        assert_eq!(table.query_index(index, listed.clone()).await.unwrap().items.len(), 1_000, "{index:?}");
    }
}

#[tokio::test]
async fn expired_items_are_removed_in_batches_up_to_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let table = SqliteTable::open(&directory.path().join("muster.db")).unwrap();
    let over = |n| Item { expires_at: Some("2029-12-31T23:59:59.5Z".parse().unwrap()), ..item(n) };
    for block in 0..13 {
        let writes = (0..100).map(|n| Write::Put { item: over(block * 100 + n), expect: Expect::Absent });
        table.commit(writes.collect(), block.into()).await.unwrap();
    }
    let just_before = "2029-12-31T23:59:59.9Z".parse().unwrap();
    assert_eq!(table.expire(just_before, 2_000).await.unwrap(), 0, "times count by whole seconds, and never too soon");
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(table.expire(now, 1_250).await.unwrap(), 1_250);
    assert_eq!(table.expire(now, 1_250).await.unwrap(), 50);
    assert_eq!(table.query(Query::all("p", 10)).await.unwrap().items, []);
}

#[tokio::test]
async fn a_commit_that_no_table_could_do_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let table = SqliteTable::open(&directory.path().join("muster.db")).unwrap();
    let binary = Write::Put { item: Item { body: vec![0xff], ..item(1) }, expect: Expect::Any };
    let refused = [(0..101).map(|n| put(n, Expect::Any)).collect(), vec![put(1, Expect::Any); 2], vec![binary]];
    for writes in refused {
        let outcome = table.commit(writes, 1).await;
        assert!(matches!(outcome, Err(StoreError::Fault { .. })), "{outcome:?}");
    }
    assert_eq!(table.query(Query::all("p", 10)).await.unwrap().items, []);
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    drop(SqliteTable::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    assert_eq!(
        why_not(&path),
        "the store failed to use the database: its schema has version 2, this program knows version 1; a newer program wrote it"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    fs::write(&path, "not a database, but somebody's letter ".repeat(100)).unwrap();
    assert_eq!(why_not(&path), "the store failed to open the database: file is not a database");
    assert!(fs::read_to_string(&path).unwrap().starts_with("not a database"));
    let nowhere = directory.path().join("none/muster.db");
    assert_eq!(why_not(&nowhere), "the store failed to make the database file: No such file or directory (os error 2)");
}

#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let table = SqliteTable::open(&directory.path().join("muster.db")).unwrap();
    table.commit(vec![put(1, Expect::Absent)], 1).await.unwrap();
    let modes = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().metadata().unwrap().permissions().mode());
    assert_eq!(modes.collect::<Vec<_>>(), [0o100_600; 3], "the database, its log and the log's index");
}

#[tokio::test]
async fn the_database_can_be_read_with_sqlite3() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("muster.db");
    let table = SqliteTable::open(&path).unwrap();
    let indexes = vec![IndexEntry { index: Index::Due, partition: "due".into(), sort: "2030".into() }];
    let item = Item { indexes, expires_at: Some("2030-01-01T00:00:00Z".parse().unwrap()), ..item(1) };
    table.commit(vec![Write::Put { item, expect: Expect::Absent }], 1).await.unwrap();
    let shown: String = Connection::open(&path)
        .unwrap()
        .query_one(
            "SELECT concat_ws(' ', partition, sort, revision, datetime(expires_at, 'unixepoch'), body ->> '$.n', due_sort)
                FROM items",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(shown, "p 00001 1 2030-01-01 00:00:00 1 2030");
}

fn fresh(directory: &TempDir) -> SqliteTable {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}.db", NEXT.fetch_add(1, Ordering::Relaxed));
    SqliteTable::open(&directory.path().join(name)).unwrap()
}

fn item(n: u32) -> Item {
    let body = format!("{{\"n\":{n}}}").into();
    Item { key: Key::new("p", format!("{n:05}")), revision: 1, expires_at: None, indexes: vec![], body }
}

fn put(n: u32, expect: Expect) -> Write {
    Write::Put { item: item(n), expect }
}

/// The whole chain, as a log would have it.
fn why_not(path: &Path) -> String {
    let error = SqliteTable::open(path).err().unwrap();
    format!("{error}: {}", error.source().unwrap())
}
