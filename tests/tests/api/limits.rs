//! Whatever is sent, it is within bounds or refused with a reason, and so is every answer: what a record, a key and an answer
//! may hold is the same on every store and in every body.

use axum::body::Body;
use muster_schemas::{
    fleet_updates::FleetUpdateState,
    jobs::{JobState, JobView},
    pages::Page,
    problems::ProblemCode,
};
use muster_server::api::{bodies::Arriving, known::Known};
use muster_tests::world::{Caller, Release, World, output, run_job, signed, started};
use serde_json::{Value, json};

/// The most that an answer of a function may have, escaped once more and in an envelope.
const MAX_ANSWER_BYTES: usize = 3 * 1024 * 1024;

#[tokio::test]
async fn names_that_are_too_long_for_a_key_name_nothing() {
    let world = World::new().await;
    world.host("one").await;
    world.publishes("1.1.0").await;
    let (admin, long) = (world.admin().await, "x".repeat(3_000));
    let sign_in = json!({ "username": long, "password": "x" });
    world.nobody().post("/api/v1/session", &sign_in).await.refused(ProblemCode::Unauthorized);
    admin.get(&format!("/api/v1/releases/{long}")).await.refused(ProblemCode::NotFound);
    admin.post("/api/v1/fleet-updates", &json!({ "version": long })).await.refused(ProblemCode::Invalid);
}

#[tokio::test]
async fn a_cursor_that_no_list_gave_is_refused() {
    let world = World::new().await;
    world.fleet(1, "1.0.0").await;
    world.publishes("1.1.0").await;
    let id = world.fleet_update(&json!({ "version": "1.1.0" })).await.id;
    let (admin, long) = (world.admin().await, "x".repeat(1_500));
    let hosts = format!("fleet-updates/{id}/hosts");
    for list in
        ["hosts", "jobs", "releases", "fleet-updates", "users", "api-keys", "enrollment-tokens", "audit", &hosts]
    {
        for cursor in ["", &long] {
            let problem = admin.get(&format!("/api/v1/{list}?cursor={cursor}")).await.refused(ProblemCode::Invalid);
            assert_eq!(problem.field.as_deref(), Some("cursor"), "{list}");
        }
    }
}

#[tokio::test]
async fn what_is_too_large_for_a_record_is_refused_by_name() {
    let world = World::new().await;
    let host = world.fleet(1, "1.0.0").await.remove(0);
    world.publishes("1.1.0").await;
    let (admin, large) = (world.admin().await, "x".repeat(500_000));
    let controls = "\u{1}".repeat(40_000);
    let job = json!({ "host_ids": [host.id()], "kind": "run", "spec": { "argv": ["/bin/echo", controls] } });
    let update = json!({ "version": "1.1.0", "selector": { "labels": { "site": large } } });
    let to_host = format!("/api/v1/hosts/{}", host.id());
    for (path, body, field) in [
        ("/api/v1/jobs", &job, "spec"),
        ("/api/v1/fleet-updates", &update, "labels.site"),
        (&format!("{to_host}/readmit"), &json!({ "reason": large }), "reason"),
    ] {
        let problem = admin.post(path, body).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field));
    }
    let reason = "x".repeat(1_025);
    let problem = admin.delete(&format!("{to_host}?reason={reason}")).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("reason"));
    let mut manifest = Release::sign(&world, "1.2.0").manifest;
    manifest.revoked = vec!["1.0.0".into(); 20_000];
    admin.post("/api/v1/releases", &signed(&manifest)).await.refused(ProblemCode::TooLarge);
}

#[tokio::test]
async fn a_page_ends_where_its_answer_is_full_and_the_next_one_goes_on() {
    let world = World::new().await;
    let host = world.host("one").await;
    for _ in 0..30 {
        world.job(host.id(), &large_job()).await;
    }
    let viewer = world.viewer().await;
    let (mut found, mut pages, mut more) = (std::collections::BTreeSet::new(), 0, String::new());
    loop {
        let page: Page<JobView> = bounded(&viewer, &format!("/api/v1/jobs?limit=200{more}")).await;
        found.extend(page.items.iter().map(|job| job.id));
        pages += 1;
        let Some(cursor) = page.next_cursor else { break };
        assert!(!page.items.is_empty(), "a full page has something in it");
        more = format!("&cursor={cursor}");
    }
    assert_eq!((found.len(), pages), (30, 2));
}

