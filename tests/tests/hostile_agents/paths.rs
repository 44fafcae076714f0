//! Names in paths: they name a thing of their kind, or nothing; never a file, never another route, never another host's.

use axum::{body::Body, http::Method};
use muster_schemas::problems::ProblemCode;
use muster_tests::world::request;

use crate::scene::{Scene, keeps_the_secret};

#[tokio::test]
async fn no_name_of_a_file_or_a_release_leads_out_of_where_they_are_kept() {
    let mut scene = Scene::new().await;
    let release = scene.world.publishes("1.1.0").await;
    let digest = release.sha256();
    let names = [
        "..%2f..%2f..%2f..%2fetc%2fpasswd".to_owned(),
        "%2e%2e%2f%2e%2e%2fmuster.sqlite".into(),
        "..%5c..%5cmuster.sqlite".into(),
        "%2fetc%2fpasswd".into(),
        ".".into(),
        "..".into(),
        "%2e".into(),
        "%00".into(),
        format!("{digest}%00"),
        format!("{digest}%2f..%2f{digest}"),
        format!("{}%2f", &digest[..2]),
        digest[..63].to_owned(),
        format!("{digest}0"),
        digest.to_uppercase(),
        "0".repeat(64),
        "é".repeat(32),
        "%ff%fe".into(),
        "x".repeat(4_000),
        "muster.sqlite".into(),
        "file%3A%2F%2F%2Fetc%2Fpasswd".into(),
        "https%3A%2F%2Fevil.test".into(),
    ];
    for name in names {
        for path in [
            format!("/api/v1/agent/blobs/{name}"),
            format!("/api/v1/agent/blobs/{name}?through_server=true"),
            format!("/api/v1/agent/releases/{name}/manifest"),
        ] {
            let Ok(request) = request(Method::GET, &path).body(Body::empty()) else { continue };
            let answer = keeps_the_secret(scene.hostile.caller().await.sends(request).await);
            assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        }
    }
    scene.gets(&format!("/api/v1/agent/blobs/{digest}?through_server=true")).await.is(200);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_range_beyond_a_file_or_out_of_this_world_is_no_fault() {
    let mut scene = Scene::new().await;
    let release = scene.world.publishes("1.1.0").await;
    let path = format!("/api/v1/agent/blobs/{}?through_server=true", release.sha256());
    let size = release.bytes.len();
    for range in [
        format!("bytes={size}-"),
        format!("bytes={}-", size + 1),
        format!("bytes={}-", u64::MAX),
        "bytes=99999999999999999999-".into(),
        "bytes=-1".into(),
        "bytes=--1-".into(),
        "bytes=5-1".into(),
        "bytes=0-0,1-1,2-2".into(),
        "bytes=0-".repeat(5_000),
        "lines=0-".into(),
        "bytes=0x10-".into(),
    ] {
        let caller = scene.hostile.caller().await.with("range", &range);
        let answer = caller.get(&path).await;
        assert!(matches!(answer.status, 200 | 206 | 404 | 416), "{range}: {}", answer.status);
        assert!(answer.body.len() <= size || answer.status >= 400);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_path_that_is_nearly_another_route_is_none() {
    let mut scene = Scene::new().await;
    let (victim, open) = (scene.victim.id(), scene.open);
    for path in [
        format!("/api/v1/hosts/{victim}"),
        format!("//api/v1/hosts/{victim}"),
        format!("/api/v1/agent/../hosts/{victim}"),
        format!("/api/v1/agent/%2e%2e/hosts/{victim}"),
        format!("/api/v1/agent/jobs/{open}/events/../../../../jobs/{open}"),
        format!("/api/v1/jobs/{open}/log"),
        format!("/api/v1/jobs/{open}/log;x=y"),
        format!("/API/V1/jobs/{open}"),
        format!("/api/v1/jobs/{open}/"),
        format!("/api/v1/agent/jobs/{open}"),
        format!("/api/v1/agent/hosts/{victim}/facts"),
        "/api/v1/agent/session/".into(),
        "/api/v1/audit?subject=x".into(),
        "/api/v1/enrollment-tokens".into(),
        "/metrics".into(),
        "/.env".into(),
        "/debug/pprof".into(),
    ] {
        for method in
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE]
        {
            let request = request(method, &path).body(Body::from("{}")).unwrap();
            let answer = keeps_the_secret(scene.hostile.caller().await.sends(request).await);
            let code = answer.problem().code;
            let told = [ProblemCode::Unauthorized, ProblemCode::NotFound, ProblemCode::MethodNotAllowed];
            assert!(told.contains(&code), "{path}: {code}");
        }
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn parameters_that_nobody_asked_for_change_nothing_and_leave_nothing() {
    let mut scene = Scene::new().await;
    let mut check_in = scene.check_in();
    check_in["wait_seconds"] = serde_json::json!(0);
    for number in 0..200 {
        let long = "x".repeat(number * 20);
        let path = format!("/api/v1/agent/check-in?a{number}={long}&session=9&host_id={}&%00=%ff", scene.victim.id());
        scene.posts(&path, &check_in).await.is(200);
    }
    assert!(scene.world.app.polls.is_empty());
    scene.stays_unharmed().await;
}
