//! Servers that share a store: none hears of what another one does, and their cheap reads may lag behind.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, sync::Arc};

use muster_domain::{
    changes::Change,
    mailboxes::{Event, HostNews, Mailbox},
    pacing::Pacing,
};
use muster_schemas::{
    check_ins::{CheckInRequest, CheckInResponse},
    commands::EventKind,
    fleet_updates::FleetUpdateState,
    jobs::{JobState, JobView, Outcome},
    problems::ProblemCode,
    reports::Facts,
};
use muster_server::{
    advance::advance_with,
    commit::{Cause, CommitError, Extras},
    records,
    store::Consistency,
    store::Versioned,
};
use muster_tests::world::{Answer, Host, Lagging, Stores, World, answered, output, result, run_job, started};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::task::{JoinHandle, yield_now};

/// By how many commits a cheap read lags: one, two, and all of them, so that it does not find the item at all.
const LAGS: [usize; 3] = [1, 2, usize::MAX];

/// Two servers that look again each second, on each store that is there.
async fn on_each_store(test: impl AsyncFn(World, World)) {
    for stores in [Some(Stores::embedded()), Stores::services().await].into_iter().flatten() {
        let world = World::on(stores).await;
        let pacing = Pacing { look_again_seconds: 1, ..Pacing::default() };
        test(world.paced(pacing), world.paced(pacing)).await;
    }
}

/// A server that looks again each second, on a table whose cheap reads lag.
async fn lagging() -> (World, Lagging) {
    let mut stores = Stores::embedded();
    let table = Lagging::new(stores.table.clone());
    stores.table = Arc::new(table.clone());
    let world = World::on(stores).await;
    (world.paced(Pacing { look_again_seconds: 1, ..Pacing::default() }), table)
}

/// Nobody has told the server anything, and it has not looked.
async fn is_held(held: &JoinHandle<Answer>) {
    for _ in 0..100 {
        yield_now().await;
    }
    assert!(!held.is_finished(), "no time has passed");
}

async fn waits_for(world: &World, path: String) -> JoinHandle<Answer> {
    let viewer = world.viewer().await;
    let held = tokio::spawn(async move { viewer.get(&path).await });
    world.clock.until_asleep(1).await;
    held
}

async fn mailbox(world: &World, host: &Host) -> Versioned<Mailbox> {
    world.app.load(&records::mailboxes::key(host.id()), Consistency::Strong).await.unwrap().unwrap()
}

/// A check-in that says something.
fn telling(host: &Host) -> CheckInRequest {
    CheckInRequest { agent: Some(host.agent.clone()), ..host.check_in_request() }
}

fn of_facts(host: &Host, hostname: &str) -> CheckInRequest {
    CheckInRequest { facts: Some(Facts { hostname: hostname.into(), ..host.facts.clone() }), ..host.check_in_request() }
}