#[tokio::test]
async fn a_host_is_offered_as_much_as_fits_into_an_answer_and_the_rest_with_the_next() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    for _ in 0..15 {
        world.job(host.id(), &large_job()).await;
    }
    let first = host.check_in().await;
    assert!((1..15).contains(&first.jobs.len()), "{} jobs at once", first.jobs.len());
    assert!(serde_json::to_vec(&first).unwrap().len() <= MAX_ANSWER_BYTES);
    let mut offered = first.jobs;
    while let Some(job) = offered.pop() {
        host.runs(job.id).await;
        if offered.is_empty() {
            offered = host.check_in().await.jobs;
        }
    }
    let ended = world.all::<muster_domain::jobs::Job>("jobs").await.into_iter().filter(|job| job.state.is_final());
    assert_eq!(ended.count(), 15);
}

#[tokio::test]
async fn an_answer_with_a_log_is_bounded_whatever_the_host_has_written() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let mut spec = run_job();
    spec["spec"]["output_limit_bytes"] = json!(4 * 1024 * 1024);
    let job = world.job(host.id(), &spec).await.id;
    host.check_in().await;
    host.accepts(job).await;
    host.tells(job, vec![started()]).await.is(200);
    let piece = "\u{1}".repeat(60_000);
    for _ in 0..20 {
        host.tells(job, vec![output(&piece)]).await.is(200);
    }
    let viewer = world.viewer().await;
    let answer = viewer.get(&format!("/api/v1/jobs/{job}/log")).await.is(200);
    let escaped = serde_json::to_vec(&answer.text()).unwrap().len();
    assert!(escaped <= MAX_ANSWER_BYTES + 2, "{escaped} bytes as a function sends them");
    assert_eq!(answer.header("muster-log-next"), (512 * 1024).to_string());
}

#[tokio::test]
async fn a_key_may_be_used_anew_when_its_day_is_over_although_the_store_still_has_it() {
    let world = World::new().await;
    let host = world.host("one").await;
    let operator = world.operator().await.with("idempotency-key", "nightly");
    let body = |note: &str| json!({ "host_ids": [host.id()], "if_offline": "queue", "kind": "run", "spec": { "argv": ["/bin/echo", note] } });
    operator.post("/api/v1/jobs", &body("one")).await.is(202);
    operator.post("/api/v1/jobs", &body("two")).await.refused(ProblemCode::IdempotencyKeyReused);
    world.moves(86_400);
    let operator = world.operator().await.with("idempotency-key", "nightly");
    operator.post("/api/v1/jobs", &body("two")).await.is(202);
    operator.post("/api/v1/jobs", &body("two")).await.is(202);
    let jobs = world.all::<muster_domain::jobs::Job>("jobs").await;
    assert_eq!(jobs.iter().filter(|job| job.state == JobState::Queued).count(), 2);
}

#[tokio::test]
async fn a_name_that_is_tried_too_often_has_to_wait_and_the_right_password_ends_it() {
    let world = World::new().await;
    let nobody = world.nobody();
    let tries = async |password: &str| {
        nobody.post("/api/v1/session", &json!({ "username": "nina", "password": password })).await.status
    };
    let password = "a password of nina's own";
    let user = json!({ "username": "nina", "password": password, "role": "viewer" });
    world.admin().await.post("/api/v1/users", &user).await.is(201);
    let at_once = futures_util::future::join_all((0..14).map(|_| tries("wrong"))).await;
    let mut looked_at = at_once.iter().filter(|status| **status == 401).count();
    while tries("wrong").await == 401 {
        looked_at += 1;
    }
    assert_eq!(looked_at, 10, "{at_once:?}");
    assert_eq!(tries(password).await, 429, "whoever guesses right too soon does not learn it");
    world.viewer().await.get("/api/v1/session").await.is(200);
    world.moves(1);
    assert_eq!(tries("wrong").await, 401);
    world.moves(1);
    assert_eq!(tries(password).await, 429, "the wait doubles");
    world.moves(1);
    assert_eq!(tries(password).await, 201);
    assert_eq!(tries("wrong").await, 401, "and is over");
}

