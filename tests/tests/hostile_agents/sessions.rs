//! Sessions: only one's own, only the newest, and no claim makes the server run something again or forget something.

use muster_schemas::{
    check_ins::CheckInResponse,
    hosts::HostState,
    jobs::{JobState, Outcome},
    problems::ProblemCode,
};
use muster_tests::world::{accepted, answered, result, run_job, started};
use serde_json::json;

use crate::scene::{Scene, size};

const CHECK_IN: &str = "/api/v1/agent/check-in";
const SESSION: &str = "/api/v1/agent/session";

#[tokio::test]
async fn a_session_number_that_was_not_given_is_not_served() {
    let mut scene = Scene::new().await;
    scene.hostile.restarts().await.is(200);
    scene.world.job(scene.hostile.id(), &run_job()).await;
    let mut check_in = scene.check_in();
    for number in [0, 1, scene.hostile.session + 1, 1 << 32, 1 << 53, i64::MAX as u64, u64::MAX] {
        check_in["session"] = json!(number);
        scene.posts(CHECK_IN, &check_in).await.refused(ProblemCode::SessionSuperseded);
    }
    for number in [json!(-1), json!("2"), json!(2.0), json!(1e300), json!(null), json!([2]), json!({}), json!(true)] {
        check_in["session"] = number;
        scene.posts(CHECK_IN, &check_in).await.refused(ProblemCode::Invalid);
    }
    assert_eq!(scene.hostile.check_in().await.jobs.len(), 1, "the one that was given is");
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn no_session_of_a_host_ends_one_of_another_or_its_held_poll() {
    let mut scene = Scene::new().await;
    let victims = scene.world.sees_host(scene.victim.id()).await.session;
    scene.victim.journal.insert(scene.waiting);
    let held = scene.victim.holds(25).await;
    let mut session = scene.session();
    for body in [json!({}), json!({ "session": victims }), json!({ "host_id": scene.victim.id(), "session": 99 })] {
        session.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        session["agent"]["process_id"] = json!(scene.world.process());
        scene.posts(SESSION, &session).await.is(200);
    }
    assert!(!held.is_finished());
    scene.world.moves(25);
    answered(held).await.is(200);
    scene.victim.journal.remove(&scene.waiting);
    assert_eq!(scene.world.sees_host(scene.victim.id()).await.session, victims);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn who_claims_to_be_another_hosts_process_quarantines_nobody_else() {
    let mut scene = Scene::new().await;
    let mut session = scene.session();
    session["agent"] = json!(scene.victim.agent);
    let own = json!(scene.hostile.agent.process_id);
    for process in [json!(scene.victim.agent.process_id), own.clone(), json!(scene.victim.agent.process_id)] {
        session["agent"]["process_id"] = process;
        drop(scene.posts(SESSION, &session).await);
    }
    assert_eq!(scene.world.sees_host(scene.hostile.id()).await.state, HostState::Quarantined, "itself");
    assert_eq!(scene.world.sees_host(scene.victim.id()).await.state, HostState::Active);
    let alerts = scene.world.alerts().await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_quarantined_host_is_served_nothing_and_each_of_its_tries_leaves_nothing() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let (first, release) = (scene.hostile.clone(), scene.world.publishes("1.1.0").await);
    scene.hostile.restarts().await.is(200);
    first.clone().starts().await.refused(ProblemCode::HostQuarantined);
    let before = size(&scene.world).await;
    for _ in 0..50 {
        first.clone().starts().await.refused(ProblemCode::HostQuarantined);
        scene.hostile.restarts().await.refused(ProblemCode::HostQuarantined);
        scene.hostile.asks().await.refused(ProblemCode::HostQuarantined);
        scene.hostile.tells(job, vec![accepted()]).await.refused(ProblemCode::HostQuarantined);
        scene.gets(&format!("/api/v1/agent/blobs/{}", release.sha256())).await.refused(ProblemCode::HostQuarantined);
        scene.gets("/api/v1/agent/releases/1.1.0/manifest").await.refused(ProblemCode::HostQuarantined);
    }
    assert_eq!(size(&scene.world).await, before);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_sequence_that_no_journal_can_have_seen_is_refused_and_moves_nobodys() {
    let mut scene = Scene::new().await;
    for sequence in [json!((1_u64 << 53) + 1), json!(u64::MAX), json!(-1), json!("1"), json!(1.5), json!(1e300)] {
        let (mut check_in, mut session) = (scene.check_in(), scene.session());
        check_in["highest_sequence"] = sequence.clone();
        session["highest_sequence"] = sequence;
        scene.posts(CHECK_IN, &check_in).await.refused(ProblemCode::Invalid);
        scene.posts(SESSION, &session).await.refused(ProblemCode::Invalid);
    }
    let own = scene.world.job(scene.hostile.id(), &run_job()).await;
    assert_eq!(own.sequence, 1);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_claim_of_a_restored_server_brings_back_no_job_that_has_ended() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    scene.hostile.tells(job, vec![accepted(), started()]).await.is(200);
    scene.hostile.finishes(job, result(Outcome::Succeeded, scene.world.now())).await.is(200);
    let told = scene.world.sees_job(job).await;
    for highest in [7, 1 << 20, 1 << 53] {
        scene.hostile.highest_sequence = highest;
        scene.hostile.journal.clear();
        assert_eq!(scene.hostile.check_in().await.jobs, []);
        scene.hostile.restarts().await.is(200);
        assert_eq!(scene.hostile.check_in().await.jobs, []);
    }
    assert_eq!(scene.world.sees_job(job).await, told);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_clone_that_claims_an_empty_journal_is_not_told_to_run_a_job_again() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let starting = vec![accepted(), muster_schemas::commands::EventKind::Starting];
    scene.hostile.tells(job, starting.clone()).await.is(200);
    let mut clone = scene.hostile.cloned();
    (clone.journal, clone.highest_sequence) = Default::default();
    clone.starts().await.is(200);
    assert_eq!(clone.check_in().await.jobs, [], "a process was told to start it already");
    clone.tells(job, starting).await.is(200);
    let ended = scene.world.sees_job(job).await;
    assert_eq!(ended.state, JobState::Interrupted);
    clone
        .tells(job, vec![muster_tests::world::finished(result(Outcome::Succeeded, scene.world.now()))])
        .await
        .refused(ProblemCode::ResultConflict);
    assert_eq!(scene.world.sees_job(job).await.state, JobState::Interrupted);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn jobs_of_others_among_those_that_a_host_says_it_has_are_not_touched() {
    let mut scene = Scene::new().await;
    let own = scene.world.job(scene.hostile.id(), &run_job()).await.id;
    let mut check_in = scene.check_in();
    let mut open = vec![json!(scene.done), json!(scene.open), json!(scene.waiting)];
    open.extend((0..20_000_u128).map(|number| json!(muster_schemas::ids::JobId::new(scene.world.now(), number))));
    check_in["open"] = json!(open);
    let answer: CheckInResponse = scene.posts(CHECK_IN, &check_in).await.is(200).json();
    assert_eq!(answer.jobs.iter().map(|command| command.id).collect::<Vec<_>>(), [own]);
    assert_eq!(answer.cancel, []);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn an_old_incarnation_that_goes_on_is_refused_everywhere() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let mut old = scene.hostile.clone();
    scene.hostile.restarts().await.is(200);
    old.asks().await.refused(ProblemCode::SessionSuperseded);
    for event in [accepted(), started(), muster_tests::world::output("late")] {
        old.tells(job, vec![event]).await.refused(ProblemCode::SessionSuperseded);
    }
    assert_eq!(scene.world.sees_job(job).await.state, JobState::Offered);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn claiming_a_restored_server_again_and_again_costs_no_more_than_being_heard() {
    let mut scene = Scene::new().await;
    for _ in 0..60 {
        scene.world.job(scene.hostile.id(), &run_job()).await;
    }
    while !scene.hostile.check_in().await.jobs.iter().all(|job| scene.hostile.journal.contains(&job.id)) {
        scene.hostile.journal.extend(scene.hostile.received.iter().map(|command| command.id));
    }
    // What a restored server does not know it learns once.
    scene.hostile.highest_sequence += 1;
    scene.hostile.check_in().await;
    scene.world.table.take();
    for _ in 0..50 {
        scene.hostile.highest_sequence += 1;
        scene.hostile.check_in().await;
    }
    let commits = scene.world.table.take().of("commit").calls;
    assert!(commits <= 50 * 4, "{commits} commits for 50 check-ins");
    scene.stays_unharmed().await;
}
