//! A server that has too much to do puts work off in a fixed order, and says when to come again.

use muster_domain::pacing::Pacing;
use muster_schemas::{
    check_ins::{CheckInRequest, CheckInResponse},
    jobs::{JobState, Outcome},
    problems::ProblemCode,
};
use muster_server::store::{Consistency, Key};
use muster_tests::world::{Answer, Host, World, accepted, answered, finished, result, run_job, started};
use serde_json::json;

const CAPACITY: usize = 80;
const LISTS_ARE_PUT_OFF: usize = CAPACITY / 2 + 1;
const IDLE_CHECK_INS_ARE_PUT_OFF: usize = CAPACITY * 6 / 8 + 1;
const PRESENCE_IS_PUT_OFF: usize = CAPACITY * 7 / 8 + 1;

async fn world() -> World {
    let capacity = u32::try_from(CAPACITY).unwrap();
    let mut world = World::new().await.paced(Pacing { capacity, ..Pacing::default() });
    world.is_busy = true;
    world
}

/// What comes of it while the server waits for so many operations of its store.
async fn under_load<T>(world: &World, pending: usize, asked: impl Future<Output = T>) -> T {
    let key = Key::new("something", "slow");
    let operations = (0..pending).map(|_| world.app.table.get(&key, Consistency::Eventual)).collect::<Vec<_>>();
    let came_of_it = asked.await;
    drop(operations);
    came_of_it
}

/// It was put off, for so long.
fn put_off(answer: Answer) -> u64 {
    let after = answer.header("retry-after").parse().unwrap();
    answer.refused(ProblemCode::Unavailable);
    after
}

async fn host(world: &World, name: &str) -> Host {
    let mut host = world.host(name).await;
    host.talks_to(world);
    host.restarts().await.is(200);
    host
}

#[tokio::test]
async fn a_busy_server_puts_lists_off_first_and_serves_single_things() {
    let world = world().await;
    let host = host(&world, "one").await;
    let job = world.job(host.id(), &run_job()).await;
    let viewer = world.viewer().await;
    for list in ["hosts", "jobs", "releases", "fleet-updates", "audit", "overview"] {
        let path = format!("/api/v1/{list}");
        under_load(&world, LISTS_ARE_PUT_OFF - 1, viewer.get(&path)).await.is(200);
        let after = put_off(under_load(&world, LISTS_ARE_PUT_OFF, viewer.get(&path)).await);
        assert_eq!(after, 5, "{list}");
        viewer.get(&path).await.is(200);
    }
    for thing in [format!("hosts/{}", host.id()), format!("jobs/{}", job.id), "health".into()] {
        under_load(&world, CAPACITY, viewer.get(&format!("/api/v1/{thing}"))).await.is(200);
    }
}

#[tokio::test]
async fn a_busy_server_holds_no_further_look() {
    let world = world().await;
    let host = host(&world, "one").await;
    let job = world.job(host.id(), &run_job()).await;
    let viewer = world.viewer().await;
    for thing in [format!("hosts/{}", host.id()), format!("jobs/{}", job.id), format!("jobs/{}/log", job.id)] {
        let (caller, path) = (viewer.clone(), format!("/api/v1/{thing}?wait=30"));
        let asked = tokio::spawn(async move { caller.get(&path).await });
        assert_eq!(put_off(under_load(&world, LISTS_ARE_PUT_OFF, answered(asked)).await), 5, "{thing}");
    }
    let path = format!("/api/v1/hosts/{}", host.id());
    let known = viewer.clone().with("if-none-match", viewer.get(&path).await.header("etag"));
    let held = tokio::spawn(async move { known.get(&format!("{path}?wait=30")).await });
    world.clock.until_asleep(1).await;
    let list = viewer.get("/api/v1/hosts");
    under_load(&world, LISTS_ARE_PUT_OFF - 1, list).await.is(200);
    world.moves(30);
    answered(held).await.is(304);
}

