//! What is told to be allowed succeeds by request, and what is told not to be is refused with the sentence that was told:
//! for each resource, in each state, by each role.

use std::collections::BTreeMap;

use axum::{body::Body, http::Method};
use muster_schemas::{ids::HostId, jobs::Outcome, problems::ProblemCode};
use muster_tests::world::{Answer, Caller, Host, Release, World, json_request, request, result, run_job, started};
use serde_json::{Value, json};

/// Said twice is said once: these are told not to be possible, and a request for them changes nothing and is no fault.
const REPEATS: [(&str, &str); 9] = [
    ("job stopping", "cancel"),
    ("job given up", "cancel"),
    ("release yanked", "yank"),
    ("fleet update paused", "pause"),
    ("fleet update running", "resume"),
    ("fleet update with a lost host", "resume"),
    ("fleet update cancelled", "cancel"),
    ("token revoked", "revoke"),
    ("host retired", "remove"),
];

/// What asks for an action.
type Asked = (Method, String, Value);

/// A thing in a state.
struct Scene {
    world: World,
    /// Where its list is, and how it is known there.
    list: String,
    id: String,
    /// Where it is told alone, if it is.
    view: Option<String>,
    asks: BTreeMap<&'static str, Asked>,
}

/// What is told of its actions.
#[derive(Debug, PartialEq)]
struct Told {
    allowed: Vec<String>,
    why_not: BTreeMap<String, String>,
}

impl Told {
    fn of(thing: &Value) -> Self {
        let part = |name: &str| thing[name].clone();
        Self {
            allowed: serde_json::from_value(part("allowed")).unwrap(),
            why_not: serde_json::from_value(part("why_not")).unwrap(),
        }
    }

    fn actions(&self) -> Vec<&str> {
        let mut actions = self.allowed.iter().chain(self.why_not.keys()).map(String::as_str).collect::<Vec<_>>();
        actions.sort_unstable();
        actions
    }
}

impl Scene {
    /// A person of this role; an operator is a program with an API key.
    async fn caller(&self, role: &str) -> Caller {
        match role {
            "viewer" => self.world.viewer().await,
            "admin" => self.world.admin().await,
            _ => {
                let body = json!({ "name": "a program", "role": "operator" });
                let key = self.world.admin().await.post("/api/v1/api-keys", &body).await.is(201).value();
                self.world.nobody().bearing(key["key"].as_str().unwrap())
            }
        }
    }

    /// What the caller is told; nothing where it may not look.
    async fn told(&self, caller: &Caller) -> Option<Told> {
        let answer = caller.get(&self.list).await;
        if answer.status == 403 {
            return None;
        }
        let page = answer.is(200).value();
        let named = |item: &&Value| ["id", "version"].iter().any(|name| item[name] == self.id.as_str());
        let listed = Told::of(page["items"].as_array().unwrap().iter().find(named).unwrap());
        if let Some(path) = &self.view {
            assert_eq!(Told::of(&caller.get(path).await.is(200).value()), listed, "in the list and alone");
        }
        Some(listed)
    }

    async fn asks(&self, caller: &Caller, action: &str) -> Answer {
        let (method, path, body) = &self.asks[action];
        match body {
            Value::Null => caller.sends(request(method.clone(), path).body(Body::empty()).unwrap()).await,
            body => caller.sends(json_request(method.clone(), path, body)).await,
        }
    }
}

