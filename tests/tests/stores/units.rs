//! The meter's figures are those that an engine counts itself.

use muster_server::store::{
    Consistency, Expect, Index, IndexEntry, Item, Key, Query, Table, Write, dynamodb::Consumption, meter::Meter,
};
use muster_tests::world::{Service, Stores};

fn item(sort: &str, bytes: usize, indexes: &[(Index, &str)]) -> Item {
    let entry =
        |(index, sort): &(Index, &str)| IndexEntry { index: *index, partition: "of".into(), sort: (*sort).into() };
    Item {
        key: key(sort),
        revision: 1,
        expires_at: sort.starts_with("expiring").then(|| "2030-01-01T00:00:00Z".parse().unwrap()),
        indexes: indexes.iter().map(entry).collect(),
        body: format!("\"{}\"", "x".repeat(bytes)).into(),
    }
}

fn key(sort: &str) -> Key {
    Key::new("host#one", sort)
}

fn put(item: Item, expect: Expect) -> Write {
    Write::Put { item, expect }
}

/// One use of the table.
enum Act {
    Commit(Vec<Write>),
    Get(&'static str, Consistency),
    GetMany([&'static str; 3]),
    List,
    ListIndex(Index, &'static str),
}

impl Act {
    async fn on(&self, table: &dyn Table) {
        match self {
            // A lost race costs, too.
            Self::Commit(writes) => drop(table.commit(writes.clone(), rand::random()).await),
            Self::Get(sort, consistency) => drop(table.get(&key(sort), *consistency).await.unwrap()),
            Self::GetMany(sorts) => drop(table.get_many(&sorts.map(key)).await.unwrap()),
            Self::List => drop(table.query(Query::all("host#one", 100)).await.unwrap()),
            Self::ListIndex(index, of) => drop(table.query_index(*index, Query::all(*of, 100)).await.unwrap()),
        }
    }
}

/// Every kind of use, in sizes on both sides of every step.
fn acts() -> Vec<(&'static str, Act)> {
    use Act::{Commit, Get, GetMany, List, ListIndex};
    use Consistency::{Eventual, Strong};
    let one = |item, expect| Commit(vec![put(item, expect)]);
    let delete = |sort| Commit(vec![Write::Delete { key: key(sort), expect: Expect::Any }]);
    let listed = [(Index::List, "1"), (Index::Owner, "1"), (Index::Due, "1")];
    let moved = [(Index::List, "1"), (Index::Owner, "1"), (Index::Due, "2")];
    let several = vec![
        put(item("two", 1_500, &[(Index::List, "2")]), Expect::Absent),
        put(item("three", 100, &[]), Expect::Absent),
        Write::Check { key: key("small"), expect: Expect::Revision(1) },
    ];
    vec![
        ("a small item", one(item("small", 100, &[]), Expect::Absent)),
        ("one of over a kilobyte", one(item("middle", 1_500, &[]), Expect::Absent)),
        ("one of over four", one(item("large", 5_000, &[]), Expect::Absent)),
        ("one that expires", one(item("expiring", 100, &[]), Expect::Absent)),
        ("a large one becomes small", one(item("large", 100, &[]), Expect::Revision(1))),
        ("and large again", one(item("large", 5_000, &[]), Expect::Revision(1))),
        ("three entries", one(item("indexed", 300, &listed), Expect::Absent)),
        ("a change that leaves them", one(item("indexed", 400, &listed), Expect::Revision(1))),
        ("one moves", one(item("indexed", 400, &moved), Expect::Revision(1))),
        ("a transaction", Commit(several)),
        ("a delete", delete("three")),
        ("a delete of nothing", delete("none")),
        ("a delete with an entry", delete("two")),
        ("a strong read", Get("small", Strong)),
        ("a cheap read", Get("small", Eventual)),
        ("a strong read of five kilobytes", Get("large", Strong)),
        ("a cheap one", Get("large", Eventual)),
        ("a read of nothing", Get("none", Strong)),
        ("several reads", GetMany(["small", "large", "none"])),
        ("a list", List),
        ("a list of an index", ListIndex(Index::List, "of")),
        ("an empty list of an index", ListIndex(Index::Due, "none")),
    ]
}

async fn agrees(service: Service) {
    let stores = Stores::embedded();
    let metered = Meter::new(stores.table.clone());
    let engine = service.new_table().await.measured();
    let mut differences = Vec::new();
    for (what, act) in acts() {
        act.on(&metered).await;
        act.on(&engine).await;
        let units = metered.take();
        let ours = Consumption {
            read_units: f64::from(u32::try_from(units.read_half_units()).unwrap()) / 2.0,
            write_units: f64::from(u32::try_from(units.write_units()).unwrap()),
        };
        let theirs = engine.consumed();
        if ours != theirs {
            differences.push(format!("{what}: the meter says {ours:?}, the engine {theirs:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn the_meter_and_an_engine_count_the_same_units() {
    let Some(engine) = Service::engine() else { return };
    agrees(engine).await;
}
