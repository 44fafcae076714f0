use futures_util::future::join_all;
use muster_domain::hosts::Host as Record;
use muster_schemas::{
    enrollment::{EnrollResponse, EnrollmentTokenState, EnrollmentTokenView},
    pages::Page,
    problems::ProblemCode,
};
use muster_tests::world::{Host, World};
use serde_json::json;

#[tokio::test]
async fn a_hundred_keys_that_use_a_single_use_token_at_once_make_one_host() {
    let world = World::new().await;
    let token = world.token(1).await;
    let mut hosts = (0..100).map(|number| Host::new(&world, &format!("racer_{number}"))).collect::<Vec<_>>();
    let answers = join_all(hosts.iter_mut().map(|host| host.joins(token.token.reveal()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let refused = answers.into_iter().filter(|answer| answer.status != 201);
    refused.for_each(|answer| drop(answer.refused(ProblemCode::EnrollmentTokenInvalid)));
    assert_eq!(world.all::<Record>("hosts").await.len(), 1);
    world.is_consistent().await;
}

#[tokio::test]
async fn the_same_key_again_gets_the_same_host_even_with_a_token_that_is_used_up() {
    let world = World::new().await;
    let token = world.token(1).await;
    let mut host = Host::new(&world, "twice");
    let first: EnrollResponse = host.joins(token.token.reveal()).await.is(201).json();
    let second: EnrollResponse = host.joins(token.token.reveal()).await.is(201).json();
    assert_eq!(first.host_id, second.host_id);
    world.is_consistent().await;
}

#[tokio::test]
async fn one_key_that_joins_many_times_at_once_is_one_host_and_takes_one_seat() {
    let world = World::new().await;
    let token = world.token(5).await;
    let host = Host::new(&world, "impatient");
    let mut copies = vec![host; 20];
    let answers = join_all(copies.iter_mut().map(|host| host.joins(token.token.reveal()))).await;
    let first = answers[0].json::<EnrollResponse>().host_id;
    assert!(answers.iter().all(|answer| answer.json::<EnrollResponse>().host_id == first));
    let tokens: Page<EnrollmentTokenView> = world.admin().await.get("/api/v1/enrollment-tokens").await.json();
    assert_eq!(tokens.items[0].used, 1);
    world.is_consistent().await;
}

#[tokio::test]
async fn the_text_of_a_token_is_kept_nowhere_and_told_once() {
    let world = World::new().await;
    let token = world.token(2).await;
    let text = token.token.reveal();
    let mut host = Host::new(&world, "joined");
    host.joins(text).await.is(201);
    let mut files = Vec::from_iter(world.directory());
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{} has it", path.display());
        }
    }
    let admin = world.admin().await;
    for path in ["enrollment-tokens", "audit", "hosts", &format!("hosts/{}", host.id())] {
        let answer = admin.get(&format!("/api/v1/{path}")).await.is(200);
        assert!(!answer.text().contains(text), "{path} tells the token");
    }
}

#[tokio::test]
async fn a_token_of_three_seats_takes_three_hosts_with_its_labels() {
    let world = World::new().await;
    let body = json!({ "seats": 3, "labels": { "site": "north" } });
    let token = world.admin().await.post("/api/v1/enrollment-tokens", &body).await.is(201).value();
    let mut hosts = (0..5).map(|number| Host::new(&world, &format!("host_{number}"))).collect::<Vec<_>>();
    let joins = hosts.iter_mut().map(|host| host.joins(token["token"].as_str().unwrap()));
    let answers = join_all(joins).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    for host in world.all::<Record>("hosts").await {
        assert_eq!(host.labels.get("site").map(String::as_str), Some("north"));
    }
    world.is_consistent().await;
}

#[tokio::test]
async fn a_token_that_is_expired_revoked_or_unknown_takes_nobody() {
    let world = World::new().await;
    let (expired, revoked) = (world.token(1).await, world.token(1).await);
    let path = format!("/api/v1/enrollment-tokens/{}", revoked.view.id);
    world.admin().await.delete(&path).await.is(204);
    let unknown = revoked.token.reveal().replace("met_", "met-");
    let mut host = Host::new(&world, "late");
    host.joins(revoked.token.reveal()).await.refused(ProblemCode::EnrollmentTokenInvalid);
    host.joins(&unknown).await.refused(ProblemCode::EnrollmentTokenInvalid);
    world.moves(3_600);
    host.joins(expired.token.reveal()).await.refused(ProblemCode::EnrollmentTokenInvalid);
    let tokens: Page<EnrollmentTokenView> = world.admin().await.get("/api/v1/enrollment-tokens").await.json();
    let states = tokens.items.iter().map(|token| token.state).collect::<Vec<_>>();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&EnrollmentTokenState::Revoked) && states.contains(&EnrollmentTokenState::Expired));
}

#[tokio::test]
async fn a_key_that_is_none_is_named() {
    let world = World::new().await;
    let token = world.token(1).await;
    let body = json!({ "enrollment_token": token.token, "public_key": "AAAA", "facts": {} });
    let problem = world.nobody().post("/api/v1/agent/enroll", &body).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("public_key"));
}

#[tokio::test]
async fn a_repeated_request_for_a_token_is_refused_because_its_text_is_not_told_again() {
    let world = World::new().await;
    let admin = world.admin().await.with("idempotency-key", "once");
    admin.post("/api/v1/enrollment-tokens", &json!({})).await.is(201);
    admin.post("/api/v1/enrollment-tokens", &json!({})).await.refused(ProblemCode::AlreadyExists);
    admin.post("/api/v1/enrollment-tokens", &json!({ "seats": 2 })).await.refused(ProblemCode::IdempotencyKeyReused);
}
