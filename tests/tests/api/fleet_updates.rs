use futures_util::future::join_all;
use muster_domain::fleet_updates::FleetUpdate;
use muster_schemas::{
    fleet_updates::{FleetUpdateHostState, FleetUpdatePlan, FleetUpdateState, FleetUpdateView},
    hosts::HostState,
    ids::FleetUpdateId,
    jobs::JobState,
    problems::ProblemCode,
    reports::{AgentReport, LastUpdate, UpdateOutcome},
};
use muster_tests::world::{Host, Release, World};
use serde_json::{Value, json};

/// A fleet on 1.0.0, and an update of it to 1.1.0.
async fn begun(hosts: u32, request: Value) -> (World, Vec<Host>, Release, FleetUpdateId) {
    let world = World::new().await;
    let hosts = world.fleet(hosts, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    let mut body = json!({ "version": "1.1.0", "soak_seconds": 0 });
    body.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let id = world.fleet_update(&body).await.id;
    world.tick().await;
    (world, hosts, release, id)
}

#[tokio::test]
async fn the_canary_goes_first_and_the_rest_after_the_soak_never_more_than_the_budget_at_once() {
    let waves = json!({ "waves": [1], "max_in_flight": 2, "soak_seconds": 600 });
    let (world, mut hosts, release, id) = begun(5, waves).await;
    assert_eq!(world.sees_fleet_update(id).await.in_flight, [hosts[0].id()]);
    hosts[0].updates(&release).await.unwrap();
    assert!(world.sees_fleet_update(id).await.in_flight.is_empty(), "the soak has not passed");
    assert_eq!(hosts[1].updates(&release).await, None);
    world.moves(599);
    for host in &mut hosts {
        host.check_in().await;
    }
    world.tick().await;
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.in_flight.len(), seen.waiting_on.as_deref()), (0, Some("the soak of wave 1 to end, 1 s left")));
    world.moves(1);
    world.tick().await;
    assert_eq!(world.sees_fleet_update(id).await.in_flight.len(), 2);
    for host in &mut hosts[1..] {
        assert!(world.sees_fleet_update(id).await.in_flight.len() <= 2);
        host.updates(&release).await.unwrap();
        world.is_consistent().await;
    }
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.counts.succeeded, seen.waiting_on), (FleetUpdateState::Completed, 5, None));
    assert!(hosts.iter().all(|host| host.received.len() == 1), "nobody was offered it twice");
}

#[tokio::test]
async fn the_first_failure_halts_it_takes_back_what_nobody_has_accepted_and_it_goes_on_only_with_a_note() {
    let (world, mut hosts, release, id) = begun(4, json!({ "waves": [4], "max_in_flight": 3 })).await;
    let accepted = hosts[1].begins_update().await.unwrap();
    hosts[2].check_in().await;
    let offered = hosts[2].received[0].id;
    hosts[0].rolls_back(&release, "it crashed").await.unwrap();
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.failures), (FleetUpdateState::Halted, 1));
    let why = format!("failure limit reached (1 of 1): {}: rolled_back: it crashed", hosts[0].id());
    assert_eq!(seen.halted_reason.as_deref(), Some(why.as_str()));
    assert_eq!(world.alerts().await[0].action, "fleet_update.halted");
    assert!(world.sees_job(offered).await.cancel_requested, "recalled");
    assert!(!world.sees_job(accepted).await.cancel_requested, "who has accepted goes on");
    assert_eq!(hosts[2].check_in().await.cancel, [offered]);
    let cancelled = muster_tests::world::result(muster_schemas::jobs::Outcome::Cancelled, world.now());
    hosts[2].finishes(offered, cancelled).await.is(200);
    hosts[1].tries(&release).await.is(200);
    hosts[1].commits(accepted).await.is(200);
    world.tick().await;
    assert_eq!(hosts[3].updates(&release).await, None, "nothing is offered while it is halted");
    world.acts(id, "resume", &json!({})).await.refused(ProblemCode::Invalid);
    world.acts(id, "resume", &json!({ "note": "a bad disk" })).await.is(200);
    hosts[2].updates(&release).await.unwrap();
    hosts[3].updates(&release).await.unwrap();
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.counts.succeeded, seen.counts.failed), (FleetUpdateState::Completed, 3, 1));
    world.is_consistent().await;
}