/// What is told of a thing in this state holds, whoever asks.
async fn holds(state: &str, make: impl AsyncFn() -> Scene) {
    for role in ["viewer", "operator", "admin"] {
        let scene = make().await;
        let caller = scene.caller(role).await;
        let Some(told) = scene.told(&caller).await else {
            for action in scene.asks.keys() {
                scene.asks(&caller, action).await.refused(ProblemCode::Forbidden);
            }
            continue;
        };
        assert_eq!(told.actions(), scene.asks.keys().copied().collect::<Vec<_>>(), "{state}: each action once");
        for (action, reason) in &told.why_not {
            let answer = scene.asks(&caller, action).await;
            if answer.status < 300 && REPEATS.contains(&(state, action)) {
                assert_eq!(scene.told(&caller).await.as_ref(), Some(&told), "{state}: {action} has changed something");
            } else {
                let problem = answer.problem();
                assert_eq!(problem.detail.as_ref(), Some(reason), "{state}: {action} by {role}");
            }
        }
        for action in &told.allowed {
            let scene = make().await;
            let answer = scene.asks(&scene.caller(role).await, action).await;
            assert!(answer.status < 300, "{state}: {action} by {role}: {} {}", answer.status, answer.text());
        }
    }
}

fn post(path: String, body: Value) -> Asked {
    (Method::POST, path, body)
}

async fn host_scene(world: World, id: HostId) -> Scene {
    let path = format!("/api/v1/hosts/{id}");
    let mut run = run_job();
    run.as_object_mut()
        .unwrap()
        .extend(json!({ "host_ids": [id], "if_offline": "queue" }).as_object().unwrap().clone());
    let reset = json!({ "host_ids": [id], "if_offline": "queue", "kind": "reset_breakers" });
    let newest = if world.viewer().await.get("/api/v1/releases/1.1.0").await.status == 200 { "1.1.0" } else { "none" };
    let asks = BTreeMap::from([
        ("run", post("/api/v1/jobs".into(), run)),
        ("reset_breakers", post("/api/v1/jobs".into(), reset)),
        ("update", post(format!("{path}/update"), json!({ "version": newest }))),
        ("change", (Method::PATCH, path.clone(), json!({ "labels": { "site": "north" } }))),
        ("readmit", post(format!("{path}/readmit"), json!({ "reason": "looked at it" }))),
        ("remove", (Method::DELETE, format!("{path}?force=true"), Value::Null)),
    ]);
    let list = "/api/v1/hosts?state=active".to_owned();
    Scene { world, list, id: id.to_string(), view: Some(path), asks }
}

/// A host, and a release that is newer than what it runs.
async fn outdated() -> (World, Host, Release) {
    let world = World::new().await;
    let host = world.host("one").await;
    let release = world.publishes("1.1.0").await;
    (world, host, release)
}

async fn quarantined(world: &World, host: &mut Host) {
    host.cloned().starts().await.is(200);
    host.starts().await.refused(ProblemCode::HostQuarantined);
    assert!(!world.alerts().await.is_empty());
}

#[tokio::test]
async fn what_may_be_done_with_an_active_host_is_told_with_it() {
    holds("host online", async || {
        let (world, host, _) = outdated().await;
        host_scene(world, host.id()).await
    })
    .await;
    holds("host offline", async || {
        let (world, host, _) = outdated().await;
        world.moves(600);
        host_scene(world, host.id()).await
    })
    .await;
    holds("host current", async || {
        let (world, mut host, release) = outdated().await;
        let update = format!("/api/v1/hosts/{}/update", host.id());
        world.admin().await.post(&update, &json!({ "version": "1.1.0" })).await.is(202);
        host.updates(&release).await.unwrap();
        host_scene(world, host.id()).await
    })
    .await;
}

#[tokio::test]
async fn what_may_be_done_with_a_busy_host_is_told_with_it() {
    holds("host being updated", async || {
        let (world, host, _) = outdated().await;
        let update = format!("/api/v1/hosts/{}/update", host.id());
        world.admin().await.post(&update, &json!({ "version": "1.1.0" })).await.is(202);
        host_scene(world, host.id()).await
    })
    .await;
    holds("host full", async || {
        let (world, host, _) = outdated().await;
        let operator = world.operator().await;
        let scene = host_scene(world, host.id()).await;
        for _ in 0..80 {
            scene.asks(&operator, "run").await.is(202);
        }
        scene
    })
    .await;
}

