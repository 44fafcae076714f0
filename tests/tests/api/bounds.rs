//! What one caller may take of a process: memory of bodies, turns to read lists, held requests. Whoever has shown no credential
//! gets little, nobody gets all of it, and whoever is sent away hears when to come again.

use axum::{
    body::Body,
    http::{Method, Request},
};
use futures_util::future::{Either, poll_immediate, select};
use muster_schemas::{jobs::JobView, pages::Page, problems::ProblemCode};
use muster_server::app::Settings;
use muster_tests::world::{Answer, Caller, Host, World, answered, json_request, run_job};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

const MIB: usize = 1024 * 1024;

fn retry_after(answer: Answer, code: ProblemCode) -> u64 {
    let seconds = answer.header("retry-after").parse().unwrap();
    answer.refused(code);
    seconds
}

/// A world whose server has so little memory for bodies that a test can take all of it.
async fn small() -> World {
    let world = World::new().await;
    let mut small = world.told(Settings { body_memory_bytes: 16 * MIB, ..world.app.settings.clone() });
    small.is_busy = true;
    small
}

/// The caller of a role, as what is counted names it.
async fn named(world: &World, username: &str) -> (Caller, String) {
    let users = world.admin().await.get("/api/v1/users").await.is(200).value();
    let user = users["items"].as_array().unwrap().iter().find(|user| user["username"] == username).unwrap();
    let caller = if username == "viewer" { world.viewer().await } else { world.operator().await };
    (caller, format!("user:{}", user["id"].as_str().unwrap()))
}

#[tokio::test]
async fn a_caller_without_a_credential_may_send_sixteen_kibibytes_and_one_with_one_a_mebibyte() {
    let world = World::new().await;
    let host = world.host("one").await;
    let sign_in = |bytes: usize| json!({ "username": "x".repeat(bytes), "password": "x" });
    let nobody = world.nobody();
    nobody.post("/api/v1/session", &sign_in(16_000)).await.refused(ProblemCode::Unauthorized);
    nobody.post("/api/v1/session", &sign_in(16_384)).await.refused(ProblemCode::TooLarge);
    let unknown = world.nobody().bearing("mst_nobody's");
    unknown.post("/api/v1/session", &sign_in(16_384)).await.refused(ProblemCode::TooLarge);
    let argument = "x".repeat(60_000);
    let job = json!({ "host_ids": [host.id()], "kind": "run", "spec": { "argv": ["/bin/echo", argument] } });
    world.operator().await.post("/api/v1/jobs", &job).await.is(202);
    world.viewer().await.post("/api/v1/jobs", &job).await.refused(ProblemCode::Forbidden);
}

/// A machine with so many disks that its facts have more bytes than a stranger may send.
fn large(world: &World, disks: usize) -> Host {
    let mut host = Host::new(world, "a node of a cluster");
    let mount = |number: usize| format!("/var/lib/kubelet/plugins/kubernetes.io/csi/pv/pvc-{number:036}/globalmount");
    host.facts.disks =
        (0..disks).map(|number| muster_schemas::reports::Disk { mount: mount(number), size_bytes: 1 << 40 }).collect();
    host
}

#[tokio::test]
async fn a_host_joins_with_more_once_its_token_was_seen_and_nobody_else_does() {
    let world = World::new().await;
    let token = world.token(3).await.token;
    let mut host = large(&world, 128);
    assert!(serde_json::to_vec(&host.facts).unwrap().len() > 16 * 1024);
    host.joins(token.reveal()).await.is(201);
    let forged = format!("{}x", token.reveal());
    large(&world, 128).joins(&forged).await.refused(ProblemCode::EnrollmentTokenInvalid);
    large(&world, 128).joins("x").await.refused(ProblemCode::EnrollmentTokenInvalid);
    let problem = large(&world, 550).joins(token.reveal()).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("facts"), "{problem:?}");
    large(&world, 1_000).joins(token.reveal()).await.refused(ProblemCode::TooLarge);
    let hidden = json!({
        "facts": large(&world, 128).facts, "public_key": host.public_key(), "enrollment_token": token.reveal(),
    });
    let hidden = hidden.to_string().replace("enrollment_token", "a").replace("facts", "enrollment_token");
    let hidden = Request::builder().method(Method::POST).uri("/api/v1/agent/enroll").body(Body::from(hidden)).unwrap();
    world.nobody().sends(hidden).await.refused(ProblemCode::TooLarge);
    assert_eq!(world.app.requests.held(), 0);
}

