//! The log: one line for what an operator searches for, one span per request, and nothing for a host that is idle.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use muster_schemas::{jobs::JobState, problems::ProblemCode};
use muster_tests::world::{Logs, World, answered, run_job};
use serde_json::{Value, json};
use tracing::{Event, Level, Subscriber, level_filters::LevelFilter, span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The lines at this level that have all of these words.
fn lines(logs: &Logs, level: Level, words: &[&str]) -> Vec<String> {
    let text = logs.text();
    let has = |line: &&str| line.contains(&format!(" {level} ")) && words.iter().all(|word| line.contains(word));
    text.lines().filter(has).map(str::to_owned).collect()
}

/// What the server begins and says, as far as it is told to.
#[derive(Clone, Default)]
struct Counted {
    spans: Arc<AtomicUsize>,
    lines: Arc<AtomicUsize>,
}

impl Counted {
    fn so_far(&self) -> (usize, usize) {
        (self.spans.load(Ordering::Relaxed), self.lines.load(Ordering::Relaxed))
    }
}

impl<S: Subscriber> Layer<S> for Counted {
    fn on_new_span(&self, span: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let is_ours = span.metadata().target().starts_with("muster_server");
        self.spans.fetch_add(usize::from(is_ours), Ordering::Relaxed);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let is_ours = event.metadata().target().starts_with("muster_server");
        self.lines.fetch_add(usize::from(is_ours), Ordering::Relaxed);
    }
}

/// The spans and lines of an idle check-in that is held to its end.
async fn of_an_idle_check_in(level: LevelFilter) -> (usize, usize) {
    let world = World::new().await;
    let mut host = world.host("one").await;
    host.check_in().await;
    let counted = Counted::default();
    let subscriber = tracing_subscriber::registry().with(level).with(counted.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let held = host.holds(25).await;
    world.clock.until_asleep(1).await;
    world.moves(25);
    answered(held).await.is(200);
    counted.so_far()
}

#[tokio::test]
async fn an_idle_check_in_has_neither_a_span_nor_a_line_at_the_usual_level_and_one_of_each_at_debug() {
    assert_eq!(of_an_idle_check_in(LevelFilter::INFO).await, (0, 0));
    assert_eq!(of_an_idle_check_in(LevelFilter::DEBUG).await, (1, 1));
}

#[tokio::test]
async fn a_request_is_one_span_with_its_id_route_actor_status_and_time() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mut host = world.host("one").await;
    let path = format!("/api/v1/hosts/{}", host.id());
    let answer = world.viewer().await.get(&path).await.is(200);
    let id = format!("request.id={}", answer.header("x-request-id"));
    let words = [&id, "http.method=GET", "http.route=\"/api/v1/hosts/{id}\"", "http.status=200", "elapsed_ms=0"];
    let line = &lines(&logs, Level::DEBUG, &words)[..];
    assert_eq!(line.len(), 1, "{line:?}");
    assert!(line[0].contains("actor=user:"), "{line:?}");
    assert!(!line[0].contains(&host.id().to_string()), "neither a path nor a query is logged: {line:?}");
    let refused = host.caller().await.post("/api/v1/agent/session", &json!({})).await.refused(ProblemCode::Invalid);
    let id = format!("request.id={}", refused.instance.unwrap());
    let actor = format!("actor=host:{}", host.id());
    assert_eq!(lines(&logs, Level::DEBUG, &[&id, "http.status=422", &actor]).len(), 1);
}

#[tokio::test]
async fn a_host_that_is_quarantined_or_retired_has_a_line() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = host.id().to_string();
    host.cloned().starts().await.is(200);
    host.starts().await.refused(ProblemCode::HostQuarantined);
    host.starts().await.refused(ProblemCode::HostQuarantined);
    assert_eq!(lines(&logs, Level::INFO, &["A host was quarantined.", "host.quarantined", &id]).len(), 1);
    let long = "x".repeat(1_000);
    world.admin().await.delete(&format!("/api/v1/hosts/{id}?reason={long}")).await.is(204);
    let retired = lines(&logs, Level::INFO, &["A host was retired.", "host.retired", &id, "request.id"]);
    assert_eq!(retired.len(), 1);
    assert!(retired[0].contains(&long[..512]) && !retired[0].contains(&long[..513]), "a line is of a bounded length");
}