#[tokio::test]
async fn a_busier_server_sends_idle_hosts_away_after_one_look_and_spreads_them() {
    let world = world().await;
    let mut host = host(&world, "one").await;
    host.check_in().await;
    under_load(&world, IDLE_CHECK_INS_ARE_PUT_OFF - 1, host.asks()).await.is(200);
    world.table.take();
    let mut spread = std::collections::BTreeSet::new();
    for _ in 0..40 {
        spread.insert(put_off(under_load(&world, IDLE_CHECK_INS_ARE_PUT_OFF, host.asks()).await));
    }
    let units = world.table.take();
    assert_eq!((units.reads(), units.read_half_units(), units.writes()), (40, 40, 0));
    assert!(spread.len() > 10 && spread.iter().all(|after| (1..=60).contains(after)), "{spread:?}");
}

#[tokio::test]
async fn a_check_in_that_brings_something_is_served_however_busy_the_server_is() {
    let world = world().await;
    let mut host = host(&world, "one").await;
    let idle = host.check_in_request();
    let on_trial = CheckInRequest { agent: Some(host.agent.clone()), ..idle.clone() };
    let new_facts = CheckInRequest { facts: Some(host.facts.clone()), ..idle.clone() };
    let circuits = CheckInRequest { upstreams: Some(Vec::new()), ..idle };
    for brings in [on_trial, new_facts, circuits] {
        under_load(&world, CAPACITY, host.says(&brings)).await.is(200);
    }
    // What is for it may not wait either.
    let job = world.job(host.id(), &run_job()).await;
    let offered = under_load(&world, CAPACITY, host.check_in()).await.jobs;
    assert_eq!(offered[0].id, job.id);
}

#[tokio::test]
async fn a_check_in_that_is_held_already_is_not_put_off() {
    let world = world().await;
    let mut host = host(&world, "one").await;
    let held = host.holds(25).await;
    let answer = under_load(&world, CAPACITY, async {
        let job = world.job(host.id(), &run_job()).await;
        (job, answered(held).await.is(200).json::<CheckInResponse>())
    });
    let (job, answer) = answer.await;
    assert_eq!(answer.jobs[0].id, job.id);
}

#[tokio::test]
async fn presence_is_written_down_once_there_is_time_for_it() {
    let world = world().await;
    let mut host = host(&world, "one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    host.accepts(job.id).await.is(200);
    world.moves(301);
    world.table.take();
    under_load(&world, PRESENCE_IS_PUT_OFF, host.check_in()).await;
    assert_eq!(world.table.take().writes(), 0);
    under_load(&world, PRESENCE_IS_PUT_OFF - 1, host.check_in()).await;
    assert_eq!(world.table.take().writes(), 1);
    world.moves(401);
    under_load(&world, 100 * CAPACITY, host.check_in()).await;
    assert_eq!(world.table.take().writes(), 1, "or it would count as offline soon");
}

#[tokio::test]
async fn idle_hosts_do_not_count_as_offline_because_the_server_is_busy() {
    let world = world().await;
    let mut host = host(&world, "one").await;
    host.check_in().await;
    for _ in 0..10 {
        world.moves(120);
        drop(under_load(&world, 100 * CAPACITY, host.asks()).await);
        assert!(world.sees_host(host.id()).await.online);
    }
}

#[tokio::test]
async fn results_cancels_and_sessions_are_never_put_off() {
    let world = world().await;
    let mut host = host(&world, "one").await;
    let (told, cancelled) = (world.job(host.id(), &run_job()).await, world.job(host.id(), &run_job()).await);
    host.check_in().await;
    let operator = world.operator().await;
    under_load(&world, 100 * CAPACITY, async {
        host.restarts().await.is(200);
        let done = finished(result(Outcome::Succeeded, world.now()));
        host.tells(told.id, vec![accepted(), started(), done]).await.is(200);
        operator.post(&format!("/api/v1/jobs/{}/cancel", cancelled.id), &json!({})).await.is(200);
        host.accepts(cancelled.id).await.is(200);
        assert_eq!(host.check_in().await.cancel, [cancelled.id]);
    })
    .await;
    assert_eq!(world.sees_job(told.id).await.state, JobState::Succeeded);
}
