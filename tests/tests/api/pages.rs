use std::collections::BTreeSet;

use muster_schemas::{ids::JobId, pages::Page, problems::ProblemCode};
use muster_tests::world::{World, run_job};
use serde_json::Value;

#[tokio::test]
async fn pages_neither_miss_nor_repeat_what_was_there_when_new_entries_come_in_between() {
    let world = World::new().await;
    let host = world.host("one").await;
    let mut known = BTreeSet::<JobId>::new();
    for _ in 0..25 {
        world.moves(1);
        known.insert(world.job(host.id(), &run_job()).await.id);
    }
    let viewer = world.viewer().await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/jobs?limit=4".to_owned();
    loop {
        let page: Page<Value> = viewer.get(&path).await.is(200).json();
        seen.extend(page.items.iter().map(|job| job["id"].as_str().unwrap().parse::<JobId>().unwrap()));
        let Some(cursor) = page.next_cursor else { break };
        path = format!("/api/v1/jobs?limit=4&cursor={cursor}");
        world.moves(1);
        world.job(host.id(), &run_job()).await;
    }
    assert_eq!(seen.len(), seen.iter().collect::<BTreeSet<_>>().len(), "repeated");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), known, "missed, or newer than the first page");
}

#[tokio::test]
async fn the_hosts_of_a_fleet_update_come_in_pages_of_their_order() {
    let world = World::new().await;
    let hosts = world.fleet(7, "1.0.0").await;
    world.publishes("1.1.0").await;
    let id = world.fleet_update(&serde_json::json!({ "version": "1.1.0" })).await.id;
    let viewer = world.viewer().await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: Page<Value> =
            viewer.get(&format!("/api/v1/fleet-updates/{id}/hosts?limit=3{cursor}")).await.is(200).json();
        seen.extend(page.items.iter().map(|host| host["host_id"].as_str().unwrap().to_owned()));
        let Some(next) = page.next_cursor else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, hosts.iter().map(|host| host.id().to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_limit_out_of_bounds_is_refused() {
    let world = World::new().await;
    let viewer = world.viewer().await;
    for limit in ["0", "201", "-1", "many", "99999999999999999999"] {
        for list in ["jobs", "releases", "fleet-updates", "audit"] {
            viewer.get(&format!("/api/v1/{list}?limit={limit}")).await.refused(ProblemCode::Invalid);
        }
    }
    for limit in ["0", "1001", "-1", "many"] {
        viewer.get(&format!("/api/v1/hosts?limit={limit}")).await.refused(ProblemCode::Invalid);
    }
}

#[tokio::test]
async fn a_page_holds_a_thousand_hosts_and_is_read_with_one_query() {
    let world = World::new().await;
    let host = world.host("one").await;
    world.plants(&host, 1_200, |_| true).await;
    let viewer = world.viewer().await;
    world.table.take();
    let first: Page<Value> = viewer.get("/api/v1/hosts?limit=1000").await.is(200).json();
    let units = world.table.take();
    // The newest release, and the hosts; their mailboxes a hundred at a time.
    assert_eq!((units.of("query_index").calls, units.of("get_many").calls), (2, 10), "{units:?}");
    let path = format!("/api/v1/hosts?limit=1000&cursor={}", first.next_cursor.unwrap());
    let second: Page<Value> = viewer.get(&path).await.is(200).json();
    let ids = first.items.iter().chain(&second.items).map(|host| host["id"].to_string()).collect::<BTreeSet<_>>();
    assert_eq!((first.items.len(), second.items.len(), ids.len()), (1_000, 201, 1_201));
}

#[tokio::test]
async fn every_list_takes_any_cursor_without_a_fault() {
    let world = World::new().await;
    let admin = world.admin().await;
    for list in ["jobs", "hosts", "releases", "fleet-updates", "audit", "users", "api-keys", "enrollment-tokens"] {
        for cursor in ["", "x", "%00", "%FF", "~~~~", "job_01KJQ6PSG00000000000000001"] {
            let answer = admin.get(&format!("/api/v1/{list}?cursor={cursor}")).await;
            assert!(answer.status == 200 || answer.problem().code == ProblemCode::Invalid);
        }
    }
}