#[tokio::test]
async fn an_offer_that_nobody_fetched_is_taken_back_at_once_by_a_pause_and_comes_again_after_it() {
    let (world, mut hosts, release, id) = begun(2, json!({})).await;
    world.acts(id, "pause", &json!({})).await.is(200);
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.in_flight.len()), (FleetUpdateState::Paused, 0));
    assert_eq!(hosts[0].updates(&release).await, None);
    world.tick().await;
    assert_eq!(hosts[0].updates(&release).await, None);
    world.acts(id, "resume", &json!({})).await.is(200);
    hosts[0].updates(&release).await.unwrap();
    hosts[1].updates(&release).await.unwrap();
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
    world.is_consistent().await;
}

#[tokio::test]
async fn cancelled_stays_cancelled_and_hosts_already_updating_are_recorded() {
    let (world, mut hosts, release, id) = begun(3, json!({ "max_in_flight": 2, "waves": [3] })).await;
    let job = hosts[0].begins_update().await.unwrap();
    world.acts(id, "cancel", &json!({ "note": "changed our minds" })).await.is(200);
    for action in ["resume", "pause", "retry-failed"] {
        world.acts(id, action, &json!({ "note": "please" })).await.refused(ProblemCode::WrongState);
    }
    world.acts(id, "cancel", &json!({})).await.is(200);
    hosts[0].tries(&release).await.is(200);
    hosts[0].commits(job).await.is(200);
    world.tick().await;
    assert_eq!(hosts[1].updates(&release).await, None);
    assert_eq!(hosts[2].updates(&release).await, None);
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.waiting_on), (FleetUpdateState::Cancelled, None));
    assert_eq!((seen.counts.succeeded, seen.counts.cancelled), (1, 2));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_second_start_is_refused_with_the_id_of_the_one_that_is_active() {
    let (world, _hosts, _release, id) = begun(2, json!({})).await;
    let admin = world.admin().await;
    let problem = admin
        .post("/api/v1/fleet-updates", &json!({ "version": "1.1.0" }))
        .await
        .refused(ProblemCode::FleetUpdateActive);
    assert_eq!(problem.members["fleet_update_id"], id.to_string());
    assert_eq!(problem.members["lock"], "fleet-update:agent");
    world.acts(id, "cancel", &json!({})).await.is(200);
    world.fleet_update(&json!({ "version": "1.1.0" })).await;
    world.is_consistent().await;
}

#[tokio::test]
async fn one_that_has_halted_does_not_keep_another_one_from_the_other_hosts() {
    let (world, mut hosts, release, halted) = begun(4, json!({ "waves": [4], "max_in_flight": 2 })).await;
    let busy = hosts[1].begins_update().await.unwrap();
    hosts[0].rolls_back(&release, "it crashed").await.unwrap();
    assert_eq!(world.sees_fleet_update(halted).await.state, FleetUpdateState::Halted);
    world.is_consistent().await;

    world.moves(1);
    let better = world.publishes("1.2.0").await;
    let request = json!({ "version": "1.2.0", "waves": [4], "max_in_flight": 4, "soak_seconds": 0 });
    let second = world.fleet_update(&request).await.id;
    world.tick().await;
    let overview = world.viewer().await.get("/api/v1/overview").await.value();
    let told = overview["fleet_updates"].as_array().unwrap().iter().map(|told| told["id"].as_str().unwrap());
    assert_eq!(told.collect::<Vec<_>>(), [second.to_string(), halted.to_string()]);

    // Whoever resumes the first is told of the second, and may cancel either.
    let note = json!({ "note": "a bad disk" });
    for action in ["resume", "retry-failed"] {
        let problem = world.acts(halted, action, &note).await.refused(ProblemCode::FleetUpdateActive);
        assert_eq!(problem.members["fleet_update_id"], second.to_string());
        assert_eq!(problem.members["state"], "running");
    }
    for place in [0, 2, 3] {
        hosts[place].updates(&better).await.unwrap();
    }
    hosts[1].tries(&release).await.is(200);
    hosts[1].commits(busy).await.is(200);
    world.tick().await;
    let seen = world.sees_fleet_update(second).await;
    assert_eq!((seen.state, seen.counts.succeeded, seen.counts.skipped), (FleetUpdateState::Completed, 3, 1));
    let left_out = world.sees_fleet_update_hosts(second).await;
    let left_out = left_out.iter().find(|host| host.host_id == hosts[1].id()).unwrap();
    assert_eq!(left_out.reason.as_deref(), Some("another update of its agent is in progress"));
    world.acts(halted, "cancel", &json!({})).await.is(200);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_host_that_is_lost_in_one_that_has_halted_is_left_out_of_the_next() {
    let (world, mut hosts, release, halted) = begun(2, json!({ "waves": [2], "host_time_limit_seconds": 600 })).await;
    let job = hosts[0].begins_update().await.unwrap();
    hosts[0].tries(&release).await.is(200);
    let done = muster_tests::world::result(muster_schemas::jobs::Outcome::Succeeded, world.now());
    hosts[0].finishes(job, done).await.is(200);
    world.moves(600);
    world.tick().await;
    hosts[0].check_in().await;
    hosts[1].check_in().await;
    assert_eq!(world.sees_fleet_update(halted).await.state, FleetUpdateState::Halted);
    world.publishes("1.2.0").await;
    let second = world.fleet_update(&json!({ "version": "1.2.0", "waves": [2], "max_in_flight": 2 })).await.id;
    world.tick().await;
    assert_eq!(world.sees_fleet_update(second).await.in_flight, [hosts[1].id()]);
    assert_eq!(world.sees_fleet_update(halted).await.in_flight, [hosts[0].id()], "it is still judged by the first");
    world.is_consistent().await;
}

#[tokio::test]
async fn a_canary_that_is_busy_is_replaced_by_another_host_and_the_rest_waits_for_that_one() {
    let window = json!({ "maintenance_window": { "start": "13:00", "end": "14:00" }, "soak_seconds": 60 });
    let (world, mut hosts, release, id) = begun(4, window).await;
    // After the plan was made, the canary is given another update.
    world.publishes("1.0.5").await;
    let update = format!("/api/v1/hosts/{}/update", hosts[0].id());
    world.admin().await.post(&update, &json!({ "version": "1.0.5" })).await.is(202);
    hosts[0].begins_update().await.unwrap();
    world.moves(3_600);
    for host in &mut hosts {
        host.check_in().await;
    }
    world.tick().await;
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.wave, seen.in_flight, seen.waves), (0, vec![hosts[1].id()], vec![2, 2]));
    hosts[1].updates(&release).await.unwrap();
    let seen = world.sees_fleet_update(id).await;
    assert_eq!(seen.waiting_on.as_deref(), Some("the soak of wave 1 to end, 60 s left"));
    world.moves(60);
    world.tick().await;
    assert_eq!(world.sees_fleet_update(id).await.in_flight, [hosts[2].id()]);
    world.is_consistent().await;
}

