use muster_domain::times::after;
use muster_schemas::jobs::JobState;
use muster_server::{
    commit::put,
    store::{Consistency, Expect, Index, Item, Key, Query, Table as _, keys},
};
use muster_tests::world::{Logs, World, run_job};
use serde_json::json;

async fn due(world: &World) -> Vec<Item> {
    world.app.table.query_index(Index::Due, Query::all(keys::DUE, 1_000)).await.unwrap().items
}

#[tokio::test]
async fn a_due_record_that_nothing_knows_is_an_error_with_its_key_and_is_not_due_again() {
    let logs = Logs::capture();
    let world = World::new().await;
    // One that a newer server has written, one whose place means nothing, and the id of none in a place that is known.
    let unknown = [
        Key::new("backup#bak_1", "backup"),
        Key::new("job#no-id", "job"),
        Key::new("fleet-update#fup_01KJQ6PSG0DRSNYJN0TRKP6Y1W", "note"),
    ];
    let writes = unknown.iter().map(|key| {
        put(
            key.clone(),
            1,
            vec![keys::due(world.now(), &key.partition), keys::list("backups", 1)],
            &json!({}),
            Expect::Absent,
        )
    });
    world.table.commit(writes.collect(), rand::random()).await.unwrap();
    let host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    world.moves(3_600);
    world.tick().await;
    assert_eq!(world.sees_job(job.id).await.state, JobState::Expired, "the others are dealt with");
    assert!(due(&world).await.is_empty());
    let text = logs.text();
    for key in unknown {
        let named = |line: &&str| line.contains("ERROR") && line.contains(&key.partition);
        assert_eq!(text.lines().filter(named).count(), 1, "{}", key.partition);
        let left = world.app.table.get(&key, Consistency::Strong).await.unwrap().unwrap();
        assert_eq!((left.body.as_slice(), left.indexes.len()), (b"{}".as_slice(), 1), "it stays where it is");
    }
}

#[tokio::test]
async fn records_that_nothing_knows_do_not_keep_the_tick_from_the_others() {
    let world = World::new().await;
    let host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    for stretch in 0..10 {
        let writes = (0..90).map(|number| {
            let key = Key::new(format!("backup#{stretch}-{number}"), "backup");
            put(key.clone(), 1, vec![keys::due(after(world.now(), 1), &key.partition)], &json!({}), Expect::Absent)
        });
        world.table.commit(writes.collect(), rand::random()).await.unwrap();
    }
    world.moves(3_600);
    for _ in 0..3 {
        world.tick().await;
    }
    assert_eq!(world.sees_job(job.id).await.state, JobState::Expired);
    assert!(due(&world).await.is_empty());
}
