use muster_schemas::{
    jobs::{JobState, JobView, JobsCreated, Outcome},
    pages::Page,
    problems::ProblemCode,
};
use muster_tests::world::{World, accepted, answered, output, result, run_job, started};
use serde_json::{Value, json};

fn request(host: impl serde::Serialize, extra: &Value) -> Value {
    let mut body = json!({ "host_ids": [host], "kind": "run", "spec": { "argv": ["/bin/true"] } });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_job_for_an_offline_host_is_refused_with_when_it_was_last_seen() {
    let world = World::new().await;
    let host = world.host("one").await;
    let seen = world.now();
    world.moves(601);
    let body = request(host.id(), &json!({ "if_offline": "fail" }));
    let problem = world.operator().await.post("/api/v1/jobs", &body).await.refused(ProblemCode::HostOffline);
    assert_eq!(problem.members["last_seen_at"], seen.to_string());
    let jobs: Page<JobView> = world.viewer().await.get("/api/v1/jobs").await.json();
    assert!(jobs.items.is_empty());
}

#[tokio::test]
async fn a_job_queued_for_an_offline_host_is_delivered_when_it_returns() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    world.moves(601);
    let body = request(host.id(), &json!({ "if_offline": "queue" }));
    let created: JobsCreated = world.operator().await.post("/api/v1/jobs", &body).await.is(202).json();
    assert_eq!(created.items[0].state, JobState::Queued);
    world.moves(3_000);
    host.runs(created.items[0].id).await.is(200);
    assert_eq!(world.sees_job(created.items[0].id).await.state, JobState::Succeeded);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_job_is_presumed_lost_its_limit_and_five_minutes_after_its_start_however_late_it_might_have_started() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let start_by = world.now() + jiff::SignedDuration::from_hours(7 * 24);
    let mut body = run_job();
    let more = json!({ "time_limit_seconds": 10, "start_by": start_by });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let job = world.job(host.id(), &body).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    host.tells(job.id, vec![started()]).await.is(200);
    world.moves(309);
    world.tick().await;
    assert_eq!(world.sees_job(job.id).await.state, JobState::Running);
    world.moves(1);
    world.tick().await;
    assert_eq!(world.sees_job(job.id).await.state, JobState::PresumedLost);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_job_of_a_lost_host_is_given_up_by_hand_unless_the_host_may_still_tell() {
    let world = World::new().await;
    let (mut host, operator) = (world.host("one").await, world.operator().await);
    let job = world.job(host.id(), &run_job()).await;
    let give_up = format!("/api/v1/jobs/{}/give-up", job.id);
    operator.post(&give_up, &json!({})).await.refused(ProblemCode::WrongState);
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    host.tells(job.id, vec![started()]).await.is(200);
    let problem = operator.post(&give_up, &json!({})).await.refused(ProblemCode::WrongState);
    assert!(problem.detail.unwrap().contains("the host is online"));
    world.moves(600);
    let listed: Page<JobView> = operator.get("/api/v1/jobs").await.is(200).json();
    assert_eq!(
        listed.items[0].actions,
        operator.get(&format!("/api/v1/jobs/{}", job.id)).await.is(200).json::<JobView>().actions
    );
    let lost: JobView = operator.post(&give_up, &json!({})).await.is(200).json();
    assert_eq!((lost.state, lost.given_up_by.as_deref()), (JobState::PresumedLost, Some("operator")));
    assert_eq!(lost.waiting_on.unwrap(), format!("a late report from {}, given up by operator", host.id()));
    let audited = world.viewer().await.get(&format!("/api/v1/audit?subject={}", job.id)).await.is(200).value();
    assert_eq!(audited["items"][0]["action"], "job.given_up");
    assert_eq!(host.check_in().await.cancel, [job.id], "a host that comes back is told to stop it");
    host.finishes(job.id, result(Outcome::Succeeded, world.now())).await.is(200);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Succeeded, "its word counts");
    world.is_consistent().await;
}

#[tokio::test]
async fn a_job_that_nobody_fetched_in_time_is_expired_and_never_delivered() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    world.moves(3_600);
    world.tick().await;
    let seen = world.sees_job(job.id).await;
    assert_eq!((seen.state, seen.waiting_on), (JobState::Expired, None));
    assert!(host.check_in().await.jobs.is_empty());
    world.is_consistent().await;
}

