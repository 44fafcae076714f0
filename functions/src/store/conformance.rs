//! What every table must do, as a suite that runs on any of them. Each behaviour gets a fresh, empty table.
//!
//! It asks no more than the contract: a page may be shorter than its limit, a cursor may turn out to lead nowhere, expiry may be left to the store. It does ask that an index has caught up when a commit is acknowledged, which holds
//! for every table that runs on one machine, and for none that does not.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a suite of tests: a panic is how it says no")]

use std::{collections::BTreeSet, slice, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::future::{join_all, poll_immediate};
use jiff::Timestamp;
use tokio::task::{spawn, yield_now};

use super::{
    AttemptId, Consistency, Expect, Index, IndexEntry, Item, Key, Order, Query, Rows, StoreError, Table, Write,
};

/// More than any list here has: a cursor that goes in circles is a failure, not a hang.
const MAX_PAGES: usize = 1_000;

/// A table under test.
pub type Subject = Arc<dyn Table>;

/// Runs everything. Wants a runtime with several threads, so that writers really meet.
pub async fn all(make: impl AsyncFn() -> Subject) {
    items_are_found_as_they_were_written(make().await).await;
    keys_and_bodies_may_be_strange_and_large(make().await).await;
    many_items_come_in_the_order_of_their_keys(make().await).await;
    a_write_happens_only_if_its_expectation_holds(make().await).await;
    the_first_failed_expectation_is_named(make().await).await;
    a_commit_of_a_hundred_writes_happens_wholly_or_not_at_all(make().await).await;
    the_same_attempt_again_has_no_second_effect(make().await).await;
    an_attempt_that_others_followed_does_not_undo_them(make().await).await;
    a_lost_attempt_may_be_made_again(make().await).await;
    lists_go_by_the_order_of_bytes(make().await).await;
    lists_keep_to_their_bounds_page_by_page(make().await).await;
    a_list_that_grows_meanwhile_misses_and_repeats_nothing(make().await).await;
    large_items_come_a_few_at_a_time(make().await).await;
    an_index_holds_what_has_an_entry_and_nothing_else(make().await).await;
    items_at_one_place_of_an_index_all_come_once(make().await).await;
    a_cursor_from_elsewhere_is_refused(make().await).await;
    what_no_table_can_hold_is_neither_found_nor_kept(make().await).await;
    only_what_is_over_expires(make().await).await;
    of_two_writers_on_one_expectation_one_wins(make().await).await;
    no_increment_of_many_writers_is_lost(make().await).await;
    a_dropped_commit_happened_wholly_or_not_at_all(make().await).await;
}

/// What is read is what was written, and what was deleted is gone.
pub async fn items_are_found_as_they_were_written(table: Subject) {
    let item = Item {
        revision: 7,
        expires_at: Some("2030-01-01T00:00:00Z".parse().unwrap()),
        indexes: [Index::Due, Index::List, Index::Owner].map(|index| entry(index, "of", "at")).into(),
        ..item("p", "s", "{}")
    };
    commit(&table, vec![put(item.clone(), Expect::Absent)]).await.unwrap();
    assert_eq!(get(&table, "p", "s").await, Some(item.clone()));
    assert_eq!(table.get(&item.key, Consistency::Eventual).await.unwrap(), Some(item));
    assert_eq!(get(&table, "p", "other").await, None);

    commit(&table, vec![delete("p", "s", Expect::Revision(7))]).await.unwrap();
    assert_eq!(get(&table, "p", "s").await, None);
    commit(&table, vec![delete("p", "s", Expect::Any)]).await.unwrap();
}

/// Keys are any text, and a body of 300 KB is one.
pub async fn keys_and_bodies_may_be_strange_and_large(table: Subject) {
    let keys =
        ["#", "'", "\"", "%", "_", "\\", "a b", "host#1#2", "'; DROP TABLE items; --", "Ünïcødé", "🦀", "\u{1}", "?1"];
    let large = format!("\"{}\"", "ä".repeat(150_000));
    for key in keys {
        let mut strange = item(key, key, "\"'%#\\u0000🦀\"");
        strange.indexes = vec![entry(Index::List, key, key)];
        let large = item(key, &format!("{key}large"), &large);
        commit(&table, vec![put(strange.clone(), Expect::Absent), put(large.clone(), Expect::Absent)]).await.unwrap();

        assert_eq!(get(&table, key, key).await.as_ref(), Some(&strange));
        assert_eq!(read_all(&table, None, Query::all(key, 10)).await, [strange.clone(), large]);
        assert_eq!(read_all(&table, Some(Index::List), Query::all(key, 10)).await, [strange]);
    }
}

/// With a hole where there is nothing.
pub async fn many_items_come_in_the_order_of_their_keys(table: Subject) {
    let items: Vec<_> = (0..50).map(|n| item(&format!("p{}", n % 7), &format!("{n:02}"), "{}")).collect();
    put_all(&table, &items).await;
    let keys: Vec<_> =
        items.iter().rev().flat_map(|item| [item.key.clone(), Key::new("none", &item.key.sort)]).collect();
    let found = table.get_many(&keys).await.unwrap();
    let wanted: Vec<_> = items.iter().rev().flat_map(|item| [Some(item.clone()), None]).collect();
    assert_eq!(found, wanted);
    let twice = table.get_many(&[items[0].key.clone(), items[0].key.clone()]).await.unwrap();
    assert_eq!(twice, [Some(items[0].clone()), Some(items[0].clone())]);
    assert_eq!(table.get_many(&[]).await.unwrap(), []);
}

/// Every write with every expectation, on an item at revision 2 and on none.
pub async fn a_write_happens_only_if_its_expectation_holds(table: Subject) {
    let expectations = [Expect::Absent, Expect::Revision(1), Expect::Revision(2), Expect::Revision(3), Expect::Any];
    let makers: [fn(&str, Expect) -> Write; 3] = [
        |sort, expect| put(Item { revision: 9, ..item("p", sort, "{}") }, expect),
        |sort, expect| delete("p", sort, expect),
        |sort, expect| Write::Check { key: Key::new("p", sort), expect },
    ];
    let mut cases = Vec::new();
    for present in [true, false] {
        cases.extend(expectations.iter().flat_map(|expect| makers.map(|make| (present, *expect, make))));
    }

    for (place, (present, expect, make)) in cases.into_iter().enumerate() {
        let sort = place.to_string();
        let before = present.then(|| Item { revision: 2, ..item("p", &sort, "{}") });
        put_all(&table, before.as_slice()).await;
        let write = make(&sort, expect);
        let after = match (&write, holds(expect, before.as_ref())) {
            (Write::Put { item, .. }, true) => Some(item.clone()),
            (Write::Delete { .. }, true) => None,
            _ => before.clone(),
        };

        let outcome = commit(&table, vec![write.clone()]).await;
        assert_eq!(outcome.is_ok(), holds(expect, before.as_ref()), "{write:?} on {before:?}: {outcome:?}");
        assert!(
            matches!(outcome, Ok(()) | Err(StoreError::Stale { write: 0 })),
            "{write:?} on {before:?}: {outcome:?}"
        );
        assert_eq!(get(&table, "p", &sort).await, after, "{write:?} on {before:?}");
    }
}

/// So that a caller knows which record to look at again.
pub async fn the_first_failed_expectation_is_named(table: Subject) {
    put_all(&table, &[item("p", "there", "{}")]).await;
    let check = |sort: &str, expect| Write::Check { key: Key::new("p", sort), expect };
    let outcome = commit(
        &table,
        vec![
            check("there", Expect::Revision(1)),
            put(item("p", "new", "{}"), Expect::Absent),
            delete("p", "gone", Expect::Revision(1)),
            check("never", Expect::Revision(1)),
        ],
    )
    .await;
    assert!(matches!(outcome, Err(StoreError::Stale { write: 2 })), "{outcome:?}");
    assert_eq!(get(&table, "p", "new").await, None);
}

/// A hundred puts, and a hundred whose last one loses.
pub async fn a_commit_of_a_hundred_writes_happens_wholly_or_not_at_all(table: Subject) {
    let hundred = |revision| -> Vec<_> {
        let items = (0..100).map(|n| Item { revision, ..item(&format!("p{}", n % 3), &format!("{n:03}"), "{}") });
        items.collect()
    };
    let writes = |items: Vec<Item>, expect| items.into_iter().map(|item| put(item, expect)).collect::<Vec<_>>();
    commit(&table, writes(hundred(1), Expect::Absent)).await.unwrap();

    let mut losing = writes(hundred(2), Expect::Revision(1));
    losing[99] = delete("p0", "099", Expect::Revision(5));
    let outcome = commit(&table, losing).await;
    assert!(matches!(outcome, Err(StoreError::Stale { write: 99 })), "{outcome:?}");

    let keys: Vec<_> = hundred(1).into_iter().map(|item| item.key).collect();
    let found = table.get_many(&keys).await.unwrap();
    assert_eq!(found, hundred(1).into_iter().map(Some).collect::<Vec<_>>());
}

/// Whatever the commit was made of, as long as a caller whose reply was lost asks again before others come.
pub async fn the_same_attempt_again_has_no_second_effect(table: Subject) {
    put_all(&table, &[item("p", "deleted", "{}"), item("p", "changed", "{}"), item("p", "removed", "{}")]).await;
    let changed = Item { revision: 2, ..item("p", "changed", "{}") };
    let commits = [
        vec![put(item("p", "single", "{}"), Expect::Absent)],
        vec![delete("p", "deleted", Expect::Revision(1))],
        vec![
            put(changed, Expect::Revision(1)),
            put(item("p", "made", "{}"), Expect::Absent),
            delete("p", "removed", Expect::Revision(1)),
            Write::Check { key: Key::new("p", "single"), expect: Expect::Revision(1) },
        ],
    ];
    for writes in commits {
        let attempt = attempt();
        for _ in 0..3 {
            table.commit(writes.clone(), attempt).await.unwrap();
        }
        let outcome = commit(&table, writes).await;
        assert!(matches!(outcome, Err(StoreError::Stale { write: 0 })), "another attempt is another: {outcome:?}");
    }
    let found = read_all(&table, None, Query::all("p", 10)).await;
    let found: Vec<_> = found.iter().map(|item| (item.key.sort.as_str(), item.revision)).collect();
    assert_eq!(found, [("changed", 2), ("made", 1), ("single", 1)]);
}

/// The answer may be either: that it happened, or that another came first. What others wrote stands.
pub async fn an_attempt_that_others_followed_does_not_undo_them(table: Subject) {
    let attempt = attempt();
    let ours = vec![put(item("p", "s", "\"ours\""), Expect::Absent)];
    table.commit(ours.clone(), attempt).await.unwrap();
    let theirs = Item { revision: 2, ..item("p", "s", "\"theirs\"") };
    commit(&table, vec![put(theirs.clone(), Expect::Revision(1))]).await.unwrap();

    let outcome = table.commit(ours, attempt).await;
    assert!(matches!(outcome, Ok(()) | Err(StoreError::Stale { write: 0 })), "{outcome:?}");
    assert_eq!(get(&table, "p", "s").await, Some(theirs));
}

/// An attempt that lost left no trace, not even of itself.
pub async fn a_lost_attempt_may_be_made_again(table: Subject) {
    let attempt = attempt();
    let writes = vec![put(Item { revision: 2, ..item("p", "s", "{}") }, Expect::Revision(1))];
    let outcome = table.commit(writes.clone(), attempt).await;
    assert!(matches!(outcome, Err(StoreError::Stale { write: 0 })), "{outcome:?}");
    put_all(&table, &[item("p", "s", "{}")]).await;
    table.commit(writes, attempt).await.unwrap();
    assert_eq!(get(&table, "p", "s").await.unwrap().revision, 2);
}

/// Not by letters, not by case, not by numbers.
pub async fn lists_go_by_the_order_of_bytes(table: Subject) {
    let sorted = ["!", "#", "1", "10", "2", "A", "Z", "a", "a#", "a#1", "aa", "z", "~", "Ä", "é", "ﬀ", "🦀"];
    assert!(sorted.is_sorted_by_key(|sort| sort.as_bytes()));
    let mut items: Vec<_> = sorted.map(|sort| indexed(item("p", sort, "{}"), Index::Owner, "o", sort)).into();
    items.reverse();
    items.swap(3, 9);
    put_all(&table, &items).await;

    for index in [None, Some(Index::Owner)] {
        let mut query = Query::all(if index.is_some() { "o" } else { "p" }, 100);
        assert_eq!(sorts(&read_all(&table, index, query.clone()).await), sorted);
        query.order = Order::Descending;
        let mut reversed = sorted;
        reversed.reverse();
        assert_eq!(sorts(&read_all(&table, index, query).await), reversed);
    }
}

/// All bounds, both orders, pages of several sizes, on the table and on an index.
pub async fn lists_keep_to_their_bounds_page_by_page(table: Subject) {
    let names: Vec<_> = (0..20).map(|n| format!("s{n:02}")).collect();
    for partition in ["o", "p", "q"] {
        let items = names.iter().map(|sort| indexed(item(partition, sort, "{}"), Index::List, partition, sort));
        put_all(&table, &items.collect::<Vec<_>>()).await;
    }
    let bounds = [None, Some("s00"), Some("s05"), Some("s05x"), Some("s19"), Some("t")];
    let pairs = bounds.iter().flat_map(|from| bounds.map(|to| (*from, to)));
    for ((from, to), order) in pairs.flat_map(|pair| [(pair, Order::Ascending), (pair, Order::Descending)]) {
        let within =
            |sort: &&String| from.is_none_or(|from| sort.as_str() >= from) && to.is_none_or(|to| sort.as_str() < to);
        let mut wanted: Vec<_> = names.iter().filter(within).collect();
        if order == Order::Descending {
            wanted.reverse();
        }
        for limit in [1, 7, 20] {
            let (from, to) = (from.map(String::from), to.map(String::from));
            let query = Query { from, to, order, ..Query::all("p", limit) };
            for index in [None, Some(Index::List)] {
                assert_eq!(sorts(&read_all(&table, index, query.clone()).await), wanted, "{index:?} {query:?}");
            }
        }
    }
}

/// What is there all the time comes exactly once, whatever is added or removed between two pages.
pub async fn a_list_that_grows_meanwhile_misses_and_repeats_nothing(table: Subject) {
    let names: Vec<_> = (0..30).map(|n| format!("{n:02}")).collect();
    put_all(&table, &names.iter().map(|sort| item("p", sort, "\"old\"")).collect::<Vec<_>>()).await;
    for order in [Order::Ascending, Order::Descending] {
        let mut query = Query { order, ..Query::all("p", 4) };
        let mut seen = Vec::new();
        for page in 0.. {
            assert!(page < MAX_PAGES, "{query:?} has no end");
            let Rows { items, cursor } = table.query(query.clone()).await.unwrap();
            // New neighbours on both sides of where the page ended, and the last item itself goes away and comes back.
            let last = items.last().cloned();
            seen.extend(items.into_iter().filter(|item| item.body == b"\"old\""));
            let Some(cursor) = cursor else { break };
            query.cursor = Some(cursor);
            let Some(last) = last else { continue };
            commit(&table, vec![delete("p", &last.key.sort, Expect::Any)]).await.unwrap();
            let neighbours = ["!", "~"].map(|by| item("p", &format!("{}{by}", last.key.sort), "\"new\""));
            put_any(&table, &neighbours).await;
            put_any(&table, &[last]).await;
        }
        if order == Order::Descending {
            seen.reverse();
        }
        assert_eq!(sorts(&seen), names, "{order:?}");
        let new = read_all(&table, None, Query::all("p", 100)).await;
        for item in new.iter().filter(|item| item.body == b"\"new\"") {
            commit(&table, vec![delete("p", &item.key.sort, Expect::Any)]).await.unwrap();
        }
    }
}

/// One read of a list reads two megabytes or little more, however many items are asked for, and a cursor goes on from there.
pub async fn large_items_come_a_few_at_a_time(table: Subject) {
    let body = format!("\"{}\"", "x".repeat(300_000));
    let names: Vec<_> = (0..20).map(|n| format!("s{n:02}")).collect();
    let items = names.iter().map(|sort| indexed(item("p", sort, &body), Index::List, "p", sort)).collect::<Vec<_>>();
    for few in items.chunks(5) {
        put_all(&table, few).await;
    }
    for index in [None, Some(Index::List)] {
        let query = Query { order: Order::Descending, ..Query::all("p", 1_000) };
        let page = match index {
            None => table.query(query.clone()).await.unwrap(),
            Some(index) => table.query_index(index, query.clone()).await.unwrap(),
        };
        assert!(page.cursor.is_some() && (1..=8).contains(&page.items.len()), "{} items at once", page.items.len());
        let all = read_all(&table, index, query).await;
        assert_eq!(sorts(&all), names.iter().rev().collect::<Vec<_>>(), "{index:?}");
    }
}

/// Entries come, move and vanish with their item.
pub async fn an_index_holds_what_has_an_entry_and_nothing_else(table: Subject) {
    let plain = item("p", "plain", "{}");
    let due = indexed(item("p", "due", "{}"), Index::Due, "now", "1");
    put_all(&table, &[plain.clone(), due.clone()]).await;
    let look = async |index, partition| read_all(&table, Some(index), Query::all(partition, 10)).await;
    assert_eq!(look(Index::Due, "now").await, slice::from_ref(&due));
    assert_eq!(look(Index::List, "now").await, [], "another index");

    let moved =
        Item { revision: 2, indexes: vec![entry(Index::Due, "later", "2"), entry(Index::List, "all", "1")], ..due };
    commit(&table, vec![put(moved.clone(), Expect::Revision(1))]).await.unwrap();
    assert_eq!(look(Index::Due, "now").await, []);
    assert_eq!(look(Index::Due, "later").await, slice::from_ref(&moved));
    assert_eq!(look(Index::List, "all").await, slice::from_ref(&moved));

    let bare = Item { revision: 3, indexes: vec![entry(Index::List, "all", "1")], ..moved };
    commit(&table, vec![put(bare.clone(), Expect::Revision(2))]).await.unwrap();
    assert_eq!(look(Index::Due, "later").await, []);
    assert_eq!(look(Index::List, "all").await, [bare]);

    commit(&table, vec![delete("p", "due", Expect::Revision(3))]).await.unwrap();
    assert_eq!(look(Index::List, "all").await, []);
    assert_eq!(read_all(&table, None, Query::all("p", 10)).await, [plain]);
}

/// Many records may be due at one moment.
pub async fn items_at_one_place_of_an_index_all_come_once(table: Subject) {
    let items: Vec<_> = (0..23)
        .map(|n| indexed(item(&format!("p{}", n % 5), &format!("{n:02}"), "{}"), Index::Due, "due", ["1", "2"][n % 2]))
        .collect();
    put_all(&table, &items).await;
    for order in [Order::Ascending, Order::Descending] {
        let found = read_all(&table, Some(Index::Due), Query { order, ..Query::all("due", 3) }).await;
        assert_eq!(found.len(), items.len());
        assert_eq!(keys(&found), keys(&items));
        let mut places: Vec<_> = found.iter().map(|item| item.indexes[0].sort.as_str()).collect();
        if order == Order::Descending {
            places.reverse();
        }
        assert!(places.is_sorted(), "{places:?}");
    }
}

/// Garbage, and honest cursors of other lists.
pub async fn a_cursor_from_elsewhere_is_refused(table: Subject) {
    let items: Vec<_> =
        (0..5).map(|n| indexed(item("p", &n.to_string(), "{}"), Index::List, "p", &n.to_string())).collect();
    put_all(&table, &items).await;
    let of_table = table.query(Query::all("p", 2)).await.unwrap().cursor.unwrap();
    let of_index = table.query_index(Index::List, Query::all("p", 2)).await.unwrap().cursor.unwrap();
    let forged = [
        serde_json::json!(["", "p", "1", "other", "1"]),
        serde_json::json!(["", "p", "1", "p", "2"]),
        serde_json::json!(["", "p", "", "p", ""]),
        serde_json::json!(["list", "p", "1", "", "1"]),
        serde_json::json!(["list", "p", "x".repeat(1_025), "p", "1"]),
    ];
    for cursor in forged.map(|forged| BASE64_URL_SAFE_NO_PAD.encode(forged.to_string())) {
        let query = Query { cursor: Some(cursor), ..Query::all("p", 2) };
        let (table, index) = (table.query(query.clone()).await, table.query_index(Index::List, query).await);
        assert!(matches!((&table, &index), (Err(StoreError::Cursor), Err(StoreError::Cursor))), "{table:?} {index:?}");
    }
    let garbage = ["", "x", "AAAA", "bnVsbA", "W10", "WyIiXQ", "%", "🦀", "../../etc/passwd", &of_table[1..]];

    for cursor in garbage.into_iter().chain([of_index.as_str()]) {
        let outcome = table.query(Query { cursor: Some(cursor.into()), ..Query::all("p", 2) }).await;
        assert!(matches!(outcome, Err(StoreError::Cursor)), "{cursor}: {outcome:?}");
    }
    for cursor in garbage.into_iter().chain([of_table.as_str()]) {
        let outcome = table.query_index(Index::List, Query { cursor: Some(cursor.into()), ..Query::all("p", 2) }).await;
        assert!(matches!(outcome, Err(StoreError::Cursor)), "{cursor}: {outcome:?}");
    }
    let outcome = table.query(Query { cursor: Some(of_table.clone()), ..Query::all("other", 2) }).await;
    assert!(matches!(outcome, Err(StoreError::Cursor)), "{outcome:?}");

    // One of this list does not lead out of narrower bounds.
    let narrower = Query { from: Some("3".into()), cursor: Some(of_table), ..Query::all("p", 10) };
    assert_eq!(sorts(&read_all(&table, None, narrower).await), ["3", "4"]);
}

/// Keys that are empty or too long, and items over 400 KB.
pub async fn what_no_table_can_hold_is_neither_found_nor_kept(table: Subject) {
    let (long, longer) = ("x".repeat(1_025), "x".repeat(2_049));
    for key in [Key::new("", "s"), Key::new("p", ""), Key::new("p", &long), Key::new(&longer, "s")] {
        assert_eq!(table.get(&key, Consistency::Strong).await.unwrap(), None);
        assert_eq!(table.get_many(slice::from_ref(&key)).await.unwrap(), [None]);
        let kept = commit(&table, vec![put(Item { key, ..item("p", "s", "{}") }, Expect::Any)]).await;
        assert!(matches!(kept, Err(StoreError::Fault { .. })), "{kept:?}");
    }
    let large = item("p", "large", &format!("\"{}\"", "x".repeat(410_000)));
    let kept = commit(&table, vec![put(large, Expect::Any), put(item("p", "beside", "{}"), Expect::Any)]).await;
    assert!(matches!(kept, Err(StoreError::Fault { .. })), "{kept:?}");
    let unplaced = indexed(item("p", "unplaced", "{}"), Index::List, "p", "");
    assert!(commit(&table, vec![put(unplaced, Expect::Any)]).await.is_err());
    assert_eq!(read_all(&table, None, Query::all("p", 10)).await, []);

    assert_eq!(read_all(&table, None, Query::all(&longer, 10)).await, []);
    assert_eq!(read_all(&table, Some(Index::List), Query::all("", 10)).await, []);
    for to in [String::new(), long] {
        let outcome = table.query(Query { to: Some(to), ..Query::all("p", 2) }).await;
        assert!(matches!(outcome, Err(StoreError::Cursor)), "{outcome:?}");
    }
}

/// Never sooner; a store that expires by itself may take its time.
pub async fn only_what_is_over_expires(table: Subject) {
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let until = |sort: &str, expires_at| Item { expires_at, ..item("p", sort, "{}") };
    let over = ["2029-12-31T23:59:59Z", "2030-01-01T00:00:00Z"].map(|time| until(time, Some(time.parse().unwrap())));
    let staying = [until("2030-01-01T00:00:01Z", Some("2030-01-01T00:00:01Z".parse().unwrap())), until("ever", None)];
    put_all(&table, &over).await;
    put_all(&table, &staying).await;

    let mut removed = 0;
    loop {
        let found = table.expire(now, 1).await.unwrap();
        assert!(found <= 1, "{found} are over the limit");
        removed += found;
        if found == 0 {
            break;
        }
    }
    let left = read_all(&table, None, Query::all("p", 10)).await;
    assert!(staying.iter().all(|item| left.contains(item)), "{left:?}");
    assert!(left.len() <= over.len() + staying.len() - removed, "{removed} were said to be removed: {left:?}");
    assert_eq!(table.expire(now, 0).await.unwrap(), 0);
}

/// A hundred races.
pub async fn of_two_writers_on_one_expectation_one_wins(table: Subject) {
    for round in 0..100 {
        let sort = round.to_string();
        let bodies = ["\"one\"", "\"other\""];
        let racers = bodies.map(|body| {
            let (table, writes) = (Arc::clone(&table), vec![put(item("p", &sort, body), Expect::Absent)]);
            spawn(async move { commit(&table, writes).await.is_ok() })
        });
        let won: Vec<_> = join_all(racers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}: {won:?}");
        let winner = won.iter().position(|won| *won).unwrap();
        assert_eq!(get(&table, "p", &sort).await.unwrap().body, bodies[winner].as_bytes());
    }
}

/// 64 writers who read, add one, and try again when another came first.
pub async fn no_increment_of_many_writers_is_lost(table: Subject) {
    put_all(&table, &[item("p", "counter", "0")]).await;
    let writers = (0..64).map(|_| {
        let table = Arc::clone(&table);
        spawn(async move {
            loop {
                let found = get(&table, "p", "counter").await.unwrap();
                let count: u64 = String::from_utf8(found.body).unwrap().parse().unwrap();
                let next = Item { revision: found.revision + 1, ..item("p", "counter", &(count + 1).to_string()) };
                match commit(&table, vec![put(next, Expect::Revision(found.revision))]).await {
                    Ok(()) => break,
                    Err(StoreError::Stale { write: 0 }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    let counter = get(&table, "p", "counter").await.unwrap();
    assert_eq!((counter.revision, counter.body), (65, b"64".to_vec()));
}

/// Dropped after none, one or a few polls; and whoever then asks again by the same attempt is told that it happened.
pub async fn a_dropped_commit_happened_wholly_or_not_at_all(table: Subject) {
    let writes = |round: u32| -> Vec<_> {
        (0..3).map(|n| put(item(&format!("p{round}"), &n.to_string(), "{}"), Expect::Absent)).collect()
    };
    let mut attempts = Vec::new();
    for round in 0..200 {
        let attempt = attempt();
        attempts.push(attempt);
        let mut dropped = table.commit(writes(round), attempt);
        for _ in 0..round % 4 {
            if poll_immediate(&mut dropped).await.is_some() {
                break;
            }
            yield_now().await;
        }
    }
    for (round, attempt) in (0..).zip(attempts) {
        let query = Query::all(format!("p{round}"), 10);
        let found = table.query(query.clone()).await.unwrap().items.len();
        assert!([0, 3].contains(&found), "{found} of 3 writes of round {round}");
        table.commit(writes(round), attempt).await.unwrap();
        let found = table.query(query).await.unwrap().items;
        assert_eq!(found.iter().map(|item| item.revision).collect::<Vec<_>>(), [1, 1, 1]);
    }
}

fn item(partition: &str, sort: &str, body: &str) -> Item {
    Item { key: Key::new(partition, sort), revision: 1, expires_at: None, indexes: vec![], body: body.into() }
}

fn entry(index: Index, partition: &str, sort: &str) -> IndexEntry {
    IndexEntry { index, partition: partition.into(), sort: sort.into() }
}

fn indexed(item: Item, index: Index, partition: &str, sort: &str) -> Item {
    Item { indexes: vec![entry(index, partition, sort)], ..item }
}

fn put(item: Item, expect: Expect) -> Write {
    Write::Put { item, expect }
}

fn delete(partition: &str, sort: &str, expect: Expect) -> Write {
    Write::Delete { key: Key::new(partition, sort), expect }
}

fn holds(expect: Expect, found: Option<&Item>) -> bool {
    match expect {
        Expect::Absent => found.is_none(),
        Expect::Revision(revision) => found.is_some_and(|item| item.revision == revision),
        Expect::Any => true,
    }
}

fn attempt() -> AttemptId {
    rand::random()
}

async fn commit(table: &Subject, writes: Vec<Write>) -> Result<(), StoreError> {
    table.commit(writes, attempt()).await
}

async fn put_all(table: &Subject, items: &[Item]) {
    commit(table, items.iter().map(|item| put(item.clone(), Expect::Absent)).collect()).await.unwrap();
}

async fn put_any(table: &Subject, items: &[Item]) {
    commit(table, items.iter().map(|item| put(item.clone(), Expect::Any)).collect()).await.unwrap();
}

async fn get(table: &Subject, partition: &str, sort: &str) -> Option<Item> {
    table.get(&Key::new(partition, sort), Consistency::Strong).await.unwrap()
}

async fn read_all(table: &Subject, index: Option<Index>, mut query: Query) -> Vec<Item> {
    let mut all = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = match index {
            None => table.query(query.clone()).await.unwrap(),
            Some(index) => table.query_index(index, query.clone()).await.unwrap(),
        };
        assert!(page.items.len() <= query.limit, "{} items are over the limit", page.items.len());
        assert!(!page.items.is_empty() || page.cursor.is_none(), "an empty page of {query:?} is not its end");
        all.extend(page.items);
        query.cursor = page.cursor;
        if query.cursor.is_none() {
            return all;
        }
    }
    panic!("{query:?} has no end")
}

fn sorts(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.key.sort.as_str()).collect()
}

fn keys(items: &[Item]) -> BTreeSet<&Key> {
    items.iter().map(|item| &item.key).collect()
}