#[tokio::test]
async fn what_may_be_done_with_a_host_without_a_file_for_it_is_told_with_it() {
    holds("host of another platform", async || {
        let (world, _, _) = outdated().await;
        let mut host = Host::new(&world, "two");
        host.facts.os = "windows".into();
        host.joins(world.token(1).await.token.reveal()).await.is(201);
        host.starts().await.is(200);
        host_scene(world, host.id()).await
    })
    .await;
}

#[tokio::test]
async fn what_may_be_done_with_a_host_that_is_not_served_is_told_with_it() {
    holds("host quarantined", async || {
        let (world, mut host, _) = outdated().await;
        quarantined(&world, &mut host).await;
        Scene { list: "/api/v1/hosts?state=quarantined".into(), ..host_scene(world, host.id()).await }
    })
    .await;
    holds("host retired", async || {
        let (world, host, _) = outdated().await;
        world.admin().await.delete(&format!("/api/v1/hosts/{}?reason=sold", host.id())).await.is(204);
        Scene { list: "/api/v1/hosts?state=retired".into(), ..host_scene(world, host.id()).await }
    })
    .await;
}

#[tokio::test]
async fn without_a_release_no_host_can_be_updated() {
    let world = World::new().await;
    let host = world.host("one").await;
    let seen = world.admin().await.get(&format!("/api/v1/hosts/{}", host.id())).await.value();
    assert_eq!(seen["why_not"]["update"], "no release is published");
}

/// A job, taken so far by its host.
async fn job_scene(take: impl AsyncFn(&World, &mut Host, muster_schemas::ids::JobId)) -> Scene {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let id = world.job(host.id(), &run_job()).await.id;
    take(&world, &mut host, id).await;
    let path = format!("/api/v1/jobs/{id}");
    let erase = (Method::DELETE, format!("{path}/log"), json!({ "reason": "a password" }));
    let asks = BTreeMap::from([
        ("cancel", post(format!("{path}/cancel"), json!({}))),
        ("erase_log", erase),
        ("give_up", post(format!("{path}/give-up"), json!({}))),
    ]);
    Scene { world, list: "/api/v1/jobs".into(), id: id.to_string(), view: Some(path), asks }
}

#[tokio::test]
async fn what_may_be_done_with_a_job_is_told_with_it() {
    holds("job queued", async || job_scene(async |_, _, _| ()).await).await;
    holds("job offered", async || job_scene(async |_, host, _| drop(host.check_in().await)).await).await;
    holds("job running", async || {
        job_scene(async |_, host, id| {
            host.check_in().await;
            host.accepts(id).await.is(200);
            host.tells(id, vec![started()]).await.is(200);
        })
        .await
    })
    .await;
    holds("job running on a lost host", async || {
        job_scene(async |world, host, id| {
            host.check_in().await;
            host.accepts(id).await.is(200);
            host.tells(id, vec![started()]).await.is(200);
            world.moves(700);
        })
        .await
    })
    .await;
    holds("job given up", async || {
        job_scene(async |world, host, id| {
            host.check_in().await;
            world.moves(700);
            world.operator().await.post(&format!("/api/v1/jobs/{id}/give-up"), &json!({})).await.is(200);
        })
        .await
    })
    .await;
    holds("job stopping", async || {
        job_scene(async |world, host, id| {
            host.check_in().await;
            world.operator().await.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await.is(200);
        })
        .await
    })
    .await;
    holds("job presumed lost", async || {
        job_scene(async |world, host, _| {
            host.check_in().await;
            world.moves(2 * 3_600);
            world.tick().await;
        })
        .await
    })
    .await;
    holds("job failed", async || {
        job_scene(async |world, host, id| {
            host.check_in().await;
            host.accepts(id).await.is(200);
            host.finishes(id, result(Outcome::Failed, world.now())).await.is(200);
        })
        .await
    })
    .await;
    holds("job expired", async || {
        job_scene(async |world, _, _| {
            world.moves(2 * 3_600);
            world.tick().await;
        })
        .await
    })
    .await;
}