#[tokio::test]
async fn when_bodies_have_all_the_memory_there_is_the_next_one_is_put_off() {
    let world = small().await;
    let (operator, host) = (world.operator().await, world.host("one").await);
    let job = json!({ "host_ids": [host.id()], "kind": "inspect", "if_offline": "queue" });
    let mut held = (0..4).map(|caller| world.app.requests.share(&caller.to_string())).collect::<Vec<_>>();
    for share in &mut held {
        share.grow(4 * MIB).unwrap();
    }
    let put_off = operator.post("/api/v1/jobs", &job).await;
    assert_eq!(retry_after(put_off, ProblemCode::Unavailable), 5);
    operator.get("/api/v1/jobs").await.is(200);
    drop(held);
    operator.post("/api/v1/jobs", &job).await.is(202);
    assert_eq!(world.app.requests.held(), 0);
}

#[tokio::test]
async fn strangers_who_have_all_their_memory_keep_out_nobody_with_a_credential() {
    let world = small().await;
    let operator = world.operator().await;
    let mut strangers = world.app.requests.share("");
    strangers.grow(8 * MIB).unwrap();
    let sign_in = json!({ "username": "admin", "password": World::password(), "kind": "bearer" });
    let put_off = world.nobody().post("/api/v1/session", &sign_in).await;
    assert_eq!(retry_after(put_off, ProblemCode::Unavailable), 5);
    operator.post("/api/v1/jobs", &json!({ "kind": "inspect" })).await.refused(ProblemCode::Invalid);
    drop(strangers);
    world.nobody().post("/api/v1/session", &sign_in).await.is(201);
}

#[tokio::test]
async fn a_caller_with_as_much_on_the_way_as_one_may_have_is_told_to_wait() {
    let world = small().await;
    let (operator, name) = named(&world, "operator").await;
    let mut own = world.app.requests.share(&name);
    own.grow(4 * MIB).unwrap();
    let refused = operator.post("/api/v1/jobs", &json!({ "kind": "inspect" })).await;
    assert_eq!(retry_after(refused, ProblemCode::TooManyRequests), 5);
    world.admin().await.post("/api/v1/jobs", &json!({ "kind": "inspect" })).await.refused(ProblemCode::Invalid);
}

#[tokio::test]
async fn an_answer_has_its_memory_until_it_was_read_and_there_is_a_bound_for_all() {
    let world = small().await;
    let host = world.host("one").await;
    for _ in 0..5 {
        world.job(host.id(), &run_job()).await;
    }
    let viewer = world.viewer().await;
    let mut request = json_request(Method::GET, "/api/v1/jobs", &json!({}));
    let bearer = viewer.header("authorization").unwrap();
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    let answer = world.router().oneshot(request).await.unwrap();
    let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(world.app.answers.held(), length);
    let read = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap();
    assert_eq!(world.app.answers.held(), length, "it is in memory still");
    drop(read);
    assert_eq!(world.app.answers.held(), 0);

    let mut others = (0..4).map(|caller| world.app.answers.share(&caller.to_string())).collect::<Vec<_>>();
    for share in &mut others {
        share.grow(4 * MIB).unwrap();
    }
    assert_eq!(retry_after(viewer.get("/api/v1/jobs").await, ProblemCode::Unavailable), 5);
    world.nobody().get("/api/v1/health").await.is(200);
    drop(others);
    viewer.get("/api/v1/jobs").await.is(200);
}

#[tokio::test]
async fn a_caller_reads_a_few_lists_at_a_time_and_has_to_come_again_when_too_many_wait() {
    let mut world = World::new().await;
    world.is_busy = true;
    world.fleet(1, "1.0.0").await;
    world.publishes("1.1.0").await;
    let id = world.fleet_update(&json!({ "version": "1.1.0" })).await.id;
    let (viewer, name) = named(&world, "viewer").await;
    let mut own = (0..64).map(|_| Box::pin(world.app.lists.take(&name))).collect::<Vec<_>>();
    let mut turns = Vec::new();
    for asked in &mut own {
        turns.extend(poll_immediate(asked).await);
    }
    assert_eq!(turns.len(), 2, "the others wait");
    let lists =
        ["jobs?state=failed", "hosts", "releases", "audit", "fleet-updates", &format!("fleet-updates/{id}/hosts")];
    for list in lists {
        let path = format!("/api/v1/{list}");
        assert_eq!(retry_after(viewer.get(&path).await, ProblemCode::TooManyRequests), 1, "{list}");
        world.operator().await.get(&path).await.is(200);
    }
    drop((turns, own));
    viewer.get("/api/v1/jobs").await.is(200);
    assert_eq!(world.app.lists.under_way(), 0);
}