#[tokio::test]
async fn every_held_poll_of_a_wide_wave_is_answered_with_its_offer_before_any_tick() {
    const HOSTS: u32 = 120;
    let world = World::new().await;
    let mut hosts = world.fleet(HOSTS, "1.0.0").await;
    world.publishes("1.1.0").await;
    let mut held = Vec::new();
    for host in &mut hosts {
        held.push(host.holds(280).await);
    }
    world.clock.until_asleep(HOSTS as usize).await;
    world.fleet_update(&json!({ "version": "1.1.0", "waves": [HOSTS], "max_in_flight": HOSTS })).await;
    world.settles().await;
    // Whoever was woken answers with its offer; whoever was forgotten now comes to the end of its hold.
    world.moves(281);
    let answers = join_all(held).await.into_iter().map(|answer| answer.unwrap().is(200).value());
    let without = answers.filter(|answer| answer["jobs"].as_array().unwrap().is_empty()).count();
    assert_eq!(without, 0, "hosts with an offer whose poll was not answered");
}

#[tokio::test]
async fn of_ten_starts_at_once_one_wins_and_the_others_are_told_its_id() {
    let world = World::new().await;
    world.fleet(3, "1.0.0").await;
    world.publishes("1.1.0").await;
    let admin = world.admin().await;
    let body = json!({ "version": "1.1.0" });
    let answers = join_all((0..10).map(|_| admin.post("/api/v1/fleet-updates", &body))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 1);
    let id = won[0].json::<FleetUpdateView>().id.to_string();
    for answer in lost {
        assert_eq!(answer.refused(ProblemCode::FleetUpdateActive).members["fleet_update_id"], id.as_str());
    }
    world.is_consistent().await;
}

#[tokio::test]
async fn the_same_start_again_with_its_key_is_the_same_fleet_update() {
    let world = World::new().await;
    world.fleet(2, "1.0.0").await;
    world.publishes("1.1.0").await;
    let admin = world.admin().await.with("idempotency-key", "friday");
    let body = json!({ "version": "1.1.0" });
    let first: FleetUpdateView = admin.post("/api/v1/fleet-updates", &body).await.is(201).json();
    let again: FleetUpdateView = admin.post("/api/v1/fleet-updates", &body).await.is(201).json();
    assert_eq!(first.id, again.id);
    let other = json!({ "version": "1.1.0", "note": "x" });
    admin.post("/api/v1/fleet-updates", &other).await.refused(ProblemCode::IdempotencyKeyReused);
}

