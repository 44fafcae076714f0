use muster_schemas::{
    access::{Role, UserView},
    audit::AuditEntry,
    pages::Page,
};
use muster_tests::world::{World, run_job};
use serde_json::json;

async fn entries(world: &World, query: &str) -> Vec<AuditEntry> {
    world.viewer().await.get(&format!("/api/v1/audit{query}")).await.is(200).json::<Page<_>>().items
}

#[tokio::test]
async fn every_change_says_who_did_what_to_which_thing_in_which_request() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    world.moves(1);
    let path = format!("/api/v1/jobs/{}/cancel", job.id);
    let answer = world.operator().await.post(&path, &json!({})).await.is(200);
    let entries = entries(&world, &format!("?subject={}", job.id)).await;
    let actions = entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>();
    assert_eq!(actions, ["job.cancel_requested", "job.created"]);
    assert!(entries[0].actor.starts_with("user:usr_"));
    assert_eq!(entries[0].request_id, answer.header("x-request-id"));
}

#[tokio::test]
async fn a_persons_name_is_told_with_what_they_did_also_when_the_account_is_gone() {
    let world = World::new().await;
    let host = world.host("one").await;
    let admin = world.admin().await;
    let job = world.job(host.id(), &run_job()).await;
    world.publishes("1.1.0").await;
    let update = admin.post("/api/v1/fleet-updates", &json!({ "version": "1.1.0" })).await.is(201);
    world.moves(1);
    let key = admin.post("/api/v1/api-keys", &json!({ "name": "nightly", "role": "operator" })).await.is(201).value();
    let ci = world.nobody().bearing(key["key"].as_str().unwrap());
    ci.post(&format!("/api/v1/jobs/{}/cancel", job.id), &json!({})).await.is(200);
    for account in admin.get("/api/v1/users").await.json::<Page<UserView>>().items {
        if account.role == Role::Operator {
            admin.delete(&format!("/api/v1/users/{}", account.id)).await.is(204);
        }
    }
    let names = |entries: Vec<AuditEntry>| entries.into_iter().map(|entry| entry.actor_name).collect::<Vec<_>>();
    assert_eq!(names(entries(&world, &format!("?subject={}", job.id)).await), ["nightly", "operator"]);
    assert_eq!(names(entries(&world, &format!("?subject={}", host.id())).await).last().unwrap(), "");
    assert_eq!(world.sees_job(job.id).await.created_by_name, "operator");
    assert_eq!(update.value()["created_by_name"], "admin");
}

#[tokio::test]
async fn polls_are_not_audited() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    // Signing in to look is audited, so only what is not that counts.
    let others = async || entries(&world, "").await.iter().filter(|entry| entry.action != "session.opened").count();
    let before = others().await;
    for _ in 0..5 {
        world.moves(300);
        host.check_in().await;
    }
    assert_eq!(others().await, before);
}

#[tokio::test]
async fn what_the_tick_does_is_audited_as_the_ticks() {
    let world = World::new().await;
    let host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    world.moves(3_600);
    world.tick().await;
    let entries = entries(&world, &format!("?subject={}", job.id)).await;
    assert_eq!((entries[0].actor.as_str(), entries[0].detail.as_str()), ("tick", "expired"));
}
