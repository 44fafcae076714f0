//! Jobs: a host speaks for its own, once, and what it said first stands.

use muster_schemas::{
    commands::{EventKind, EventsResponse},
    ids::JobId,
    jobs::{JobError, JobResult, JobState, Outcome},
    problems::{Problem, ProblemCode},
};
use muster_tests::world::{Answer, accepted, finished, output, result, started};
use serde_json::{Value, json};

use crate::scene::{Scene, keeps_the_secret, size};

fn events(job: JobId) -> String {
    format!("/api/v1/agent/jobs/{job}/events")
}

impl Scene {
    /// The hostile host tells this event of a job, in these very words.
    async fn tells_of(&mut self, job: JobId, event: Value) -> Answer {
        let body = json!({ "session": self.hostile.session, "process_id": self.hostile.agent.process_id,
            "events": [event] });
        self.posts(&events(job), &body).await
    }

    fn ends(&self, outcome: &str) -> Value {
        json!({ "sequence": 1, "at": self.world.now(), "type": "finished",
            "result": { "outcome": outcome, "finished_at": self.world.now() } })
    }
}

/// What is told of a thing by a problem, whatever it is called.
fn without_names(problem: Problem, name: &str) -> Problem {
    let text = serde_json::to_string(&Problem { instance: None, ..problem }).unwrap();
    serde_json::from_str(&text.replace(name, "ID")).unwrap()
}