#[tokio::test]
async fn a_job_past_its_start_is_not_offered_even_before_the_tick_has_come() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    world.moves(3_600);
    assert!(host.check_in().await.jobs.is_empty(), "offered at the moment it may not start any more");
    world.tick().await;
    assert_eq!(world.sees_job(job.id).await.state, JobState::Expired);
    world.is_consistent().await;
}

#[tokio::test]
async fn the_same_key_and_body_make_the_same_job_and_another_body_is_refused() {
    let world = World::new().await;
    let host = world.host("one").await;
    let operator = world.operator().await.with("idempotency-key", "build 17");
    let body = request(host.id(), &json!({}));
    let first: JobsCreated = operator.post("/api/v1/jobs", &body).await.is(202).json();
    world.moves(100);
    let again: JobsCreated = operator.post("/api/v1/jobs", &body).await.is(202).json();
    assert_eq!(first.items[0].id, again.items[0].id);
    let other = request(host.id(), &json!({ "time_limit_seconds": 5 }));
    operator.post("/api/v1/jobs", &other).await.refused(ProblemCode::IdempotencyKeyReused);
    // Another caller's key is another key.
    let admin = world.admin().await.with("idempotency-key", "build 17");
    let theirs: JobsCreated = admin.post("/api/v1/jobs", &other).await.is(202).json();
    assert_ne!(theirs.items[0].id, first.items[0].id);
    world.is_consistent().await;
}