#[tokio::test]
async fn ticks_at_once_do_no_harm() {
    let (world, mut hosts, release, id) = begun(6, json!({ "waves": [1, 5], "max_in_flight": 3 })).await;
    hosts[0].updates(&release).await.unwrap();
    world.moves(30);
    join_all((0..8).map(|_| world.tick())).await;
    let seen = world.sees_fleet_update(id).await;
    assert_eq!(seen.in_flight.len(), 3);
    let offered = world.sees_fleet_update_hosts(id).await;
    assert!(offered.iter().all(|host| host.attempts <= 1), "nobody was offered it twice: {offered:?}");
    world.is_consistent().await;
    let before = world.sees_fleet_update(id).await.revision;
    world.tick().await;
    assert_eq!(world.sees_fleet_update(id).await.revision, before, "a tick after a tick changes nothing");
}

#[tokio::test]
async fn success_needs_a_new_process_the_version_the_digest_and_the_commit() {
    let (world, mut hosts, release, id) = begun(1, json!({})).await;
    let host = &mut hosts[0];
    let job = host.begins_update().await.unwrap();
    let state = async || world.sees_fleet_update_hosts(id).await[0].state;
    // The word of the job alone.
    let done = muster_tests::world::result(muster_schemas::jobs::Outcome::Succeeded, world.now());
    host.finishes(job, done).await.is(200);
    assert_eq!(state().await, FleetUpdateHostState::Offered);
    // The right version, digest and commit in the old process.
    let old = host.agent.process_id;
    host.agent.version.clone_from(&release.version);
    host.agent.executable_sha256 = release.sha256();
    host.starts().await.is(200);
    assert_eq!(host.agent.process_id, old);
    assert_ne!(state().await, FleetUpdateHostState::Succeeded);
}

#[tokio::test]
async fn a_host_verifies_until_it_commits() {
    let (world, mut hosts, release, id) = begun(1, json!({})).await;
    let job = hosts[0].begins_update().await.unwrap();
    hosts[0].tries(&release).await.is(200);
    let seen = world.sees_fleet_update_hosts(id).await.remove(0);
    assert_eq!(seen.state, FleetUpdateHostState::Verifying);
    assert!(seen.waiting_on.unwrap().starts_with("the health gate of the new agent"));
    hosts[0].commits(job).await.is(200);
    assert_eq!(world.sees_fleet_update_hosts(id).await[0].state, FleetUpdateHostState::Succeeded);
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
}

#[tokio::test]
async fn the_proof_counts_even_when_the_word_of_the_job_comes_first() {
    let (world, mut hosts, release, id) = begun(1, json!({})).await;
    let job = hosts[0].begins_update().await.unwrap();
    hosts[0].tries(&release).await.is(200);
    let done = muster_tests::world::result(muster_schemas::jobs::Outcome::Succeeded, world.now());
    hosts[0].finishes(job, done).await.is(200);
    hosts[0].agent.committed = true;
    let request = muster_schemas::check_ins::CheckInRequest {
        agent: Some(hosts[0].agent.clone()),
        ..hosts[0].check_in_request()
    };
    hosts[0].says(&request).await.is(200);
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
}

#[tokio::test]
async fn the_right_version_with_other_bytes_fails_and_quarantines_the_host() {
    let (world, mut hosts, release, id) = begun(2, json!({})).await;
    hosts[0].begins_update().await.unwrap();
    hosts[0].agent.version.clone_from(&release.version);
    hosts[0].agent.executable_sha256 = "f".repeat(64);
    hosts[0].restarts().await;
    assert_eq!(world.sees_host(hosts[0].id()).await.state, HostState::Quarantined);
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.counts.failed), (FleetUpdateState::Halted, 1));
    let actions = world.alerts().await.into_iter().map(|entry| entry.action).collect::<Vec<_>>();
    assert!(actions.contains(&"host.quarantined".into()), "{actions:?}");
}

