//! Cursors as callers hand them back, on a real table: a line each.

use std::sync::LazyLock;

use jiff::Timestamp;
use muster_schemas::ids::JobId;
use muster_server::store::{
    Expect, Index, IndexEntry, Item, Key, Order, Query, Rows, StoreError, Table, Write, sqlite::SqliteTable,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::given::directory;

const PARTITIONS: [&str; 2] = ["job#one", "job#two"];
const LISTS: [&str; 2] = ["jobs", "hosts"];
const LIMIT: usize = 3;

/// A table with ten records in each of two partitions, in a list each; whoever reads another's has been led astray.
struct Given {
    runtime: Runtime,
    table: SqliteTable,
    _place: TempDir,
}

static GIVEN: LazyLock<Given> = LazyLock::new(|| {
    let place = directory();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("there are threads");
    let table = SqliteTable::open(&place.path().join("table")).expect("there is room");
    let item = |number: usize| {
        let sort = format!("log#{:020}", number / 2);
        let entry = IndexEntry {
            index: Index::List,
            partition: LISTS[number % 2].into(),
            sort: JobId::new(Timestamp::UNIX_EPOCH, number as u128).to_string(),
        };
        let key = Key::new(PARTITIONS[number % 2], sort);
        Item { key, revision: 1, expires_at: None, indexes: vec![entry], body: b"{}".to_vec() }
    };
    let writes = (0..20).map(|number| Write::Put { item: item(number), expect: Expect::Absent }).collect();
    runtime.block_on(table.commit(writes, 1)).expect("there is room");
    Given { runtime, table, _place: place }
});

static PARTITION: LazyLock<Vec<Item>> = LazyLock::new(|| whole(None, PARTITIONS[0]));
static LIST: LazyLock<Vec<Item>> = LazyLock::new(|| whole(Some(Index::List), LISTS[0]));

fn whole(index: Option<Index>, partition: &str) -> Vec<Item> {
    let items = read(index, partition, Order::Ascending, None, 100).expect("the list can be read").items;
    assert_eq!(items.len(), 10);
    items
}

/// A cursor that was not given out is an error or stands at a place of this list; whatever it says, what is read is the rest
/// of the list behind it, and nothing of another list.
pub fn cursor(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines().take(8) {
        for order in [Order::Ascending, Order::Descending] {
            for (index, partition) in [(None, PARTITIONS[0]), (Some(Index::List), LISTS[0])] {
                reads_the_rest(index, partition, order, line);
            }
        }
    }
}

fn reads_the_rest(index: Option<Index>, partition: &str, order: Order, cursor: &str) {
    let mut all = if index.is_some() { &*LIST } else { &*PARTITION }.clone();
    if order == Order::Descending {
        all.reverse();
    }
    match read(index, partition, order, Some(cursor), LIMIT) {
        Err(StoreError::Cursor) => {}
        Err(error) => panic!("a cursor is no fault of the store: {error:?}"),
        Ok(Rows { items, cursor: next }) => {
            let rest: Vec<_> = all.iter().skip_while(|item| Some(*item) != items.first()).collect();
            assert!(items.iter().collect::<Vec<_>>() == rest[..items.len()], "the list in its order");
            assert!(items.len() == LIMIT || items.len() == rest.len(), "none is left out");
            assert_eq!(next.is_some(), items.len() < rest.len());
            if let Some(next) = next {
                goes_on(index, partition, order, &next, &rest[items.len()..]);
                belongs_to_its_list(index, order, &next);
            }
        }
    }
}

/// A cursor that was given out leads on without a gap.
fn goes_on(index: Option<Index>, partition: &str, order: Order, next: &str, rest: &[&Item]) {
    let items = read(index, partition, order, Some(next), 100).expect("it was given out").items;
    assert_eq!(items.iter().collect::<Vec<_>>(), rest);
}

/// And is of no use for any other.
fn belongs_to_its_list(index: Option<Index>, order: Order, next: &str) {
    for (other, partition) in [(None, PARTITIONS[1]), (Some(Index::List), LISTS[1]), (Some(Index::Owner), LISTS[0])] {
        let astray = read(other, partition, order, Some(next), 1);
        assert!(matches!(astray, Err(StoreError::Cursor)), "{index:?} leads to {other:?}");
    }
}

fn read(
    index: Option<Index>,
    partition: &str,
    order: Order,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Rows, StoreError> {
    let Given { runtime, table, .. } = &*GIVEN;
    let query = Query { order, limit, cursor: cursor.map(str::to_owned), ..Query::all(partition, limit) };
    runtime.block_on(async {
        match index {
            None => table.query(query).await,
            Some(index) => table.query_index(index, query).await,
        }
    })
}
