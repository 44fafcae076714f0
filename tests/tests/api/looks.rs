//! Looks: a thing is told at once, or as soon as it is no longer as the caller knows it.

use std::collections::BTreeSet;

use axum::http::Method;
use muster_domain::pacing::Pacing;
use muster_schemas::{
    fleet_updates::FleetUpdateHostState, hosts::HostView, ids::FleetUpdateId, jobs::JobState, problems::ProblemCode,
};
use muster_server::api::{auth::Access, route::Route, routes};
use muster_tests::world::{Answer, Caller, Host, Release, World, answered, run_job};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Every page of one thing that can be looked at.
const PAGES: [&str; 5] = [
    "/api/v1/hosts/{id}",
    "/api/v1/jobs/{id}",
    "/api/v1/fleet-updates/{id}",
    "/api/v1/fleet-updates/{id}/hosts",
    "/api/v1/releases/{version}",
];

#[test]
fn every_route_that_names_one_thing_for_operators_waits_for_its_next_change() {
    let is_page = |route: &Route| {
        route.method == Method::GET && route.path.contains('{') && matches!(route.access, Access::Operator(_))
    };
    let (looks, others): (Vec<_>, Vec<_>) = routes().into_iter().filter(is_page).partition(|route| route.waits);
    assert_eq!(looks.iter().map(|route| route.path).collect::<BTreeSet<_>>(), PAGES.into());
    // A log grows: it is not an answer of which there is another, and waits for more of it. A signed manifest is a document.
    let documents = ["/api/v1/jobs/{id}/log", "/api/v1/releases/{version}/manifest"];
    assert_eq!(others.iter().map(|route| route.path).collect::<Vec<_>>(), documents);
    assert!(others[0].asks.iter().any(|(name, ..)| *name == "wait"));
}

/// A world with one of everything that can be looked at.
struct Scene {
    world: World,
    host: Host,
    release: Release,
    fleet_update: FleetUpdateId,
    job: muster_schemas::ids::JobId,
}

impl Scene {
    async fn new() -> Self {
        Self::paced(Pacing::default()).await
    }

    async fn paced(pacing: Pacing) -> Self {
        let world = World::new().await.paced(pacing);
        let host = world.fleet(1, "1.0.0").await.remove(0);
        let job = world.job(host.id(), &run_job()).await.id;
        let release = world.publishes("1.1.0").await;
        let fleet_update = world.fleet_update(&json!({ "version": "1.1.0" })).await.id;
        Self { world, host, release, fleet_update, job }
    }

    /// In the order of [`PAGES`].
    fn paths(&self) -> [String; 5] {
        [
            format!("/api/v1/hosts/{}", self.host.id()),
            format!("/api/v1/jobs/{}", self.job),
            format!("/api/v1/fleet-updates/{}", self.fleet_update),
            format!("/api/v1/fleet-updates/{}/hosts?limit=10", self.fleet_update),
            format!("/api/v1/releases/{}", self.release.version),
        ]
    }

    /// Looks, and looks again for something else.
    async fn looks_on(&self, path: &str, wait: u32) -> JoinHandle<Answer> {
        let viewer = self.world.viewer().await;
        let seen = viewer.get(path).await.is(200);
        looks_again(&viewer, path, seen.header("etag"), wait)
    }
}

fn looks_again(caller: &Caller, path: &str, known: &str, wait: u32) -> JoinHandle<Answer> {
    let (caller, path) = (caller.clone().with("if-none-match", known), waiting(path, wait));
    tokio::spawn(async move { caller.get(&path).await })
}