#[tokio::test]
async fn a_silent_host_is_lost_keeps_its_slot_and_halts_the_rest_until_it_is_written_off() {
    let (world, mut hosts, release, id) = begun(2, json!({ "host_time_limit_seconds": 600 })).await;
    hosts[0].begins_update().await.unwrap();
    world.moves(600);
    world.tick().await;
    let seen = world.sees_fleet_update(id).await;
    assert_eq!(seen.state, FleetUpdateState::Halted);
    assert!(seen.halted_reason.unwrap().starts_with("slots_exhausted"));
    assert_eq!(seen.in_flight, [hosts[0].id()]);
    assert_eq!(world.sees_fleet_update_hosts(id).await[0].state, FleetUpdateHostState::Lost);
    let note = json!({ "note": "go on" });
    world.acts(id, "resume", &note).await.refused(ProblemCode::WrongState);
    world.acts(id, "write-off", &json!({ "host_id": hosts[1].id() })).await.refused(ProblemCode::WrongState);
    world.acts(id, "write-off", &json!({})).await.refused(ProblemCode::Invalid);
    world.acts(id, "write-off", &json!({ "host_id": hosts[0].id() })).await.is(200);
    hosts[1].check_in().await;
    world.moves(301);
    hosts[1].check_in().await;
    world.acts(id, "resume", &note).await.is(200);
    hosts[1].updates(&release).await.unwrap();
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.counts.succeeded, seen.counts.failed), (FleetUpdateState::Completed, 1, 1));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_lost_host_that_comes_back_proven_is_a_success_after_all() {
    let (world, mut hosts, release, id) = begun(1, json!({ "host_time_limit_seconds": 600 })).await;
    let job = hosts[0].begins_update().await.unwrap();
    world.moves(700);
    world.tick().await;
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Halted);
    hosts[0].tries(&release).await.is(200);
    hosts[0].commits(job).await.is(200);
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.counts.succeeded, seen.in_flight.len()), (1, 0));
    world.acts(id, "resume", &json!({ "note": "it is back" })).await.is(200);
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
    world.is_consistent().await;
}

#[tokio::test]
async fn offline_hosts_are_skipped_waited_for_or_counted_as_failures_as_asked() {
    for (policy, state) in [
        ("skip", FleetUpdateHostState::Skipped),
        ("wait", FleetUpdateHostState::Pending),
        ("fail", FleetUpdateHostState::Failed),
    ] {
        let world = World::new().await;
        let mut hosts = world.fleet(2, "1.0.0").await;
        let release = world.publishes("1.1.0").await;
        world.moves(601);
        hosts[1].check_in().await;
        let request = json!({ "version": "1.1.0", "offline_policy": policy, "waves": [2], "max_failures": 2 });
        let id = world.fleet_update(&request).await.id;
        world.tick().await;
        let seen = world.sees_fleet_update_hosts(id).await;
        assert_eq!(seen[0].host_id, hosts[1].id(), "{policy}: whoever can be updated goes first");
        assert_eq!(seen[0].state, FleetUpdateHostState::Offered, "{policy}: the others go on");
        hosts[1].updates(&release).await;
        world.tick().await;
        let seen = world.sees_fleet_update_hosts(id).await;
        assert_eq!(seen[1].state, state, "{policy}");
        world.is_consistent().await;
    }
}