#[tokio::test]
async fn a_tick_ends_in_time_on_a_slow_store_and_the_next_one_goes_on() {
    let world = World::new().await;
    let host = world.host("one").await;
    for _ in 0..40 {
        world.job(host.id(), &run_job()).await;
    }
    world.moves(3_600);
    let left = async || {
        let jobs = world.all::<muster_domain::jobs::Job>("jobs").await.into_iter();
        jobs.filter(|job| !job.state.is_final()).count()
    };
    world.is_slow(true);
    let began = world.now();
    world.tick().await;
    let took = world.now().duration_since(began).as_secs();
    world.is_slow(false);
    assert!((15..29).contains(&took), "{took} s");
    assert!((1..40).contains(&left().await), "{} left", left().await);
    world.tick().await;
    assert_eq!(left().await, 0);
}

#[tokio::test]
async fn a_request_ends_in_time_on_a_slow_store_however_large_the_fleet_it_plans_for() {
    let world = World::new().await;
    let like = world.fleet(1, "1.0.0").await.remove(0);
    world.publishes("1.1.0").await;
    world.plants(&like, 599, |_| true).await;
    let admin = world.admin().await;
    let began = world.now();
    // Reads before a write are the meter's own, so a step of the plan takes long here.
    world.is_slow(true);
    let body = json!({ "version": "1.1.0" });
    let seen: muster_schemas::fleet_updates::FleetUpdateView =
        admin.post("/api/v1/fleet-updates", &body).await.is(201).json();
    world.is_slow(false);
    let took = world.now().duration_since(began).as_secs();
    assert_eq!(seen.state, FleetUpdateState::Planning, "{took} s");
    assert!(seen.waiting_on.unwrap().contains("hosts so far"));
    world.tick().await;
    let seen = world.sees_fleet_update(seen.id).await;
    assert_eq!((seen.state, seen.counts.total), (FleetUpdateState::Running, 600));
}

fn large_job() -> Value {
    json!({ "kind": "run", "spec": { "argv": ["/bin/sh", "-c", "x".repeat(64_000)],
        "environment": { "LARGE": "y".repeat(64_000) } } })
}

async fn bounded<T: serde::de::DeserializeOwned>(caller: &Caller, path: &str) -> T {
    let answer = caller.get(path).await.is(200);
    assert!(answer.text().len() <= MAX_ANSWER_BYTES, "{path}: {} bytes", answer.text().len());
    answer.json()
}

#[tokio::test]
async fn a_body_may_take_longer_by_what_has_come_of_it_so_that_much_output_arrives_over_a_slow_line() {
    for (seconds, comes_in_time) in [(349, true), (350, false)] {
        let world = World::new().await;
        let (send, receive) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
        let pieces = futures_util::stream::unfold(receive, async |mut receive| {
            receive.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), receive))
        });
        send.send(vec![b'x'; 40 * 1024]).unwrap();
        let (app, known) = (world.app.clone(), Known::default());
        known.becomes("host:one".into());
        let read = tokio::spawn(async move {
            Arriving::new(&app, Body::from_stream(pieces), &known).whole(1024 * 1024).await.map(drop)
        });
        world.clock.until_asleep(1).await;
        world.moves(seconds);
        // The end of it comes, or never does.
        let _silent = (!comes_in_time).then_some(send);
        assert_eq!(read.await.unwrap().is_ok(), comes_in_time, "{seconds} s");
    }
}
