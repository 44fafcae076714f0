//! Storage: what a host can make the server keep is bounded by what operators asked of it, and not by how often it speaks.

use muster_schemas::jobs::Outcome;
use muster_tests::world::{finished, result, run_job};
use serde_json::json;

use crate::scene::{Scene, everything, size};

const CHECK_IN: &str = "/api/v1/agent/check-in";
const SESSION: &str = "/api/v1/agent/session";

#[tokio::test]
async fn four_hundred_sessions_and_reports_leave_as_many_records_as_one() {
    let mut scene = Scene::new().await;
    scene.hostile.restarts().await.is(200);
    let (records, bytes) = size(&scene.world).await;
    let mut session = scene.session();
    for number in 0..400 {
        session["agent"]["process_id"] = json!(scene.world.process());
        session["facts"]["kernel"] = json!(number.to_string());
        scene.posts(SESSION, &session).await.is(200);
        if number % 100 == 99 {
            scene.world.moves(10);
        }
    }
    let (now, grown) = size(&scene.world).await;
    assert_eq!(now, records);
    assert!(grown < bytes + 1_000, "{} bytes more", grown - bytes);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn refused_requests_leave_nothing_at_all() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let before = everything(&scene.world).await;
    let paths =
        [CHECK_IN, SESSION, "/api/v1/agent/enroll", "/oauth/token", "/api/v1/jobs", "/api/v1/hosts", "/nowhere"];
    let own = format!("/api/v1/agent/jobs/{job}/events");
    let others = format!("/api/v1/agent/jobs/{}/events", scene.open);
    for _ in 0..5 {
        for path in paths.into_iter().chain([own.as_str(), others.as_str()]) {
            for text in ["", "{", "[]", "{}", "{\"session\":99}", "\u{0}", "{\"session\":1,\"facts\":1}"] {
                let answer = scene.posts_text(path, text).await;
                assert!(answer.status >= 400, "{path} {text}: {}", answer.status);
            }
        }
    }
    assert_eq!(everything(&scene.world).await, before);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_record_with_the_largest_of_every_report_is_kept_and_grows_no_further() {
    let mut scene = Scene::new().await;
    let full = "\u{1}".repeat(128);
    let failure = json!({ "at": scene.world.now(), "kind": "name", "reason": "\u{1}".repeat(1_024) });
    let mut session = scene.session();
    session["facts"] = json!({ "hostname": "x".repeat(64 * 1024 - 400) });
    session["upstreams"] = json!(vec![json!({ "name": full, "breaker": "open", "last_failure": failure }); 8]);
    session["agent"]["version"] = json!(full);
    session["agent"]["boot_id"] = json!(full);
    session["agent"]["executable_sha256"] = json!("f".repeat(64));
    session["agent"]["last_update"] = json!({ "transaction": "job_01ARZ3NDEKTSV4RRFFQ69G5FAV", "to": full,
        "outcome": "rolled_back", "reason": "\u{1}".repeat(8 * 1024), "tries": u32::MAX });
    let mut sizes = Vec::new();
    for _ in 0..20 {
        session["agent"]["process_id"] = json!(scene.world.process());
        scene.posts(SESSION, &session).await.is(200);
        sizes.push(size(&scene.world).await);
    }
    assert_eq!(sizes[19].0, sizes[0].0);
    assert!(sizes[19].1 < sizes[9].1 + 200, "{sizes:?}");
    scene.world.sees_host(scene.hostile.id()).await;
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_host_with_as_many_open_jobs_as_there_may_be_takes_nothing_from_the_others() {
    let mut scene = Scene::new().await;
    for _ in 0..80 {
        scene.world.job(scene.hostile.id(), &run_job()).await;
    }
    let body = json!({ "host_ids": [scene.hostile.id()], "if_offline": "queue", "kind": "inspect" });
    let operator = scene.world.operator().await;
    operator.post("/api/v1/jobs", &body).await.refused(muster_schemas::problems::ProblemCode::TooManyRequests);
    for _ in 0..20 {
        scene.hostile.check_in().await;
    }
    let offered = scene.hostile.received.iter().map(|command| command.id).collect::<std::collections::BTreeSet<_>>();
    for job in &offered {
        let done = result(Outcome::Rejected, scene.world.now());
        scene.hostile.tells(*job, vec![finished(done)]).await.is(200);
    }
    assert!(!offered.is_empty());
    operator.post("/api/v1/jobs", &body).await.is(202);
    scene.stays_unharmed().await;
}