#[tokio::test]
async fn a_host_that_was_waited_for_gets_its_turn_when_it_returns() {
    let world = World::new().await;
    let mut hosts = world.fleet(1, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    world.moves(601);
    let id = world.fleet_update(&json!({ "version": "1.1.0", "offline_policy": "wait" })).await.id;
    world.tick().await;
    assert!(world.sees_fleet_update(id).await.waiting_on.unwrap().contains("1 host to come online"));
    hosts[0].check_in().await;
    world.tick().await;
    hosts[0].updates(&release).await.unwrap();
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_host_that_was_waited_for_returns_into_the_same_budget() {
    let world = World::new().await;
    let mut hosts = world.fleet(2, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    world.moves(601);
    hosts[1].check_in().await;
    let request = json!({ "version": "1.1.0", "offline_policy": "wait", "waves": [2] });
    let id = world.fleet_update(&request).await.id;
    world.tick().await;
    assert_eq!(world.sees_fleet_update(id).await.in_flight, [hosts[1].id()]);
    hosts[0].check_in().await;
    world.tick().await;
    assert_eq!(hosts[0].updates(&release).await, None, "the one slot is taken");
    hosts[1].updates(&release).await.unwrap();
    hosts[0].updates(&release).await.unwrap();
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
}

#[tokio::test]
async fn a_host_that_is_waited_for_in_vain_is_left_out_at_the_deadline() {
    let world = World::new().await;
    world.fleet(1, "1.0.0").await;
    world.publishes("1.1.0").await;
    world.moves(601);
    let request = json!({ "version": "1.1.0", "offline_policy": "wait", "deadline_seconds": 3_600 });
    let id = world.fleet_update(&request).await.id;
    world.moves(3_600);
    world.tick().await;
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.counts.skipped), (FleetUpdateState::Completed, 1));
    world.is_consistent().await;
}

#[tokio::test]
async fn nothing_is_offered_outside_the_maintenance_window() {
    let window = json!({ "maintenance_window": { "start": "22:00", "end": "04:00" } });
    let (world, mut hosts, release, id) = begun(1, window).await;
    assert_eq!(hosts[0].updates(&release).await, None);
    let waits = world.sees_fleet_update(id).await.waiting_on.unwrap();
    assert_eq!(waits, "the maintenance window to open at 2026-03-02T22:00:00Z");
    assert_eq!(world.sees_fleet_update_hosts(id).await[0].waiting_on.as_deref(), Some(waits.as_str()));
    let opens = "2026-03-02T22:00:00Z".parse::<jiff::Timestamp>().unwrap();
    world.moves(opens.duration_since(world.now()).as_secs());
    hosts[0].check_in().await;
    world.tick().await;
    hosts[0].updates(&release).await.unwrap();
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
}

#[tokio::test]
async fn failed_hosts_get_another_turn_three_times_at_most() {
    let (world, mut hosts, release, id) = begun(1, json!({})).await;
    for _ in 0..2 {
        hosts[0].rolls_back(&release, "it crashed").await.unwrap();
        world.acts(id, "retry-failed", &json!({ "note": "again" })).await.is(200);
    }
    hosts[0].rolls_back(&release, "it crashed").await.unwrap();
    world.acts(id, "retry-failed", &json!({ "note": "again" })).await.refused(ProblemCode::WrongState);
    world.acts(id, "cancel", &json!({})).await.is(200);
    let attempts = world.sees_fleet_update_hosts(id).await[0].attempts;
    assert_eq!((attempts, hosts[0].received.len()), (3, 3));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_host_of_which_nothing_is_known_is_tried_again_before_it_has_told_the_end_of_its_job() {
    let (world, mut hosts, release, id) = begun(2, json!({ "waves": [2] })).await;
    let before = hosts[0].agent.clone();
    let job = hosts[0].begins_update().await.unwrap();
    hosts[0].tries(&release).await.is(200);
    let record = LastUpdate {
        transaction: job,
        to: release.version.clone(),
        outcome: UpdateOutcome::Inconclusive,
        reason: "neither version was answered".into(),
        tries: 3,
    };
    // The supervisor's record comes with the first call of the version that is back; the job's own end comes later.
    hosts[0].agent = AgentReport { last_update: Some(record), ..before };
    hosts[0].restarts().await.is(200);
    let seen = world.sees_fleet_update_hosts(id).await.remove(0);
    assert_eq!((seen.state, seen.attempts), (FleetUpdateHostState::Offered, 2), "{:?}", seen.reason);
    hosts[0]
        .finishes(job, muster_tests::world::result(muster_schemas::jobs::Outcome::Failed, world.now()))
        .await
        .is(200);
    hosts[0].updates(&release).await.unwrap();
    hosts[1].updates(&release).await.unwrap();
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.counts.succeeded), (FleetUpdateState::Completed, 2));
    world.is_consistent().await;
}

