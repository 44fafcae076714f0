//! Floods: whoever asks too much is told to wait, and whoever does not is served at once.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::Method,
};
use futures_util::{StreamExt as _, future::join_all, stream};
use muster_domain::{budgets::Budget, pacing::Pacing};
use muster_schemas::{check_ins::CheckInRequest, problems::ProblemCode};
use muster_tests::world::{World, answered, request, run_job};
use serde_json::json;

use crate::scene::{Scene, keeps_the_secret};

const CHECK_IN: &str = "/api/v1/agent/check-in";

/// A world in which a host may ask ten times at once and once a second.
async fn thrifty() -> Scene {
    let host_budget = Budget { burst: 10, per_second: 1 };
    let mut scene = Scene::new().await;
    scene.world = scene.world.paced(Pacing { host_budget, ..Pacing::default() });
    scene.victim.talks_to(&scene.world);
    scene.hostile.talks_to(&scene.world);
    scene
}

#[tokio::test]
async fn no_host_holds_more_polls_than_three_and_each_held_one_ends() {
    let mut scene = Scene::new().await;
    let caller = scene.hostile.caller().await;
    let request = CheckInRequest { wait_seconds: u16::MAX, ..scene.hostile.check_in_request() };
    let mut held = Vec::new();
    for _ in 0..3 {
        let (caller, request) = (caller.clone(), request.clone());
        held.push(tokio::spawn(async move { caller.post(CHECK_IN, &request).await }));
    }
    scene.world.clock.until_asleep(3).await;
    for _ in 0..100 {
        let answer = tokio::time::timeout(Duration::from_secs(10), caller.post(CHECK_IN, &request)).await;
        answer.expect("it is not held as well").is(200);
        assert!(scene.world.app.polls.waiting(scene.hostile.id()) <= 3);
    }
    scene.world.moves(i64::from(Pacing::default().max_hold_seconds));
    for held in held {
        answered(held).await.is(200);
    }
    assert!(scene.world.app.polls.is_empty());
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_flood_is_told_to_wait_while_another_host_is_served_at_once() {
    let mut scene = thrifty().await;
    scene.world.moves(60);
    let mut served = 0;
    for _ in 0..500 {
        let check_in = scene.check_in();
        let answer = scene.posts(CHECK_IN, &check_in).await;
        served += u32::from(answer.status == 200);
        if answer.status != 200 {
            assert_eq!(answer.header("retry-after"), "1");
            answer.refused(ProblemCode::TooManyRequests);
        }
    }
    assert_eq!(served, 10);
    scene.victim.caller().await.get("/api/v1/agent/blobs/x").await.refused(ProblemCode::NotFound);
    scene.world.moves(60);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn each_route_of_a_host_spends_the_same_budget() {
    let mut scene = thrifty().await;
    let job = scene.own_job().await;
    scene.world.moves(60);
    let caller = scene.hostile.caller().await;
    let nothing = json!({});
    let spent = join_all((0..12).map(|_| caller.post(CHECK_IN, &nothing))).await;
    assert!(spent.iter().any(|answer| answer.status == 429));
    for path in [CHECK_IN, "/api/v1/agent/session", &format!("/api/v1/agent/jobs/{job}/events")] {
        caller.post(path, &json!({})).await.refused(ProblemCode::TooManyRequests);
    }
    for path in ["/api/v1/agent/blobs/x", "/api/v1/agent/releases/1.1.0/manifest"] {
        caller.get(path).await.refused(ProblemCode::TooManyRequests);
    }
    scene.world.moves(60);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_host_that_asks_for_tokens_without_end_is_told_to_wait_and_spends_nobody_elses_budget() {
    let scene = thrifty().await;
    scene.world.moves(60);
    let (own, theirs) = (scene.hostile.assertion(), scene.victim.assertion());
    let forged = format!("{}x", &theirs[..theirs.len() - 1]);
    let mut told = Vec::new();
    for _ in 0..40 {
        told.push(scene.hostile.asks_for_token(&own).await.status);
        scene.hostile.asks_for_token(&forged).await.refused(ProblemCode::Unauthorized);
    }
    assert_eq!(told.iter().filter(|status| **status == 200).count(), 10, "{told:?}");
    scene.hostile.asks_for_token(&own).await.refused(ProblemCode::TooManyRequests);
    scene.victim.asks_for_token(&theirs).await.is(200);
    scene.world.moves(60);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn what_is_asked_at_once_by_many_callers_of_one_host_is_still_one_budget() {
    let scene = thrifty().await;
    scene.world.moves(60);
    let mut callers = Vec::new();
    for _ in 0..5 {
        scene.world.moves(1);
        let token = scene.hostile.asks_for_token(&scene.hostile.assertion()).await.is(200).value();
        callers.push(scene.world.nobody().bearing(token["access_token"].as_str().unwrap()));
    }
    let check_in = scene.check_in();
    let asked = callers.iter().flat_map(|caller| (0..10).map(|_| caller.post(CHECK_IN, &check_in)));
    let answers = join_all(asked).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(served <= 10, "{served} at once");
    scene.world.moves(60);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_read_as_far_as_the_limit_and_not_at_all_without_a_credential() {
    let mut scene = Scene::new().await;
    let piece = Bytes::from(vec![b' '; 64 * 1024]);
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let huge = || {
        let (piece, taken) = (piece.clone(), taken.clone());
        let pieces = stream::iter(0..1_600).map(move |_| {
            taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, Infallible>(piece.clone())
        });
        Body::from_stream(pieces)
    };
    let send = async |path: &str, caller: Option<String>| {
        let mut request = request(Method::POST, path);
        if let Some(bearer) = caller {
            request = request.header("authorization", bearer);
        }
        let answer = tower::ServiceExt::oneshot(scene.world.router(), request.body(huge()).unwrap()).await.unwrap();
        answer.status().as_u16()
    };
    let own = scene.hostile.caller().await.header("authorization");
    for (path, bearer, status, most) in [
        (CHECK_IN, own.clone(), 413, 17),
        ("/api/v1/agent/session", own, 413, 17),
        (CHECK_IN, None, 401, 0),
        ("/api/v1/agent/enroll", None, 413, 17),
        ("/api/v1/session", None, 413, 17),
        ("/oauth/token", None, 413, 1),
        ("/nowhere", None, 404, 0),
    ] {
        taken.store(0, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(send(path, bearer).await, status, "{path}");
        let pieces = taken.load(std::sync::atomic::Ordering::Relaxed);
        assert!(pieces <= most, "{path}: {pieces} pieces were read");
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let mut scene = Scene::new().await;
    let bearer = scene.hostile.caller().await.header("authorization").unwrap();
    for path in [CHECK_IN, "/api/v1/agent/session", "/api/v1/agent/enroll", "/api/v1/session", "/oauth/token"] {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
        let body = Body::from_stream(first.chain(stream::pending()));
        let request = request(Method::POST, path).header("authorization", &bearer).body(body).unwrap();
        let router = scene.world.router();
        let held =
            tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status().as_u16() });
        let asleep = tokio::time::timeout(Duration::from_secs(10), scene.world.clock.until_asleep(1)).await;
        assert!(asleep.is_ok(), "{path}: nobody looks at the clock");
        scene.world.moves(30);
        let status = tokio::time::timeout(Duration::from_secs(10), held).await.expect("it is given up").unwrap();
        assert_eq!(status, 400, "{path}");
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let mut scene = Scene::new().await;
    // Ten gigabytes of zeros would be as short: what counts is that nobody looks.
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip, gzip", "identity", "x"] {
        let request = request(Method::POST, CHECK_IN).header("content-encoding", encoding);
        let request = request.header("content-type", "application/json").body(Body::from(gzip.to_vec())).unwrap();
        keeps_the_secret(scene.hostile.caller().await.sends(request).await).refused(ProblemCode::Malformed);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn guessing_tokens_or_names_leaves_nothing_in_memory_and_keeps_no_host_waiting() {
    let scene = Scene::new().await;
    let world: &World = &scene.world;
    for number in 0..500 {
        let caller = world.nobody().bearing(&format!("guess.{number}.x"));
        caller.post(CHECK_IN, &json!({})).await.refused(ProblemCode::Unauthorized);
        let key = world.nobody().bearing(&format!("mst_{number:026}guess"));
        key.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    }
    assert!(world.app.polls.is_empty());
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_again_and_again_leaves_no_poll_behind() {
    let mut scene = Scene::new().await;
    let request = CheckInRequest { wait_seconds: 280, ..scene.hostile.check_in_request() };
    let caller = scene.hostile.caller().await;
    for _ in 0..100 {
        let (caller, request) = (caller.clone(), request.clone());
        let held = tokio::spawn(async move { caller.post(CHECK_IN, &request).await });
        scene.world.clock.until_asleep(1).await;
        held.abort();
        assert!(held.await.unwrap_err().is_cancelled());
    }
    assert!(scene.world.app.polls.is_empty());
    let job = scene.world.job(scene.hostile.id(), &run_job()).await.id;
    scene.hostile.runs(job).await.is(200);
    scene.stays_unharmed().await;
}