fn waiting(path: &str, wait: impl std::fmt::Display) -> String {
    format!("{path}{}wait={wait}", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn who_has_the_answer_already_is_told_only_that() {
    let mut scene = Scene::new().await;
    let viewer = scene.world.viewer().await;
    for path in scene.paths() {
        let tag = viewer.get(&path).await.is(200).header("etag").to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".into()] {
            let same = viewer.clone().with("if-none-match", &known).get(&path).await.is(304);
            assert_eq!((same.header("etag"), same.body.len()), (tag.as_str(), 0), "{path}");
        }
        viewer.clone().with("if-none-match", "\"other\"").get(&path).await.is(200);
    }
    let path = &scene.paths()[0];
    let tag = viewer.get(path).await.header("etag").to_owned();
    scene.host.updates(&scene.release).await.unwrap();
    let seen = viewer.with("if-none-match", &tag).get(path).await.is(200);
    assert_ne!(seen.header("etag"), tag);
}

#[tokio::test]
async fn whoever_looks_at_something_hears_of_its_next_change_at_once() {
    let mut scene = Scene::new().await;
    let mut held = Vec::new();
    for path in scene.paths() {
        held.push(scene.looks_on(&path, 30).await);
    }
    scene.world.clock.until_asleep(5).await;
    assert!(held.iter().all(|held| !held.is_finished()));
    let began_at = scene.world.now();
    scene.host.updates(&scene.release).await.unwrap();
    let yank = format!("/api/v1/releases/{}/yank", scene.release.version);
    scene.world.admin().await.post(&yank, &json!({ "reason": "a worse one" })).await.is(200);
    let mut answers = Vec::new();
    for held in held {
        answers.push(answered(held).await.is(200));
    }
    assert_eq!(scene.world.now(), began_at, "no time has passed");
    let words = |number: usize, path: &str| answers[number].value().pointer(path).cloned().unwrap_or(Value::Null);
    assert_eq!(words(1, "/state"), json!(JobState::Offered));
    assert_ne!(words(3, "/items/0/state"), json!(FleetUpdateHostState::Pending));
    assert_eq!(words(4, "/yanked_reason"), json!("a worse one"));
    assert!(scene.world.app.polls.is_empty());
}

#[tokio::test]
async fn whoever_looks_at_something_that_stays_as_it_is_hears_so_when_the_time_is_over() {
    let scene = Scene::new().await;
    for (place, path) in scene.paths().into_iter().enumerate() {
        let held = scene.looks_on(&path, 30).await;
        scene.world.clock.until_asleep(1).await;
        scene.world.moves(29);
        assert!(!held.is_finished(), "{place}");
        scene.world.moves(1);
        answered(held).await.is(304);
    }
}

#[tokio::test]
async fn a_host_that_went_offline_in_the_meantime_is_told_when_the_time_is_over() {
    let world = World::new().await;
    let host = world.host("one").await;
    let (viewer, path) = (world.viewer().await, format!("/api/v1/hosts/{}", host.id()));
    world.moves(590);
    let tag = viewer.get(&path).await.is(200).header("etag").to_owned();
    let held = looks_again(&viewer, &path, &tag, 30);
    world.clock.until_asleep(1).await;
    world.moves(30);
    assert!(!answered(held).await.is(200).json::<HostView>().online);
}

#[tokio::test]
async fn to_look_at_a_host_neither_wakes_its_held_check_in_nor_does_its_check_in_cost_more() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    host.check_in().await;
    let held = host.holds(25).await;
    let path = format!("/api/v1/hosts/{}", host.id());
    let operator = world.operator().await;
    let tag = operator.get(&path).await.is(200).header("etag").to_owned();
    let looking = looks_again(&operator, &path, &tag, 20);
    world.clock.until_asleep(2).await;
    operator.patch(&path, &json!({ "name": "web front" })).await.is(200);
    assert_eq!(answered(looking).await.is(200).json::<HostView>().name, "web front");
    world.table.take();
    world.moves(25);
    answered(held).await.is(200);
    assert_eq!(world.table.take().reads(), 0, "it was not woken to look again");
}

#[tokio::test]
async fn a_change_may_name_the_answer_to_a_look_whatever_its_host_has_said_since() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let (operator, path) = (world.operator().await, format!("/api/v1/hosts/{}", host.id()));
    let tag = operator.get(&path).await.is(200).header("etag").to_owned();
    world.moves(300);
    host.check_in().await;
    let conditional = operator.clone().with("if-match", &tag);
    let changed = conditional.patch(&path, &json!({ "name": "first" })).await.is(200);
    assert_eq!(operator.clone().get(&path).await.header("etag"), changed.header("etag"));
    conditional.patch(&path, &json!({ "name": "second" })).await.refused(ProblemCode::RevisionMismatch);
}

#[tokio::test]
async fn a_wait_that_is_none_is_refused_by_name() {
    let scene = Scene::new().await;
    let viewer = scene.world.viewer().await;
    for path in scene.paths() {
        for wait in ["long", "-1", "1.5", "99999999999999999999999"] {
            let problem = viewer.get(&waiting(&path, wait)).await.refused(ProblemCode::Invalid);
            assert_eq!(problem.field.as_deref(), Some("wait"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_cannot_hold_answers_a_look_at_once() {
    let scene = Scene::paced(Pacing::of_functions()).await;
    for path in scene.paths() {
        answered(scene.looks_on(&path, 30).await).await.is(304);
    }
}

#[tokio::test]
async fn who_looks_and_looks_is_held_so_often_and_then_answered_at_once() {
    let scene = Scene::new().await;
    let (viewer, path) = (scene.world.viewer().await, &scene.paths()[0]);
    let tag = viewer.get(path).await.is(200).header("etag").to_owned();
    let held = [(); 64].map(|()| looks_again(&viewer, path, &tag, 30));
    scene.world.clock.until_asleep(64).await;
    answered(looks_again(&viewer, path, &tag, 30)).await.is(304);
    assert!(held.iter().all(|held| !held.is_finished()));
    let other = looks_again(&scene.world.admin().await, path, "\"another\"", 30);
    answered(other).await.is(200);
    scene.world.moves(30);
    for held in held {
        answered(held).await.is(304);
    }
}

#[tokio::test]
async fn a_server_that_stops_answers_its_held_looks() {
    let scene = Scene::new().await;
    let held = scene.looks_on(&scene.paths()[0], 30).await;
    scene.world.clock.until_asleep(1).await;
    scene.world.app.drain();
    answered(held).await.is(304);
}

#[tokio::test]
async fn what_another_server_has_changed_is_told_within_a_second() {
    let scene = Scene::paced(Pacing { look_again_seconds: 1, ..Pacing::default() }).await;
    let other = scene.world.paced(scene.world.app.settings.pacing);
    let path = &scene.paths()[0];
    let held = scene.looks_on(path, 30).await;
    scene.world.clock.until_asleep(2).await;
    let operator = scene.world.operator().await.to(&other);
    operator.patch(path, &json!({ "name": "web front" })).await.is(200);
    scene.world.moves(1);
    assert_eq!(answered(held).await.is(200).json::<HostView>().name, "web front");
}