#[tokio::test]
async fn a_job_that_is_presumed_lost_has_a_line_once() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    world.moves(3_600 + 600 + 300);
    world.tick().await;
    world.tick().await;
    assert_eq!(world.sees_job(job.id).await.state, JobState::PresumedLost);
    let id = job.id.to_string();
    assert_eq!(lines(&logs, Level::INFO, &["A job is presumed lost.", "job.presumed_lost", &id]).len(), 1);
}

#[tokio::test]
async fn a_fleet_update_that_halts_has_a_line_that_says_why() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mut host = world.fleet(1, "1.0.0").await.remove(0);
    let release = world.publishes("1.1.0").await;
    let id = world.fleet_update(&json!({ "version": "1.1.0" })).await.id.to_string();
    host.rolls_back(&release, "it\ncrashed").await.unwrap();
    let halted = lines(&logs, Level::INFO, &["A fleet update was halted.", "fleet_update.halted", &id]);
    assert_eq!(halted.len(), 1);
    assert!(halted[0].contains(r"it\ncrashed"), "what a host says cannot begin a line: {halted:?}");
}

fn login(username: &str, password: &str) -> Value {
    json!({ "username": username, "password": password, "kind": "bearer" })
}

#[tokio::test]
async fn whoever_signs_in_has_a_line_and_a_refusal_has_one_when_the_wait_begins() {
    const WRONG: &str = "a wrong password that nobody may read";
    const MISTYPED: &str = "a password in the field of the name";
    let logs = Logs::capture();
    let world = World::new().await;
    let users = world.admin().await.get("/api/v1/users").await.value();
    let admin = users["items"].as_array().unwrap().iter().find(|user| user["username"] == "admin").unwrap();
    let id = admin["id"].as_str().unwrap();
    let nobody = world.nobody();
    for _ in 0..10 {
        assert_eq!(lines(&logs, Level::INFO, &["session.refused", id]).len(), 0);
        nobody.post("/api/v1/session", &login("admin", WRONG)).await.refused(ProblemCode::Unauthorized);
        nobody.post("/api/v1/session", &login(MISTYPED, WRONG)).await.refused(ProblemCode::Unauthorized);
    }
    nobody.post("/api/v1/session", &login("admin", WRONG)).await.refused(ProblemCode::TooManyRequests);
    world.moves(1);
    nobody.post("/api/v1/session", &login("admin", WRONG)).await.refused(ProblemCode::Unauthorized);
    assert_eq!(lines(&logs, Level::INFO, &["session.refused", id, "Sign-ins were refused"]).len(), 1);
    assert!(!lines(&logs, Level::INFO, &["session.refused", "no account has the name"]).is_empty());
    world.moves(60);
    let opened = nobody.post("/api/v1/session", &login("admin", World::password())).await.is(201);
    let request = opened.header("x-request-id").to_owned();
    assert_eq!(lines(&logs, Level::INFO, &["Somebody signed in.", "session.opened", id, &request]).len(), 1);
    let text = logs.text();
    assert!(![WRONG, MISTYPED, World::password()].iter().any(|secret| text.contains(secret)));
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_request_without_its_query_and_its_body() {
    let logs = Logs::capture();
    let world = World::new().await;
    let host = world.host("one").await;
    let path = format!("/api/v1/hosts/{}", host.id());
    let answer = world.viewer().await.get(&format!("{path}?secret=in-the-query")).await.is(200);
    let id = answer.header("x-request-id").to_owned();
    let of = |id: &str| lines(&logs, Level::INFO, &[" access: Answered.", &format!("request.id={id} ")]);
    let line = of(&id);
    assert_eq!(line.len(), 1, "{line:?}");
    for word in
        ["http.method=GET", &format!("http.path=\"{path}\""), "http.status=200", "actor=\"user:", "elapsed_ms=0"]
    {
        assert!(line[0].contains(word), "{word}: {line:?}");
    }
    let refused = world.nobody().post("/nowhere", &json!({ "secret": "in the body" })).await;
    let line = of(refused.header("x-request-id"));
    assert!(line[0].contains("http.status=404") && line[0].contains("actor=\"\""), "{line:?}");
    let held = world.viewer().await;
    let waits = format!("{path}?wait=30");
    let gone = tokio::spawn(async move { held.get(&waits).await });
    world.clock.until_asleep(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let words = ["The caller went away.", "http.status=0", &path];
    assert_eq!(lines(&logs, Level::INFO, &words).len(), 1);
    assert!(!logs.text().contains("in-the-query") && !logs.text().contains("in the body"));
}