fn release_scene(world: World) -> Scene {
    let path = "/api/v1/releases/1.1.0".to_owned();
    let asks = BTreeMap::from([("yank", post(format!("{path}/yank"), json!({ "reason": "it crashes" })))]);
    Scene { world, list: "/api/v1/releases".into(), id: "1.1.0".into(), view: Some(path), asks }
}

#[tokio::test]
async fn what_may_be_done_with_a_release_is_told_with_it() {
    holds("release published", async || release_scene(outdated().await.0)).await;
    holds("release draft", async || {
        let world = World::new().await;
        let release = Release::sign(&world, "1.1.0");
        world.admin().await.post("/api/v1/releases", &release.envelope).await.is(201);
        release_scene(world)
    })
    .await;
    holds("release yanked", async || {
        let scene = release_scene(outdated().await.0);
        scene.asks(&scene.world.admin().await, "yank").await.is(200);
        scene
    })
    .await;
}

/// A fleet update of two hosts, one at a time, as far as this brings it; who would be written off is the first.
async fn fleet_update_scene(brings: impl AsyncFn(&Scene, &mut [Host], &Release)) -> Scene {
    let world = World::new().await;
    let mut hosts = world.fleet(2, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    let id = world.fleet_update(&json!({ "version": "1.1.0", "soak_seconds": 0 })).await.id;
    let path = format!("/api/v1/fleet-updates/{id}");
    let act = |action: &str, body: Value| post(format!("{path}/{action}"), body);
    let asks = BTreeMap::from([
        ("pause", act("pause", json!({}))),
        ("resume", act("resume", json!({ "note": "looked at it" }))),
        ("cancel", act("cancel", json!({}))),
        ("retry_failed", act("retry-failed", json!({ "note": "looked at it" }))),
        ("write_off", act("write-off", json!({ "host_id": hosts[0].id() }))),
    ]);
    let scene = Scene { world, list: "/api/v1/fleet-updates".into(), id: id.to_string(), view: Some(path), asks };
    brings(&scene, &mut hosts, &release).await;
    scene
}

#[tokio::test]
async fn what_may_be_done_with_a_fleet_update_is_told_with_it() {
    holds("fleet update running", async || fleet_update_scene(async |_, _, _| ()).await).await;
    for (state, action) in [("fleet update paused", "pause"), ("fleet update cancelled", "cancel")] {
        holds(state, async || {
            fleet_update_scene(async |scene, _, _| {
                scene.asks(&scene.world.admin().await, action).await.is(200);
            })
            .await
        })
        .await;
    }
    holds("fleet update completed", async || {
        fleet_update_scene(async |_, hosts, release| {
            for host in hosts {
                host.updates(release).await.unwrap();
            }
        })
        .await
    })
    .await;
}

#[tokio::test]
async fn what_may_be_done_with_a_fleet_update_in_trouble_is_told_with_it() {
    holds("fleet update halted", async || {
        fleet_update_scene(async |_, hosts, release| {
            hosts[0].rolls_back(release, "it crashed").await.unwrap();
        })
        .await
    })
    .await;
    holds("fleet update out of slots", async || {
        fleet_update_scene(async |scene, hosts, _| {
            hosts[0].begins_update().await.unwrap();
            scene.world.moves(1_300);
            scene.world.tick().await;
        })
        .await
    })
    .await;
}

async fn token_scene(seats: u32, brings: impl AsyncFn(&World, &str)) -> Scene {
    let world = World::new().await;
    let token = world.token(seats).await;
    brings(&world, token.token.reveal()).await;
    let asks = BTreeMap::from([(
        "revoke",
        (Method::DELETE, format!("/api/v1/enrollment-tokens/{}", token.view.id), Value::Null),
    )]);
    Scene { world, list: "/api/v1/enrollment-tokens".into(), id: token.view.id.to_string(), view: None, asks }
}

#[tokio::test]
async fn what_may_be_done_with_an_enrollment_token_is_told_with_it() {
    holds("token open", async || token_scene(1, async |_, _| ()).await).await;
    holds("token used up", async || {
        token_scene(1, async |world, token| {
            Host::new(world, "one").joins(token).await.is(201);
        })
        .await
    })
    .await;
    holds("token expired", async || token_scene(1, async |world, _| world.moves(3_600)).await).await;
    holds("token revoked", async || {
        let scene = token_scene(1, async |_, _| ()).await;
        scene.asks(&scene.world.admin().await, "revoke").await.is(204);
        scene
    })
    .await;
}

async fn user_scene(username: &str) -> Scene {
    let world = World::new().await;
    let users = world.admin().await.get("/api/v1/users").await.is(200).value();
    let named = |user: &&Value| user["username"] == username;
    let id = users["items"].as_array().unwrap().iter().find(named).unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    let asks = BTreeMap::from([
        ("change", (Method::PATCH, path.clone(), json!({ "password": "another long password" }))),
        ("remove", (Method::DELETE, path, Value::Null)),
    ]);
    Scene { world, list: "/api/v1/users".into(), id, view: None, asks }
}

#[tokio::test]
async fn what_may_be_done_with_an_account_or_a_key_is_told_with_it() {
    holds("user last admin", async || user_scene("admin").await).await;
    holds("user viewer", async || user_scene("viewer").await).await;
    holds("user admin beside another", async || {
        let scene = user_scene("admin").await;
        let account = json!({ "username": "other", "password": "twelve chars", "role": "admin" });
        scene.world.admin().await.post("/api/v1/users", &account).await.is(201);
        scene
    })
    .await;
    holds("key", async || {
        let world = World::new().await;
        let body = json!({ "name": "ci", "role": "operator" });
        let key = world.admin().await.post("/api/v1/api-keys", &body).await.is(201).value();
        let id = key["id"].as_str().unwrap().to_owned();
        let asks = BTreeMap::from([("revoke", (Method::DELETE, format!("/api/v1/api-keys/{id}"), Value::Null))]);
        Scene { world, list: "/api/v1/api-keys".into(), id, view: None, asks }
    })
    .await;
}

#[tokio::test]
async fn a_session_tells_what_its_caller_may_do_at_all() {
    let world = World::new().await;
    let asks: [(&str, Asked); 10] = [
        ("create_jobs", post("/api/v1/jobs".into(), json!({}))),
        ("create_fleet_updates", post("/api/v1/fleet-updates".into(), json!({}))),
        ("publish_releases", post("/api/v1/releases".into(), json!({}))),
        ("create_enrollment_tokens", post("/api/v1/enrollment-tokens".into(), json!({}))),
        ("create_users", post("/api/v1/users".into(), json!({}))),
        ("create_api_keys", post("/api/v1/api-keys".into(), json!({}))),
        ("look_at_audit", (Method::GET, "/api/v1/audit".into(), Value::Null)),
        ("look_at_users", (Method::GET, "/api/v1/users".into(), Value::Null)),
        ("look_at_api_keys", (Method::GET, "/api/v1/api-keys".into(), Value::Null)),
        ("look_at_enrollment_tokens", (Method::GET, "/api/v1/enrollment-tokens".into(), Value::Null)),
    ];
    let (id, list, view) = (String::new(), String::new(), None);
    let scene = Scene { world, list, id, view, asks: BTreeMap::from(asks) };
    for role in ["viewer", "operator", "admin"] {
        let caller = scene.caller(role).await;
        let told = Told::of(&caller.get("/api/v1/session").await.is(200).value());
        assert_eq!(told.actions(), scene.asks.keys().copied().collect::<Vec<_>>());
        for action in told.actions() {
            let answer = scene.asks(&caller, action).await;
            let refused = (answer.status == 403).then(|| answer.problem().detail.unwrap());
            assert_eq!(refused.as_ref(), told.why_not.get(action), "{action} by {role}");
        }
    }
}
