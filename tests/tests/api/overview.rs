//! The overview: the whole fleet in one answer, counted by one request now and then.

use futures_util::future::join_all;
use muster_domain::pacing::Pacing;
use muster_schemas::{
    fleet_updates::ActionOnFleetUpdate,
    jobs::{JobState, Outcome},
    overview::{HostCounts, Overview},
    problems::ProblemCode,
};
use muster_tests::world::{Caller, Stores, World, answered, finished, result, run_job};
use serde_json::json;

const PATH: &str = "/api/v1/overview";

async fn sees(caller: &Caller) -> Overview {
    caller.get(PATH).await.is(200).json()
}

#[tokio::test]
async fn each_host_is_counted_as_what_it_is_and_retired_ones_are_none() {
    let world = World::new().await;
    let mut hosts = world.fleet(6, "1.0.0").await;
    assert_eq!(sees(&world.viewer().await).await.newest_release, None);
    let release = world.publishes("1.1.0").await;
    let update = format!("/api/v1/hosts/{}/update", hosts[0].id());
    world.admin().await.post(&update, &json!({ "version": "1.1.0" })).await.is(202);
    hosts[0].updates(&release).await.unwrap();
    world.admin().await.delete(&format!("/api/v1/hosts/{}", hosts[1].id())).await.is(204);
    world.moves(400);
    for host in &mut hosts[2..] {
        host.check_in().await;
    }
    hosts[2].cloned().starts().await.is(200);
    hosts[2].starts().await.refused(ProblemCode::HostQuarantined);
    world.moves(300);
    let seen = sees(&world.viewer().await).await;
    assert_eq!(seen.hosts, HostCounts { total: 5, online: 4, offline: 1, behind: 4, quarantined: 1 });
    assert_eq!(json!(seen.versions), json!({ "1.0.0": 4, "1.1.0": 1 }));
    assert_eq!((seen.newest_release.as_deref(), seen.as_of), (Some("1.1.0"), world.now()));
}

#[tokio::test]
async fn what_goes_on_and_what_failed_is_told_with_what_the_caller_may_do() {
    let world = World::new().await;
    let mut hosts = world.fleet(2, "1.0.0").await;
    world.publishes("1.1.0").await;
    let mut failed = Vec::new();
    for outcome in [Outcome::Failed, Outcome::Succeeded, Outcome::Interrupted] {
        world.moves(1);
        let job = world.job(hosts[1].id(), &run_job()).await.id;
        hosts[1].check_in().await;
        hosts[1].accepts(job).await.is(200);
        hosts[1].tells(job, vec![finished(result(outcome, world.now()))]).await.is(200);
        failed.extend((outcome != Outcome::Succeeded).then_some(job));
    }
    failed.reverse();
    let id = world.fleet_update(&json!({ "version": "1.1.0" })).await.id;
    let seen = sees(&world.viewer().await).await;
    assert_eq!(seen.recent_failures.iter().map(|job| job.id).collect::<Vec<_>>(), failed);
    assert_eq!(seen.recent_failures[0].state, JobState::Interrupted);
    assert_eq!(seen.fleet_updates.iter().map(|update| update.id).collect::<Vec<_>>(), [id]);
    assert_eq!(seen.fleet_updates[0].actions.allowed, []);
    let allowed = [ActionOnFleetUpdate::Pause, ActionOnFleetUpdate::Cancel];
    assert_eq!(sees(&world.admin().await).await.fleet_updates[0].actions.allowed, allowed);
    world.acts(id, "cancel", &json!({})).await.is(200);
    assert_eq!(sees(&world.viewer().await).await.fleet_updates, []);
}

#[tokio::test]
async fn hosts_are_counted_once_in_a_while_by_one_request_however_many_look() {
    let world = World::new().await;
    world.fleet(3, "1.0.0").await;
    let viewer = world.viewer().await;
    let looks = async |callers: usize| {
        world.table.take();
        let seen = join_all((0..callers).map(|_| sees(&viewer))).await;
        // The hosts, their jobs, the newest release and the fleet updates: one list each.
        let units = world.table.take();
        (units.of("query_index").calls / 4, units.writes(), seen)
    };
    assert_eq!(looks(1).await.0, 1);
    let counted_at = world.now();
    world.moves(14);
    let (counts, writes, seen) = looks(20).await;
    assert_eq!((counts, writes), (0, 0));
    assert!(seen.iter().all(|seen| seen.as_of == counted_at));
    world.moves(1);
    let (counts, _, seen) = looks(20).await;
    assert_eq!(counts, 1, "one counts");
    assert!(seen.iter().all(|seen| [counted_at, world.now()].contains(&seen.as_of)), "the age is told truly");
    assert_eq!(sees(&viewer).await.as_of, world.now());
}