#[tokio::test]
async fn hosts_that_are_current_retired_or_of_another_platform_are_skipped_with_a_reason() {
    let world = World::new().await;
    let mut hosts = world.fleet(3, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    hosts[0].agent.version.clone_from(&release.version);
    hosts[0].agent.executable_sha256 = release.sha256();
    hosts[0].restarts().await.is(200);
    hosts[1].facts.architecture = "riscv64".into();
    hosts[1].restarts().await.is(200);
    let request =
        json!({ "version": "1.1.0", "waves": [3], "maintenance_window": { "start": "13:00", "end": "14:00" } });
    let id = world.fleet_update(&request).await.id;
    world.admin().await.delete(&format!("/api/v1/hosts/{}", hosts[2].id())).await.is(204);
    world.moves(3_600);
    world.tick().await;
    let seen = world.sees_fleet_update_hosts(id).await;
    let reasons = seen.iter().map(|host| host.reason.clone().unwrap()).collect::<Vec<_>>();
    // Hosts that could not be updated when they were planned go last.
    assert_eq!(reasons, ["retired", "already runs 1.1.0", "no file for linux-riscv64"]);
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
}

#[tokio::test]
async fn a_host_whose_policy_does_not_allow_updates_is_left_out_and_is_no_failure() {
    let world = World::new().await;
    let mut hosts = world.fleet(3, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    hosts[0].facts.capabilities = vec!["inspect".into(), "run".into()];
    hosts[0].restarts().await.is(200);
    let reason = "its policy does not allow self_update";

    // Its page, a request for it alone, and the dry run say the same.
    let seen = world.sees_host(hosts[0].id()).await;
    assert!(!seen.update_available, "it cannot have it");
    let admin = world.admin().await;
    let update = format!("/api/v1/hosts/{}/update", hosts[0].id());
    let problem = admin.post(&update, &json!({ "version": "1.1.0" })).await.refused(ProblemCode::WrongState);
    assert_eq!(problem.detail.as_deref(), Some(reason));
    let request = json!({ "version": "1.1.0", "soak_seconds": 0 });
    let plan: FleetUpdatePlan = admin.post("/api/v1/fleet-updates?dry_run=true", &request).await.json();
    let canary = plan.waves[0].iter().map(|host| host.host_id).collect::<Vec<_>>();
    assert_eq!(canary, [hosts[1].id()], "a canary is a host that can be updated");

    let id = world.fleet_update(&request).await.id;
    world.tick().await;
    for host in &mut hosts[1..] {
        host.updates(&release).await.unwrap();
        world.tick().await;
    }
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.state, seen.failures), (FleetUpdateState::Completed, 0));
    assert_eq!((seen.counts.succeeded, seen.counts.skipped), (2, 1));
    let left_out = world.sees_fleet_update_hosts(id).await.into_iter().find(|host| host.host_id == hosts[0].id());
    assert_eq!(left_out.unwrap().reason.as_deref(), Some(reason));
    assert!(hosts[0].received.is_empty());
    world.is_consistent().await;
}

#[tokio::test]
async fn a_host_with_other_bytes_of_the_same_version_needs_the_release_by_everybodys_word() {
    let world = World::new().await;
    let mut hosts = world.fleet(1, "1.0.0").await;
    world.publishes("1.1.0").await;
    hosts[0].agent.version = "1.1.0".into();
    hosts[0].restarts().await.is(200);
    assert!(world.sees_host(hosts[0].id()).await.update_available);
    let request = json!({ "version": "1.1.0" });
    let plan: FleetUpdatePlan = world.admin().await.post("/api/v1/fleet-updates?dry_run=true", &request).await.json();
    assert!(plan.current.is_empty());
    let update = format!("/api/v1/hosts/{}/update", hosts[0].id());
    world.admin().await.post(&update, &request).await.is(202);
}

#[tokio::test]
async fn a_plan_that_is_left_in_the_middle_is_continued_by_the_tick_and_every_host_has_one_place() {
    let mut left_at = std::collections::BTreeSet::new();
    for operations in (20..520).step_by(60) {
        let world = World::new().await;
        let like = world.fleet(1, "1.0.0").await.remove(0);
        world.publishes("1.1.0").await;
        world.plants(&like, 269, |number| number % 3 == 0).await;
        let admin = world.admin().await;
        let start = json!({ "version": "1.1.0", "waves": [1, "10%"], "soak_seconds": 0 });
        world.mortal.dies_after(operations);
        tokio::select! {
            _ = admin.post("/api/v1/fleet-updates", &start) => {}
            () = world.mortal.dies() => {}
        }
        let world = world.restarted();
        let Some(left) = world.all::<FleetUpdate>("fleet-updates").await.pop() else { continue };
        left_at.insert(left.total());
        world.tick().await;
        let seen = world.sees_fleet_update(left.id).await;
        assert_eq!((seen.state, seen.waves), (FleetUpdateState::Running, vec![1, 27, 242]), "{operations}");
        let hosts = world.sees_fleet_update_hosts(left.id).await;
        let distinct = hosts.iter().map(|host| host.host_id).collect::<std::collections::BTreeSet<_>>();
        assert_eq!((hosts.len(), distinct.len()), (270, 270), "{operations}");
        let joined =
            |hosts: &[muster_schemas::fleet_updates::FleetUpdateHostView]| hosts.is_sorted_by_key(|host| host.host_id);
        let (ready, others) = hosts.split_at(1 + 89);
        assert!(joined(ready) && joined(others), "those that joined first go first");
        assert_eq!(hosts[0].state, FleetUpdateHostState::Offered);
        world.is_consistent().await;
    }
    assert!(left_at.is_superset(&[0, 90, 180, 270].into()), "it was left between any two steps: {left_at:?}");
}

