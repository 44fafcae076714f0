//! Clocks that are set: by 60 seconds, two hours, two days and two years, ahead and back, with and without a restart.

use muster_domain::pacing::Pacing;
use muster_schemas::{
    jobs::{JobState, Outcome},
    overview::Overview,
    problems::ProblemCode,
};
use muster_server::roles::readings::Readings;
use muster_tests::world::{World, result, run_job, started};
use serde_json::json;

const DAY: i64 = 86_400;
const STEPS: [i64; 4] = [60, 2 * 3_600, 2 * DAY, 730 * DAY];

fn both_ways() -> impl Iterator<Item = (i64, bool)> {
    STEPS.into_iter().flat_map(|step| [(step, false), (step, true), (-step, false), (-step, true)])
}

/// The same server, or the next process on its store.
fn goes_on(world: &World, restart: bool) -> World {
    if restart { world.restarted() } else { world.clone() }
}

#[tokio::test]
async fn a_servers_clock_that_is_set_keeps_neither_hosts_nor_people_out() {
    for (step, restart) in both_ways() {
        let world = World::new().await;
        let (mut host, viewer) = (world.host("one").await, world.viewer().await);
        host.check_in().await;
        let typing_error = json!({ "username": "viewer", "password": "a typing error" });
        world.nobody().post("/api/v1/session", &typing_error).await.refused(ProblemCode::Unauthorized);
        viewer.get("/api/v1/hosts").await.is(200);
        world.steps(step);
        let world = goes_on(&world, restart);
        host.talks_to(&world);
        host.asks().await.is(200);
        let seen = world.sees_host(host.id()).await;
        assert!(seen.online, "signed in, and the host was heard from: {step} s, restart {restart}");
        assert!(seen.last_seen_at.is_some_and(|seen| seen <= world.now()), "{step} s");
        if step < 0 {
            viewer.get("/api/v1/hosts").await.is(200);
        }
    }
}

#[tokio::test]
async fn a_name_with_too_many_wrong_passwords_waits_no_longer_because_the_clock_was_set() {
    for step in STEPS {
        let world = World::new().await;
        let typing_error = json!({ "username": "viewer", "password": "a typing error" });
        for _ in 0..12 {
            world.nobody().post("/api/v1/session", &typing_error).await;
        }
        world.steps(-step);
        world.viewer().await.get("/api/v1/hosts").await.is(200);
    }
}

#[tokio::test]
async fn a_host_that_was_heard_from_in_the_future_is_not_online_until_it_is_heard_from() {
    for pacing in [Pacing::default(), Pacing::of_functions()] {
        for (step, restart) in STEPS.into_iter().flat_map(|step| [(step, false), (step, true)]) {
            let world = World::new().await.paced(pacing);
            let mut host = world.host("one").await;
            world.steps(step);
            host.restarts().await.is(200);
            world.steps(-step);
            let world = goes_on(&world, restart);
            host.talks_to(&world);
            let seen = world.sees_host(host.id()).await;
            assert_eq!((seen.online, seen.last_seen_at), (false, None), "{step} s, restart {restart}");
            let mut body = json!({ "host_ids": [host.id()], "if_offline": "fail" });
            body.as_object_mut().unwrap().extend(run_job().as_object().unwrap().clone());
            let operator = world.operator().await;
            operator.post("/api/v1/jobs", &body).await.refused(ProblemCode::HostOffline);
            host.check_in().await;
            let seen = world.sees_host(host.id()).await;
            assert_eq!((seen.online, seen.last_seen_at), (true, Some(world.now())), "it is written anew");
            operator.post("/api/v1/jobs", &body).await.is(202);
            world.moves(1_400);
            assert!(!world.sees_host(host.id()).await.online, "and it is missed in time");
        }
    }
}

#[tokio::test]
async fn a_connected_host_stays_connected_when_the_servers_clock_is_set() {
    for (step, _) in both_ways() {
        let world = World::new().await;
        let mut host = world.host("one").await;
        let held = host.holds(280).await;
        world.steps(step);
        let seen = world.sees_host(host.id()).await;
        assert!(seen.online && seen.connected, "{step} s");
        held.abort();
    }
}

#[tokio::test]
async fn no_job_ends_because_the_clock_was_ahead_for_a_while() {
    for (step, restart) in STEPS.into_iter().flat_map(|step| [(step, false), (step, true)]) {
        let world = World::new().await;
        let (mut host, idle) = (world.host("one").await, world.host("two").await);
        let (running, queued) = (world.job(host.id(), &run_job()).await.id, world.job(idle.id(), &run_job()).await.id);
        host.check_in().await;
        host.accepts(running).await.is(200);
        host.tells(running, vec![started()]).await.is(200);
        let mut readings = Readings::of(&world.app).await;
        readings.tick(&world.app).await.unwrap();
        world.steps(step);
        let world = goes_on(&world, restart);
        if restart {
            readings = Readings::of(&world.app).await;
        }
        for _ in 0..9 {
            readings.tick(&world.app).await.unwrap();
            world.moves(60);
        }
        world.steps(-step);
        readings.tick(&world.app).await.unwrap();
        assert!(world.alerts().await.is_empty(), "{step} s, restart {restart}");
        assert_eq!(world.sees_job(queued).await.state, JobState::Queued, "{step} s, restart {restart}");
        assert_eq!(world.sees_job(running).await.state, JobState::Running, "{step} s, restart {restart}");
        host.talks_to(&world);
        host.finishes(running, result(Outcome::Succeeded, world.now())).await.is(200);
        world.moves(3_600);
        readings.tick(&world.app).await.unwrap();
        readings.tick(&world.app).await.unwrap();
        world.moves(600);
        readings.tick(&world.app).await.unwrap();
        assert_eq!(world.sees_job(queued).await.state, JobState::Expired, "in its time");
    }
}

#[tokio::test]
async fn a_clock_that_stays_ahead_is_believed_and_nothing_is_stored_by_each_tick() {
    let world = World::new().await;
    let host = world.host("one").await;
    let queued = world.job(host.id(), &run_job()).await.id;
    let mut readings = Readings::of(&world.app).await;
    readings.tick(&world.app).await.unwrap();
    world.table.take();
    for _ in 0..20 {
        world.moves(10);
        readings.tick(&world.app).await.unwrap();
    }
    let units = world.table.take();
    assert!(!format!("{:?}", units.operations).contains("commit"), "{:?}", units.operations);
    world.steps(2 * DAY);
    for _ in 0..11 {
        readings.tick(&world.app).await.unwrap();
        world.moves(60);
    }
    readings.tick(&world.app).await.unwrap();
    assert_eq!(world.sees_job(queued).await.state, JobState::Expired);
}

#[tokio::test]
async fn the_overview_goes_on_after_a_step_back() {
    for step in STEPS {
        let world = World::new().await;
        world.fleet(1, "1.0.0").await;
        let counts = async || world.viewer().await.get("/api/v1/overview").await.is(200).json::<Overview>().hosts.total;
        assert_eq!(counts().await, 1);
        world.steps(-step);
        world.fleet(2, "1.0.0").await;
        world.moves(17);
        assert_eq!(counts().await, 3, "{step} s back");
    }
}

#[tokio::test]
async fn a_session_that_was_opened_by_a_clock_that_was_ahead_ends_no_later_than_any_other() {
    let world = World::new().await;
    world.steps(730 * DAY);
    let viewer = world.viewer().await;
    world.steps(-730 * DAY);
    viewer.get("/api/v1/hosts").await.is(200);
    world.moves(12 * 3_600);
    viewer.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
}