#[tokio::test]
async fn the_same_request_many_times_at_once_makes_one_job_per_host() {
    let world = World::new().await;
    let hosts = world.fleet(3, "1.0.0").await;
    let ids = hosts.iter().map(muster_tests::world::Host::id).collect::<Vec<_>>();
    let body = json!({ "host_ids": ids, "kind": "inspect" });
    let operator = world.operator().await.with("idempotency-key", "x");
    let answers = futures_util::future::join_all((0..10).map(|_| operator.post("/api/v1/jobs", &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    let jobs: Page<JobView> = world.viewer().await.get("/api/v1/jobs").await.json();
    assert_eq!(jobs.items.len(), 3);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_cancel_is_final_at_once_before_the_offer_and_the_hosts_word_afterwards() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let operator = world.operator().await;
    let path = |job: &JobView| format!("/api/v1/jobs/{}/cancel", job.id);
    let early = world.job(host.id(), &run_job()).await;
    let cancelled: JobView = operator.post(&path(&early), &json!({})).await.is(200).json();
    assert_eq!(cancelled.state, JobState::Cancelled);
    let late = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    let asked: JobView = operator.post(&path(&late), &json!({})).await.is(200).json();
    assert_eq!((asked.state, asked.cancel_requested), (JobState::Offered, true));
    assert_eq!(host.check_in().await.cancel, [late.id]);
    host.finishes(late.id, result(Outcome::Cancelled, world.now())).await.is(200);
    assert_eq!(world.sees_job(late.id).await.state, JobState::Cancelled);
    operator.post(&path(&late), &json!({})).await.refused(ProblemCode::WrongState);
    world.is_consistent().await;
}

#[tokio::test]
async fn whoever_waits_for_a_job_hears_of_its_next_change() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    let (viewer, path) = (world.viewer().await, format!("/api/v1/jobs/{}?wait=30", job.id));
    let waiting = tokio::spawn(async move { viewer.get(&path).await });
    world.clock.until_asleep(1).await;
    host.check_in().await;
    let seen: JobView = answered(waiting).await.is(200).json();
    assert_eq!(seen.state, JobState::Offered);
    let (viewer, path) = (world.viewer().await, format!("/api/v1/jobs/{}?wait=30", job.id));
    let waiting = tokio::spawn(async move { viewer.get(&path).await });
    world.clock.until_asleep(1).await;
    world.moves(30);
    assert_eq!(answered(waiting).await.is(200).json::<JobView>().state, JobState::Offered);
}

#[tokio::test]
async fn a_log_is_read_on_from_any_byte_and_says_when_it_is_complete() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.tells(job.id, vec![accepted(), started(), output("äb"), output("cd")]).await.is(200);
    let viewer = world.viewer().await;
    let log = async |query: &str| viewer.get(&format!("/api/v1/jobs/{}/log{query}", job.id)).await;
    let whole = log("").await.is(200);
    assert_eq!((whole.text().as_str(), whole.header("muster-log-next")), ("äbcd", "5"));
    assert_eq!(whole.header("muster-log-complete"), "false");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(log("?after=2").await.text(), "bcd");
    assert_eq!(log("?after=99").await.is(200).text(), "");
    log("?after=1").await.refused(ProblemCode::Invalid);
    host.finishes(job.id, result(Outcome::Succeeded, world.now())).await.is(200);
    assert_eq!(log("?after=5&wait=30").await.header("muster-log-complete"), "true");
}

#[tokio::test]
async fn a_request_for_several_hosts_tells_which_of_them_do_not_take_it() {
    let world = World::new().await;
    let (offline, online) = (world.host("offline").await, {
        world.moves(601);
        world.host("online").await
    });
    let body = json!({ "host_ids": [offline.id(), online.id()], "kind": "inspect" });
    let created: JobsCreated = world.operator().await.post("/api/v1/jobs", &body).await.is(202).json();
    assert_eq!(created.items[0].host_id, online.id());
    assert_eq!(created.refused[0].host_id, offline.id());
    assert_eq!(created.refused[0].problem.code, ProblemCode::HostOffline);
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_names_the_field() {
    let world = World::new().await;
    let host = world.host("one").await;
    let operator = world.operator().await;
    let cases = [
        (json!({ "banana": 1 }), "banana"),
        (json!({ "kind": "dance" }), "kind"),
        (json!({ "kind": "self_update", "spec": { "version": "1", "manifest_sha256": "" } }), "kind"),
        (json!({ "spec": { "argv": ["true"] } }), "spec.argv"),
        (json!({ "spec": { "argv": ["/bin/true", "\u{0}"] } }), "spec.argv"),
        (json!({ "spec": { "argv": "/bin/true" } }), "spec.argv"),
        (json!({ "spec": { "argv": ["/bin/true"], "shell": true } }), "spec.shell"),
        (json!({ "spec": { "argv": ["/bin/true"], "environment": { "A=B": "" } } }), "spec.environment"),
        (json!({ "spec": { "argv": ["/bin/true"], "working_directory": "tmp" } }), "spec.working_directory"),
        // What only the host refused, minutes later.
        (json!({ "spec": { "argv": ["/bin/../bin/true"] } }), "spec.argv"),
        (json!({ "spec": { "argv": ["/./bin/true"] } }), "spec.argv"),
        (json!({ "spec": { "argv": ["/bin/true\u{0}"] } }), "spec.argv"),
        (json!({ "spec": { "argv": ["/bin/true"], "environment": { "PATH": "/tmp" } } }), "spec.environment"),
        (json!({ "spec": { "argv": ["/bin/true"], "working_directory": "/srv/../etc" } }), "spec.working_directory"),
        (json!({ "time_limit_seconds": 0 }), "time_limit_seconds"),
        (json!({ "time_limit_seconds": -1 }), "time_limit_seconds"),
        (json!({ "start_by": "2026-03-02T12:00:00Z" }), "start_by"),
        (json!({ "start_by": "tomorrow" }), "start_by"),
        (json!({ "host_ids": [] }), "host_ids"),
        (json!({ "host_ids": ["host_1"] }), "host_ids[0]"),
        (json!({ "host_ids": [], "selector": { "os": "plan9" } }), "selector"),
    ];
    for (extra, field) in cases {
        let problem = operator.post("/api/v1/jobs", &request(host.id(), &extra)).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field), "{extra}");
    }
}

#[tokio::test]
async fn a_host_takes_eighty_open_jobs_and_no_more() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let operator = world.operator().await;
    for _ in 0..80 {
        operator.post("/api/v1/jobs", &request(host.id(), &json!({}))).await.is(202);
    }
    operator.post("/api/v1/jobs", &request(host.id(), &json!({}))).await.refused(ProblemCode::TooManyRequests);
    assert_eq!(host.check_in().await.jobs.len(), 20);
    world.is_consistent().await;
}