#[tokio::test]
async fn when_too_many_lists_of_all_callers_wait_the_next_one_is_put_off() {
    let mut world = World::new().await;
    world.is_busy = true;
    let viewer = world.viewer().await;
    let callers = (0..1_024).map(|number| number.to_string()).collect::<Vec<_>>();
    let mut others = callers.iter().map(|caller| Box::pin(world.app.lists.take(caller))).collect::<Vec<_>>();
    let mut turns = Vec::new();
    for asked in &mut others {
        turns.extend(poll_immediate(asked).await);
    }
    assert_eq!(turns.len(), 4);
    assert_eq!(retry_after(viewer.get("/api/v1/jobs").await, ProblemCode::Unavailable), 5);
    drop((turns, others));
    viewer.get("/api/v1/jobs").await.is(200);
}

#[tokio::test]
async fn a_list_of_large_records_reads_no_more_at_once_than_an_answer_holds() {
    let world = World::new().await;
    let host = world.host("one").await;
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/true", "\"".repeat(65_000)] } });
    for _ in 0..40 {
        world.job(host.id(), &spec).await;
    }
    let viewer = world.viewer().await;
    for path in ["/api/v1/jobs?limit=200", "/api/v1/jobs?state=failed&limit=200"] {
        world.table.take();
        let page: Page<Value> = viewer.get(path).await.is(200).json();
        let read = world.table.take().of("query_index");
        let at_once = read.read_half_units * 4_096 / read.calls;
        assert!(at_once < 3 * MIB as u64, "{path}: {at_once} bytes at once, {} reads", read.calls);
        assert!(page.items.is_empty() || page.next_cursor.is_some(), "{path}");
    }
}

fn log_poll(caller: &Caller, job: &JobView) -> JoinHandle<Answer> {
    let (caller, path) = (caller.clone(), format!("/api/v1/jobs/{}/log?wait=60", job.id));
    tokio::spawn(async move { caller.get(&path).await })
}

#[tokio::test]
async fn who_waits_for_logs_is_held_as_often_as_one_who_looks_and_then_answered_at_once() {
    let world = World::new().await;
    let host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    let viewer = world.viewer().await;
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(log_poll(&viewer, &job));
    }
    world.clock.until_asleep(64).await;
    for _ in 0..100 {
        answered(log_poll(&viewer, &job)).await.is(200);
    }
    let path = format!("/api/v1/jobs/{}", job.id);
    let tag = viewer.get(&path).await.header("etag").to_owned();
    viewer.clone().with("if-none-match", &tag).get(&format!("{path}?wait=60")).await.is(304);
    assert!(held.iter().all(|held| !held.is_finished()) && world.app.held.len() == 64);
    let other = log_poll(&world.operator().await, &job);
    world.clock.until_asleep(65).await;
    assert!(!other.is_finished(), "another caller has places of their own");
    world.moves(60);
    for held in held.into_iter().chain([other]) {
        answered(held).await.is(200);
    }
    assert!(world.app.held.is_empty());
}

#[tokio::test]
async fn a_held_request_that_is_let_go_is_answered_as_it_stands() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    let viewer = world.viewer().await;
    let logs = [log_poll(&viewer, &job), log_poll(&viewer, &job)];
    let other = one_is_let_go(&world, logs).await;
    assert!(!other.is_finished() && !world.app.held.let_go_of_most(), "who has one keeps it");
    let polls = [host.clone().holds(280).await, host.clone().holds(280).await];
    let other = one_is_let_go(&world, polls).await;
    world.moves(280);
    answered(other).await.is(200);
}

/// One of two requests is let go as soon as both are held, and answered. The other one is given back.
async fn one_is_let_go(world: &World, held: [JoinHandle<Answer>; 2]) -> JoinHandle<Answer> {
    while !world.app.held.let_go_of_most() {
        tokio::task::yield_now().await;
    }
    let [first, second] = held;
    let (Either::Left((let_go, other)) | Either::Right((let_go, other))) = select(first, second).await;
    let_go.unwrap().is(200);
    other
}