#[tokio::test]
async fn a_dry_run_gives_the_plan_and_starts_nothing() {
    let world = World::new().await;
    let hosts = world.fleet(5, "1.0.0").await;
    world.publishes("1.1.0").await;
    let request = json!({ "version": "1.1.0", "waves": [1, "40%"], "max_in_flight": "40%", "soak_seconds": 60 });
    let plan: FleetUpdatePlan =
        world.admin().await.post("/api/v1/fleet-updates?dry_run=true", &request).await.is(200).json();
    assert_eq!(plan.waves.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!((plan.waves[0][0].host_id, plan.max_in_flight), (hosts[0].id(), 2));
    assert_eq!(plan.best_case_seconds, 3 * 60 + 2 * 60);
    assert!(world.admin().await.get("/api/v1/fleet-updates").await.value()["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_names_the_field() {
    let world = World::new().await;
    world.fleet(1, "1.0.0").await;
    world.publishes("1.1.0").await;
    let admin = world.admin().await;
    let cases = [
        (json!({ "max_in_flight": 0 }), "max_in_flight"),
        (json!({ "max_in_flight": 1_001 }), "max_in_flight"),
        (json!({ "max_failures": 0 }), "max_failures"),
        (json!({ "waves": [0] }), "waves"),
        (json!({ "soak_seconds": 604_801 }), "soak_seconds"),
        (json!({ "host_time_limit_seconds": 59 }), "host_time_limit_seconds"),
        (json!({ "maintenance_window": { "start": "25:00", "end": "01:00" } }), "maintenance_window.start"),
        (json!({ "selector": { "os": "plan9" } }), "selector"),
        (json!({ "version": "9.9.9" }), "version"),
        (json!({ "version": null }), "version"),
        (json!({ "note": "x".repeat(1_025) }), "note"),
        (json!({ "banana": true }), "banana"),
    ];
    for (extra, field) in cases {
        let mut body = json!({ "version": "1.1.0" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let problem = admin.post("/api/v1/fleet-updates", &body).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field), "{extra}");
    }
}

#[tokio::test]
async fn an_update_job_that_runs_out_before_the_host_fetched_it_gives_the_slot_back() {
    let (world, mut hosts, release, id) = begun(2, json!({ "waves": [2], "host_time_limit_seconds": 600 })).await;
    let job = world.sees_fleet_update_hosts(id).await[0].job_id.unwrap();
    world.moves(599);
    hosts[1].check_in().await;
    world.moves(1);
    world.tick().await;
    assert_eq!(world.sees_job(job).await.state, JobState::Expired);
    let seen = world.sees_fleet_update_hosts(id).await;
    assert_eq!(seen[0].reason.as_deref(), Some("offline"));
    hosts[1].updates(&release).await.unwrap();
    assert_eq!(world.sees_fleet_update(id).await.state, FleetUpdateState::Completed);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_host_that_is_retired_in_its_update_gives_its_slot_back_at_once() {
    type Before = for<'a> fn(&'a World, &'a mut Host, &'a Release) -> futures_util::future::BoxFuture<'a, ()>;
    let offered: Before = |_, host, _| Box::pin(async { drop(host.check_in().await) });
    let accepted: Before = |_, host, _| Box::pin(async { _ = host.begins_update().await.unwrap() });
    let proving: Before = |_, host, release| {
        Box::pin(async {
            host.begins_update().await.unwrap();
            host.tries(release).await.is(200);
        })
    };
    for before in [offered, accepted, proving] {
        let (world, mut hosts, release, id) = begun(3, json!({ "host_time_limit_seconds": 60 })).await;
        before(&world, &mut hosts[0], &release).await;
        let retire = format!("/api/v1/hosts/{}?force=true&reason=sold", hosts[0].id());
        world.admin().await.delete(&retire).await.is(204);
        let gone = &world.sees_fleet_update_hosts(id).await[0];
        assert_eq!((gone.state, gone.reason.as_deref()), (FleetUpdateHostState::Skipped, Some("retired")));
        assert_eq!(world.sees_fleet_update(id).await.in_flight, [hosts[1].id()], "the next host has its turn");
        for host in &mut hosts[1..] {
            host.updates(&release).await.unwrap();
        }
        world.moves(70);
        world.tick().await;
        let seen = world.sees_fleet_update(id).await;
        assert_eq!((seen.state, seen.halted_reason, seen.counts.succeeded), (FleetUpdateState::Completed, None, 2));
        world.is_consistent().await;
    }
}