#[tokio::test]
async fn a_count_that_broke_off_is_done_by_another_request_after_a_while() {
    let world = World::new().await;
    world.fleet(2, "1.0.0").await;
    let viewer = world.viewer().await;
    let counted_at = sees(&viewer).await.as_of;
    world.moves(60);
    // Who calls was looked up (two reads), what is known was read (by the meter as well), and the count was claimed.
    world.mortal.dies_after(5);
    tokio::select! {
        answer = viewer.get(PATH) => panic!("it did not die: {answer:?}"),
        () = world.mortal.dies() => {}
    }
    let world = world.restarted();
    let viewer = viewer.to(&world);
    world.moves(14);
    assert_eq!(sees(&viewer).await.as_of, counted_at, "it is left to the request that has claimed it");
    world.moves(1);
    let seen = sees(&viewer).await;
    assert_eq!((seen.as_of, seen.hosts.total), (world.now(), 2));
}

#[tokio::test]
async fn the_history_has_a_sample_for_each_quarter_of_an_hour_in_which_somebody_looked() {
    let world = World::new().await;
    world.fleet(2, "1.0.0").await;
    let viewer = world.viewer().await;
    let first = sees(&viewer).await;
    assert_eq!(first.history.len(), 1);
    for _ in 0..30 {
        world.moves(60);
        sees(&viewer).await;
    }
    let history = sees(&viewer).await.history;
    assert_eq!(history.len(), 3);
    assert_eq!((history[0].at, history[0].online, history[2].online), (first.as_of, 2, 0));
    assert_eq!(json!(history[0].versions), json!({ "1.0.0": 2 }));
    let restarted = world.restarted();
    assert_eq!(sees(&viewer.to(&restarted)).await.history, history);
}

#[tokio::test]
async fn whoever_watches_the_overview_hears_of_each_new_count() {
    let world = World::new().await;
    let mut hosts = world.fleet(2, "1.0.0").await;
    let viewer = world.viewer().await;
    let tag = viewer.get(PATH).await.is(200).header("etag").to_owned();
    let watching = viewer.clone().with("if-none-match", &tag);
    let held = tokio::spawn(async move { watching.get(&format!("{PATH}?wait=60")).await });
    world.clock.until_asleep(2).await;
    world.moves(14);
    assert!(!held.is_finished());
    hosts[0].restarts().await.is(200);
    world.moves(1);
    assert_eq!(answered(held).await.is(200).json::<Overview>().as_of, world.now());
}

#[tokio::test]
async fn a_fleet_that_nobody_looks_at_costs_nothing() {
    let world = World::new().await.paced(Pacing::of_functions());
    world.fleet(2, "1.0.0").await;
    sees(&world.viewer().await).await;
    for _ in 0..40 {
        world.moves(86_400);
        world.table.take();
        world.tick().await;
        let units = world.table.take();
        assert_eq!((units.read_half_units(), units.writes()), (1, 0), "{units:?}");
    }
}

#[tokio::test]
async fn a_large_fleet_is_counted_by_one_look_or_if_that_takes_long_by_several_one_after_the_other() {
    // How far a request counts is no matter of the store, and an emulator takes minutes to have so many hosts.
    let world = World::on(Stores::embedded()).await;
    let host = world.host("one").await;
    world.plants(&host, 10_500, |number| number % 2 == 0).await;
    let viewer = world.viewer().await;
    assert_eq!(sees(&viewer).await.hosts.total, 10_501, "at once");
    let world = World::on(Stores::embedded()).await;
    let host = world.host("one").await;
    world.plants(&host, 10_500, |number| number % 2 == 0).await;
    let viewer = world.viewer().await;
    world.is_slow(true);
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(sees(&viewer).await.hosts.total);
    }
    assert_eq!(told, [10_000, 10_501]);
}