#[tokio::test]
async fn nothing_that_is_told_of_another_hosts_job_reaches_it() {
    let mut scene = Scene::new().await;
    let now = scene.world.now();
    let kinds = || {
        let mut kinds = vec![accepted(), EventKind::Starting, started(), output("hostile")];
        let outcomes =
            [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled, Outcome::Interrupted, Outcome::Rejected];
        kinds.extend(outcomes.map(|outcome| finished(result(outcome, now))));
        kinds
    };
    for job in scene.victims_jobs() {
        for kind in kinds() {
            for sequence in [1, 2, 1_000, 1 << 60] {
                let answer = scene.hostile.tells_from(job, sequence, vec![kind.clone()]).await;
                keeps_the_secret(answer).refused(ProblemCode::NotFound);
            }
        }
        let everything = scene.hostile.tells_from(job, 1, kinds()).await;
        keeps_the_secret(everything).refused(ProblemCode::NotFound);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn whether_another_hosts_job_exists_is_not_told() {
    let mut scene = Scene::new().await;
    let nobodys = JobId::new(scene.world.now(), 12_345);
    for event in
        [json!({}), scene.ends("succeeded"), json!({ "sequence": 1, "at": scene.world.now(), "type": "accepted" })]
    {
        for session in [scene.hostile.session, 0, 99] {
            let mut told = Vec::new();
            for job in scene.victims_jobs().into_iter().chain([nobodys]) {
                let events = if event == json!({}) { vec![] } else { vec![event.clone()] };
                let body = json!({ "session": session, "process_id": scene.victim.agent.process_id, "events": events });
                let answer = scene.posts(&self::events(job), &body).await;
                let headers = answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
                told.push((without_names(answer.refused(ProblemCode::NotFound), &job.to_string()), headers));
            }
            assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
        }
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_cancel_of_another_hosts_job_is_acknowledged_by_nobody_else() {
    let mut scene = Scene::new().await;
    let job = scene.world.job(scene.victim.id(), &muster_tests::world::run_job()).await.id;
    scene.victim.check_in().await;
    scene.victim.accepts(job).await.is(200);
    scene.world.operator().await.post(&format!("/api/v1/jobs/{job}/cancel"), &json!({})).await.is(200);
    scene
        .tells_of(
            job,
            json!({ "sequence": 1, "at": scene.world.now(), "type": "finished",
        "result": { "outcome": "cancelled", "finished_at": scene.world.now() } }),
        )
        .await
        .refused(ProblemCode::NotFound);
    let seen = scene.world.sees_job(job).await;
    assert_eq!((seen.state, seen.cancel_requested), (JobState::Accepted, true));
    assert_eq!(scene.victim.check_in().await.cancel, [job]);
    scene.victim.finishes(job, result(Outcome::Cancelled, scene.world.now())).await.is(200);
    assert_eq!(scene.world.sees_job(job).await.state, JobState::Cancelled);
}

#[tokio::test]
async fn jobs_that_never_were_and_things_that_are_no_jobs_are_found_by_nobody() {
    let mut scene = Scene::new().await;
    let own = scene.own_job().await.to_string();
    let ids = [
        JobId::new(scene.world.now(), 1).to_string(),
        JobId::new(jiff::Timestamp::MAX, u128::MAX).to_string(),
        scene.hostile.id().to_string(),
        scene.victim.id().to_string(),
        own.to_lowercase(),
        own.replace("job_", "JOB_"),
        format!("{own}0"),
        own[..own.len() - 1].to_owned(),
        format!("{own}%00"),
        format!("{own}%20"),
        format!("..%2f{own}"),
        format!("{own}%2f..%2f{}", scene.open),
        "job_".into(),
        "%20".into(),
        "*".into(),
        "job_".repeat(1_000),
    ];
    for id in ids {
        let body =
            json!({ "session": scene.hostile.session, "process_id": scene.hostile.agent.process_id, "events": [] });
        scene.posts(&format!("/api/v1/agent/jobs/{id}/events"), &body).await.refused(ProblemCode::NotFound);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn of_contradicting_results_the_first_stands_and_one_alert_tells_of_the_others() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let now = scene.world.now();
    scene.hostile.tells(job, vec![accepted(), started(), finished(result(Outcome::Succeeded, now))]).await.is(200);
    let stood = scene.world.sees_job(job).await;
    let (records, _) = size(&scene.world).await;
    for code in 0..300 {
        let other = JobResult { exit_code: Some(code), ..result(Outcome::Failed, now) };
        scene.hostile.tells(job, vec![finished(other)]).await.refused(ProblemCode::ResultConflict);
        scene.world.moves(1);
    }
    let seen = scene.world.sees_job(job).await;
    assert_eq!((seen.state, seen.result, seen.ended_at), (stood.state, stood.result, stood.ended_at));
    let alerts = scene.world.alerts().await.into_iter().map(|entry| entry.action).collect::<Vec<_>>();
    assert_eq!(alerts, ["job.result_conflict"], "one for the job, however often it is said");
    assert!(
        size(&scene.world).await.0 <= records + 1,
        "300 refused requests left {} records",
        size(&scene.world).await.0 - records
    );
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_result_before_its_start_and_a_start_after_its_result_end_the_job_once() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let done = finished(result(Outcome::Failed, scene.world.now()));
    scene.hostile.tells(job, vec![done.clone(), started(), accepted(), EventKind::Starting, output("x")]).await.is(200);
    let ended = scene.world.sees_job(job).await;
    assert_eq!((ended.state, ended.started_at, ended.log_bytes), (JobState::Failed, None, 0));
    for _ in 0..5 {
        scene.hostile.tells(job, vec![EventKind::Starting, started(), done.clone()]).await.is(200);
    }
    let seen = scene.world.sees_job(job).await;
    assert_eq!((seen.state, seen.ended_at, seen.result), (ended.state, ended.ended_at, ended.result));
    assert_eq!(scene.hostile.check_in().await.jobs, []);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn success_and_failure_in_one_breath_are_refused_as_a_whole() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let now = scene.world.now();
    let both = vec![output("kept?"), finished(result(Outcome::Succeeded, now)), finished(result(Outcome::Failed, now))];
    scene.hostile.tells(job, both).await.refused(ProblemCode::ResultConflict);
    let seen = scene.world.sees_job(job).await;
    assert_eq!((seen.state, seen.log_bytes, seen.result), (JobState::Offered, 0, None));
    scene.hostile.tells(job, vec![finished(result(Outcome::Failed, now))]).await.is(200);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn numbers_of_events_may_be_anything_and_disturb_that_job_alone() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    for sequence in [json!(-1), json!("1"), json!(1.5), json!(null), json!(1e30), json!([1])] {
        let event = json!({ "sequence": sequence, "at": scene.world.now(), "type": "accepted" });
        scene.tells_of(job, event).await.refused(ProblemCode::Invalid);
    }
    for (sequence, through) in [(0, 0), (5, 5), (3, 5), (5, 5), (1 << 60, 1 << 60), (u64::MAX, u64::MAX), (1, u64::MAX)]
    {
        let event = json!({ "sequence": sequence, "at": scene.world.now(), "type": "output", "text": "x" });
        let told: EventsResponse = scene.tells_of(job, event).await.is(200).json();
        assert_eq!(told.accepted_through, through);
    }
    assert_eq!(scene.world.sees_job(job).await.log_bytes, 3, "5, 2^60 and the last");
    let next = scene.own_job().await;
    scene.hostile.runs(next).await.is(200);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn more_events_than_a_request_holds_are_refused_before_any_is_stored() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    scene.hostile.tells(job, vec![output("x"); 81]).await.refused(ProblemCode::Invalid);
    scene.hostile.tells(job, vec![]).await.is(200);
    assert_eq!(scene.world.sees_job(job).await.log_bytes, 0);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_job_that_two_processes_are_told_to_start_is_interrupted_once() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    for _ in 0..10 {
        scene.hostile.agent.process_id = scene.world.process();
        scene.hostile.tells_from(job, 1, vec![EventKind::Starting]).await.is(200);
    }
    let seen = scene.world.sees_job(job).await;
    assert_eq!(seen.state, JobState::Interrupted);
    scene
        .hostile
        .tells_from(job, 9, vec![finished(result(Outcome::Succeeded, scene.world.now()))])
        .await
        .refused(ProblemCode::ResultConflict);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_job_that_the_server_has_ended_is_ended_whatever_its_host_says() {
    let mut scene = Scene::new().await;
    let (cancelled, expired) = {
        let cancelled = scene.world.job(scene.hostile.id(), &muster_tests::world::run_job()).await.id;
        scene.world.operator().await.post(&format!("/api/v1/jobs/{cancelled}/cancel"), &json!({})).await.is(200);
        let start_by = scene.world.now() + jiff::SignedDuration::from_secs(60);
        let mut spec = muster_tests::world::run_job();
        spec["start_by"] = json!(start_by);
        let expired = scene.world.job(scene.hostile.id(), &spec).await.id;
        scene.world.moves(60);
        scene.world.tick().await;
        (cancelled, expired)
    };
    for (job, state) in [(cancelled, JobState::Cancelled), (expired, JobState::Expired)] {
        for outcome in ["succeeded", "failed", "interrupted"] {
            let event = scene.ends(outcome);
            scene.tells_of(job, event).await.refused(ProblemCode::ResultConflict);
        }
        scene.hostile.tells(job, vec![accepted(), EventKind::Starting, started(), output("x")]).await.is(200);
        let seen = scene.world.sees_job(job).await;
        assert_eq!((seen.state, seen.started_at, seen.log_bytes, seen.result), (state, None, 0, None));
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn results_that_no_job_has_are_refused_or_kept_as_they_are_and_read_again() {
    let mut scene = Scene::new().await;
    let refused = [
        json!({ "outcome": "banana" }),
        json!({ "outcome": "presumed_lost" }),
        json!({ "outcome": 1 }),
        json!({ "exit_code": 1_i64 << 40 }),
        json!({ "exit_code": 0.5 }),
        json!({ "output_bytes": -1 }),
        json!({ "output_bytes": 1e300 }),
        json!({ "finished_at": "+10000-01-01T00:00:00Z" }),
        json!({ "finished_at": "NaN" }),
        json!({ "finished_at": "" }),
        json!({ "finished_at": 0 }),
        json!({ "started_at": "2026-02-30T00:00:00Z" }),
        json!({ "error": { "code": "x".repeat(65), "message": "" } }),
        json!({ "error": { "code": "x", "message": "y".repeat(9_000) } }),
        json!({ "error": "x" }),
        json!({ "detail": "z".repeat(70_000) }),
    ];
    let kept = [
        json!({ "finished_at": "-009999-01-02T01:59:59Z", "started_at": "9999-12-30T22:00:00Z" }),
        json!({ "exit_code": i32::MIN, "output_bytes": u64::MAX, "output_truncated": true }),
        json!({ "error": { "code": "", "message": "" }, "detail": null }),
        json!({ "error": { "code": "\u{1b}[2J", "message": "\u{0}".repeat(8_000) } }),
        json!({ "detail": { "": { "": ["", 1e-320, -0.0, 1.7e308, u64::MAX, i64::MIN, "\u{FFFF}"] } } }),
        json!({ "detail": (0..100).fold(json!(1), |inner, _| json!([inner])) }),
        json!({ "shell": true, "host_id": scene.victim.id(), "state": "succeeded" }),
    ];
    for (odd, status) in refused.iter().map(|odd| (odd, 422)).chain(kept.iter().map(|odd| (odd, 200))) {
        let job = scene.own_job().await;
        let mut event = scene.ends("failed");
        event["result"].as_object_mut().unwrap().extend(odd.as_object().unwrap().clone());
        for _ in 0..2 {
            let answer = scene.tells_of(job, event.clone()).await;
            assert_eq!(answer.status, status, "{odd}: {}", answer.text());
        }
        scene.hostile.agent.process_id = scene.world.process();
        assert_eq!(scene.tells_of(job, event.clone()).await.status, status, "told again by the next process");
        let seen = scene.world.sees_job(job).await;
        assert_eq!(seen.state.is_final(), status == 200, "{odd}");
        if status != 200 {
            scene
                .tells_of(
                    job,
                    json!({ "sequence": 9, "at": scene.world.now(), "type": "finished",
                "result": { "outcome": "failed", "finished_at": scene.world.now() } }),
                )
                .await
                .is(200);
        }
    }
    scene.world.viewer().await.get("/api/v1/jobs?limit=200").await.is(200);
    assert_eq!(scene.world.alerts().await, []);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_detail_that_is_nested_without_end_is_no_json_to_read() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    for depth in [125, 1_000, 10_000, 300_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let text = format!(
                r#"{{"session":{},"process_id":"{}","events":[{{"sequence":1,"at":"{}","type":"finished","result":{{"outcome":"failed","finished_at":"{}","detail":{inner}}}}}]}}"#,
                scene.hostile.session,
                scene.hostile.agent.process_id,
                scene.world.now(),
                scene.world.now(),
            );
            let status = scene.posts_text(&events(job), text).await.status;
            assert!(status == 400 || status == 413, "{depth}: {status}");
        }
    }
    assert_eq!(scene.world.sees_job(job).await.state, JobState::Offered);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_job_with_the_largest_of_everything_is_kept_and_read_again() {
    let mut scene = Scene::new().await;
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/echo", "x".repeat(60_000)],
        "environment": { "LARGE": "\u{7f}".repeat(64_000) }, "output_limit_bytes": 16 * 1024 * 1024 } });
    let job = scene.world.job(scene.hostile.id(), &spec).await.id;
    scene.hostile.check_in().await;
    let text = "\u{1}".repeat(1_000);
    scene.hostile.tells(job, vec![output(&text); 80]).await.is(200);
    let error = JobError { code: "\u{1}".repeat(64), message: "\u{1}".repeat(8 * 1024) };
    let detail = json!("d".repeat(64 * 1024 - 2));
    let largest = JobResult { error: Some(error), detail: Some(detail), ..result(Outcome::Failed, scene.world.now()) };
    scene.hostile.tells(job, vec![finished(largest.clone())]).await.is(200);
    assert_eq!(scene.world.sees_job(job).await.result, Some(largest));
    scene.stays_unharmed().await;
}
