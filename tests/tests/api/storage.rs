//! Sizes of what is kept.

use muster_schemas::jobs::Outcome;
use muster_schemas::storage::StorageView;
use muster_tests::world::{Stores, World, finished, output, result, run_job, started};

#[tokio::test]
async fn the_server_tells_how_much_it_keeps_of_what_and_since_when_and_measures_once_an_hour() {
    let world = World::on(Stores::embedded()).await;
    let mut host = world.host("one").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = world.job(host.id(), &run_job()).await.id;
        host.check_in().await;
        host.accepts(id).await.is(200);
        let end = finished(result(Outcome::Succeeded, world.now()));
        host.tells(id, vec![started(), output("printed\n"), end]).await.is(200);
        ids.push(id);
        world.moves(60);
    }
    let viewer = world.viewer().await;
    let view: StorageView = viewer.get("/api/v1/storage").await.is(200).json();
    let of = |view: &StorageView, kind: &str| view.kinds.iter().find(|found| found.kind == kind).cloned().unwrap();
    let jobs = of(&view, "job");
    assert_eq!((jobs.records, jobs.oldest_at), (Some(3), Some(world.sees_job(ids[0]).await.created_at)));
    assert_eq!(of(&view, "log").records, Some(3));
    assert_eq!((of(&view, "host").records, of(&view, "mailbox").records), (Some(1), Some(1)));
    assert!(view.file_bytes.unwrap() > 4_096 && view.kinds.iter().all(|kind| kind.bytes.is_some()), "{view:?}");
    let bytes = view.kinds.iter().map(|kind| kind.bytes).collect::<Vec<_>>();
    assert!(bytes.is_sorted_by(|one, other| one >= other), "{bytes:?}");

    world.job(host.id(), &run_job()).await;
    let again: StorageView = viewer.get("/api/v1/storage").await.is(200).json();
    assert_eq!(again, view, "it is not measured again");
    world.moves(3_600);
    let later: StorageView = world.viewer().await.get("/api/v1/storage").await.is(200).json();
    assert_eq!(of(&later, "job").records, Some(4));
}