#[tokio::test]
async fn a_job_from_one_server_reaches_a_poll_held_by_another_within_a_second() {
    on_each_store(async |one, other| {
        let mut host = one.host("one").await;
        let held = host.holds(25).await;
        let job = other.job(host.id(), &run_job()).await;
        is_held(&held).await;
        one.moves(1);
        let answer: CheckInResponse = answered(held).await.is(200).json();
        assert_eq!(answer.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [job.id]);
        assert_eq!(other.sees_job(job.id).await.state, JobState::Offered);
        assert!(one.app.polls.is_empty() && other.app.polls.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_cancel_at_one_server_reaches_a_poll_held_by_another_within_a_second() {
    on_each_store(async |one, other| {
        let mut host = one.host("one").await;
        let job = one.job(host.id(), &run_job()).await;
        host.check_in().await;
        host.accepts(job.id).await.is(200);
        let held = host.holds(25).await;
        other.operator().await.post(&format!("/api/v1/jobs/{}/cancel", job.id), &json!({})).await.is(200);
        is_held(&held).await;
        one.moves(1);
        assert_eq!(answered(held).await.is(200).json::<CheckInResponse>().cancel, [job.id]);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_starts_at_one_server_ends_the_poll_held_by_another_within_a_second() {
    on_each_store(async |one, other| {
        let mut host = one.host("one").await;
        let held = host.holds(25).await;
        host.talks_to(&other);
        host.restarts().await.is(200);
        is_held(&held).await;
        one.moves(1);
        answered(held).await.refused(ProblemCode::SessionSuperseded);
        host.check_in().await;
    })
    .await;
}

#[tokio::test]
async fn a_host_retired_at_one_server_is_told_by_another_within_a_second() {
    on_each_store(async |one, other| {
        let mut host = one.host("one").await;
        let held = host.holds(25).await;
        other.admin().await.delete(&format!("/api/v1/hosts/{}?reason=sold", host.id())).await;
        is_held(&held).await;
        one.moves(1);
        answered(held).await.refused(ProblemCode::HostRetired);
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_a_job_at_one_server_hears_within_a_second_what_a_host_told_another() {
    on_each_store(async |one, other| {
        let mut host = one.host("one").await;
        let job = one.job(host.id(), &run_job()).await;
        host.talks_to(&other);
        host.check_in().await;

        let held = waits_for(&one, format!("/api/v1/jobs/{}?wait=30", job.id)).await;
        host.accepts(job.id).await.is(200);
        is_held(&held).await;
        one.moves(1);
        assert_eq!(answered(held).await.is(200).json::<JobView>().state, JobState::Accepted);

        let held = waits_for(&one, format!("/api/v1/jobs/{}/log?wait=30", job.id)).await;
        host.tells(job.id, vec![EventKind::Started, output("hello")]).await.is(200);
        is_held(&held).await;
        one.moves(1);
        assert!(answered(held).await.is(200).text().contains("hello"));
    })
    .await;
}

#[tokio::test]
async fn a_poll_that_nothing_comes_to_is_held_to_its_end_and_reads_one_cheap_item_a_second() {
    on_each_store(async |one, _| {
        let mut host = one.host("one").await;
        host.caller().await;
        one.table.take();
        let held = host.holds(4).await;
        for _ in 0..3 {
            one.moves(1);
            is_held(&held).await;
            // The read of a store on the network has come back, and both sleep again.
            one.clock.until_asleep(2).await;
        }
        one.moves(1);
        answered(held).await.is(200);
        let units = one.table.take();
        assert_eq!(units.writes(), 0);
        assert!((4..=5).contains(&units.reads()), "{units:?}");
        assert_eq!(units.of("get").read_half_units, units.reads(), "half a unit each: {units:?}");
    })
    .await;
}

#[tokio::test]
async fn the_newest_session_is_never_refused_by_a_read_that_lags() {
    for lag in LAGS {
        let (world, table) = lagging().await;
        let mut host = world.host("one").await;
        host.restarts().await.is(200);
        host.restarts().await.is(200);
        table.lags(lag);
        host.asks().await.is(200);
        let told = telling(&host);
        host.says(&told).await.is(200);
        world.moves(600);
        host.asks().await.is(200);
        let held = host.holds(5).await;
        world.moves(5);
        answered(held).await.is(200);
        assert_eq!(mailbox(&world, &host).await.record.session, 3);
    }
}

#[tokio::test]
async fn a_host_that_joined_a_moment_ago_gets_an_access_token_by_a_read_that_lags() {
    for lag in LAGS {
        let (world, table) = lagging().await;
        let token = world.token(1).await;
        table.lags(lag);
        let mut host = Host::new(&world, "one");
        host.joins(token.token.reveal()).await.is(201);
        host.asks_for_token(&host.assertion()).await.is(200);
        host.starts().await.is(200);
        host.check_in().await;
        let mut stranger = host.signs(&muster_schemas::check_ins::AssertionClaims {
            iss: host.id(),
            sub: host.id(),
            aud: "https://elsewhere.test".into(),
            iat: world.now().as_second(),
            exp: world.now().as_second() + 60,
            jti: "1".into(),
        });
        host.asks_for_token(&stranger).await.refused(ProblemCode::Unauthorized);
        stranger.push('x');
        host.asks_for_token(&stranger).await.refused(ProblemCode::Unauthorized);
    }
}

#[tokio::test]
async fn an_old_session_is_refused_where_the_lagging_read_shows_something_to_offer() {
    let (world, table) = lagging().await;
    let mut old = world.host("one").await;
    let job = world.job(old.id(), &run_job()).await;
    let mut new = old.cloned();
    new.restarts().await.is(200);
    // The mailbox as it was before the new session: the old one is the newest, and there is a job.
    table.lags(1);
    old.asks().await.refused(ProblemCode::SessionSuperseded);
    assert_eq!(world.sees_job(job.id).await.state, JobState::Queued);
    table.lags(0);
    assert_eq!(new.check_in().await.jobs[0].id, job.id);
}

#[tokio::test]
async fn nothing_is_offered_to_a_superseded_session_whatever_a_read_shows() {
    for lag in [0, 1, 2, 3, 4, usize::MAX] {
        for waits in [0, 25] {
            let (world, table) = lagging().await;
            let mut old = world.host("one").await;
            let first = world.job(old.id(), &run_job()).await;
            let mut new = old.cloned();
            new.restarts().await.is(200);
            let second = world.job(old.id(), &run_job()).await;
            world.operator().await.post(&format!("/api/v1/jobs/{}/cancel", first.id), &json!({})).await.is(200);
            table.lags(lag);
            let request = CheckInRequest { wait_seconds: waits, ..old.check_in_request() };
            let caller = old.caller().await;
            let asked = tokio::spawn(async move { caller.post("/api/v1/agent/check-in", &request).await });
            is_answered_or_held(&world, &asked).await;
            table.lags(0);
            world.moves(1);
            let answer = answered(asked).await;
            if answer.status == 200 {
                let answer: CheckInResponse = answer.json();
                assert!(answer.jobs.is_empty() && answer.cancel.is_empty(), "behind by {lag}: {answer:?}");
            } else {
                answer.refused(ProblemCode::SessionSuperseded);
            }
            old.asks().await.refused(ProblemCode::SessionSuperseded);
            assert_eq!(world.sees_job(second.id).await.state, JobState::Queued);
            assert_eq!(new.check_in().await.jobs.last().unwrap().id, second.id);
        }
    }
}

async fn is_answered_or_held(world: &World, asked: &JoinHandle<Answer>) {
    for _ in 0..1_000 {
        yield_now().await;
        if asked.is_finished() {
            return;
        }
    }
    world.clock.until_asleep(1).await;
}

#[tokio::test]
async fn what_a_superseded_session_says_is_not_believed_by_a_read_that_lags() {
    let (world, table) = lagging().await;
    let mut old = world.host("one").await;
    let mut new = old.cloned();
    new.agent.version = "2.0.0".into();
    new.restarts().await.is(200);
    let before = world.sees_host(new.id()).await;
    // In the very millisecond of its start, too, where the report changes nothing in the mailbox itself.
    table.lags(1);
    for request in [telling(&old), of_facts(&old, "another"), telling(&old)] {
        old.says(&request).await.refused(ProblemCode::SessionSuperseded);
        assert_eq!(world.sees_host(new.id()).await, before);
        world.moves(1);
    }
}

#[tokio::test]
async fn presence_written_on_a_lagging_base_loses_its_race_and_is_written_on_a_fresh_one() {
    for lag in [1, 2, 3, 4, usize::MAX] {
        let (world, table) = lagging().await;
        let mut host = world.host("one").await;
        host.restarts().await.is(200);
        let accepted_job = world.job(host.id(), &run_job()).await;
        host.check_in().await;
        host.accepts(accepted_job.id).await.is(200);
        let queued = world.job(host.id(), &run_job()).await;
        let cancel = format!("/api/v1/jobs/{}/cancel", accepted_job.id);
        world.operator().await.post(&cancel, &json!({})).await.is(200);
        let before = mailbox(&world, &host).await;
        world.moves(300);

        table.lags(lag);
        let told = of_facts(&host, "renamed");
        host.says(&told).await.is(200);
        let after = mailbox(&world, &host).await;
        assert_eq!(after.record.last_seen_at, Some(world.now()), "behind by {lag}");
        assert_eq!(after.revision, before.revision + 1);
        assert_ne!(after.record.digests, before.record.digests);
        let unchanged = Mailbox {
            last_seen_at: before.record.last_seen_at,
            digests: before.record.digests.clone(),
            ..after.record
        };
        assert_eq!(unchanged, before.record, "no job, no session and no cancel is lost");
        assert_eq!(world.sees_host(host.id()).await.facts.hostname, "renamed");

        table.lags(0);
        let answer = host.check_in().await;
        assert_eq!(answer.cancel, [accepted_job.id]);
        assert!(host.received.iter().any(|command| command.id == queued.id), "behind by {lag}");
        world.is_consistent().await;
    }
}

#[tokio::test]
async fn what_an_old_record_would_refuse_is_asked_of_the_newest() {
    let (world, _) = lagging().await;
    let mut host = world.host("one").await;
    let old = world.app.table.get(&records::mailboxes::key(host.id()), Consistency::Strong).await.unwrap();
    host.restarts().await.is(200);
    world.moves(1);
    let seen = |session| Change::Mailbox(host.id(), Event::Seen { session, news: HostNews::default() });
    let own = || Extras { found: old.clone(), ..Extras::default() };
    let refused = advance_with(&world.app, seen(1), &Cause::tick(), own()).await;
    assert!(matches!(refused, Err(CommitError::Refused(_))), "{refused:?}");
    advance_with(&world.app, seen(2), &Cause::tick(), own()).await.unwrap();
    assert_eq!(mailbox(&world, &host).await.record.last_seen_at, Some(world.now()));
}

#[tokio::test]
async fn a_held_poll_offers_a_job_as_soon_as_a_read_shows_it() {
    let (world, table) = lagging().await;
    let other = world.paced(world.app.settings.pacing);
    let mut host = world.host("one").await;
    let held = host.holds(25).await;
    let job = other.job(host.id(), &run_job()).await;
    table.lags(1);
    for _ in 0..3 {
        world.moves(1);
        is_held(&held).await;
    }
    table.lags(0);
    world.moves(1);
    assert_eq!(answered(held).await.is(200).json::<CheckInResponse>().jobs[0].id, job.id);
}

#[tokio::test]
async fn a_wake_in_the_same_server_is_never_answered_by_a_read_that_lags() {
    for lag in LAGS {
        let (world, table) = lagging().await;
        let mut host = world.host("one").await;
        let held = host.holds(25).await;
        table.lags(lag);
        let job = world.job(host.id(), &run_job()).await;
        assert_eq!(answered(held).await.is(200).json::<CheckInResponse>().jobs[0].id, job.id);
    }
}

#[tokio::test]
async fn a_fleet_is_updated_and_runs_its_jobs_once_while_two_servers_read_what_was() {
    for seed in 0..20 {
        let (one, table) = lagging().await;
        let servers = [one.clone(), one.paced(one.app.settings.pacing)];
        let mut random = StdRng::seed_from_u64(seed);
        let mut hosts = one.fleet(4, "1.0.0").await;
        let release = one.publishes("1.1.0").await;
        let (mut jobs, mut done) = (BTreeSet::new(), BTreeSet::new());
        for host in &hosts {
            jobs.insert(one.job(host.id(), &run_job()).await.id);
        }
        let update = one.fleet_update(&json!({ "version": "1.1.0", "soak_seconds": 0 })).await;
        for round in 0.. {
            assert!(round < 200, "seed {seed}: the update does not come to its end");
            for host in &mut hosts {
                table.lags(random.random_range(0..4));
                host.talks_to(&servers[random.random_range(0..2)]);
                if random.random_range(0..8) == 0 {
                    host.restarts().await.is(200);
                }
                host.check_in().await;
                for job in host.received.iter().filter(|job| job.kind == "run").map(|job| job.id).collect::<Vec<_>>() {
                    if done.insert(job) {
                        host.accepts(job).await.is(200);
                        host.tells(job, vec![started()]).await.is(200);
                        host.finishes(job, result(Outcome::Succeeded, one.now())).await.is(200);
                    }
                }
                host.updates(&release).await;
            }
            servers[random.random_range(0..2)].tick().await;
            one.moves(7);
            if one.sees_fleet_update(update.id).await.state == FleetUpdateState::Completed {
                break;
            }
        }
        assert_eq!(done, jobs, "seed {seed}");
        for job in jobs {
            assert_eq!(one.sees_job(job).await.state, JobState::Succeeded, "seed {seed}");
        }
        table.lags(0);
        one.is_consistent().await;
    }
}
