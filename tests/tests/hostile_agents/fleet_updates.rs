//! Fleet updates: a host counts once and for itself; no word of it moves, halts or proves the update of another.

use muster_domain::fleet_updates::hosts::FleetUpdateHost;
use muster_schemas::{
    check_ins::CheckInRequest,
    fleet_updates::{FleetUpdateHostState, FleetUpdateState},
    hosts::HostState,
    ids::{FleetUpdateId, JobId},
    jobs::{JobError, JobResult, Outcome},
    problems::ProblemCode,
    reports::{AgentReport, LastUpdate, UpdateOutcome},
};
use muster_server::{records, store::Query};
use muster_tests::world::{Host, Release, World, accepted, finished, result, started};
use serde_json::{Value, json};

/// A fleet whose first host is hostile, and an update of it.
struct Scene {
    world: World,
    hostile: Host,
    honest: Vec<Host>,
    release: Release,
    id: FleetUpdateId,
}

impl Scene {
    async fn new(request: Value) -> Self {
        let world = World::new().await;
        let mut honest = world.fleet(4, "1.0.0").await;
        let release = world.publishes("1.1.0").await;
        let mut body = json!({ "version": "1.1.0", "soak_seconds": 0 });
        body.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        let id = world.fleet_update(&body).await.id;
        world.tick().await;
        Self { world, hostile: honest.remove(0), honest, release, id }
    }

    /// One that goes on after two failures.
    async fn lenient() -> Self {
        Self::new(json!({ "waves": [4], "max_in_flight": 4, "max_failures": 3 })).await
    }

    /// The hostile host reports this with a new session of a new process, whatever comes of it.
    async fn reports(&mut self, agent: AgentReport) -> u16 {
        self.hostile.agent = agent;
        self.hostile.restarts().await.status
    }

    /// The hostile host reports this with a check-in, whatever comes of it.
    async fn says(&mut self, agent: AgentReport) -> u16 {
        let request = CheckInRequest { agent: Some(agent), ..self.hostile.check_in_request() };
        self.hostile.says(&request).await.status
    }

    fn on_target(&self) -> AgentReport {
        AgentReport {
            version: self.release.version.clone(),
            executable_sha256: self.release.sha256(),
            process_id: self.world.process(),
            committed: true,
            ..self.hostile.agent.clone()
        }
    }

    fn ended(&self, transaction: JobId, outcome: UpdateOutcome) -> AgentReport {
        let (to, reason) = (self.release.version.clone(), "hostile".into());
        let last_update = Some(LastUpdate { transaction, to, outcome, reason, tries: 3 });
        AgentReport { last_update, ..self.hostile.agent.clone() }
    }

    async fn state_of(&self, host: &Host) -> FleetUpdateHostState {
        let hosts = self.world.sees_fleet_update_hosts(self.id).await;
        hosts.into_iter().find(|seen| seen.host_id == host.id()).unwrap().state
    }

    /// The others are brought to the release, and whoever is honest can go on to be served.
    async fn others_complete(mut self, hostile_ended: FleetUpdateHostState) {
        for host in &mut self.honest {
            host.updates(&self.release).await.expect("it is offered the release");
        }
        self.world.tick().await;
        let seen = self.world.sees_fleet_update(self.id).await;
        assert_eq!((seen.state, seen.counts.total), (FleetUpdateState::Completed, 4), "{seen:?}");
        for host in &self.honest {
            assert_eq!(self.state_of(host).await, FleetUpdateHostState::Succeeded);
        }
        assert_eq!(self.state_of(&self.hostile).await, hostile_ended);
        self.world.settles().await;
        self.world.is_consistent().await;
        let job = self.world.job(self.honest[0].id(), &muster_tests::world::run_job()).await.id;
        self.honest[0].runs(job).await.is(200);
    }
}

#[tokio::test]
async fn a_host_that_was_not_admitted_yet_and_says_it_is_done_moves_nobodys_turn() {
    let mut scene = Scene::new(json!({ "waves": [1, 1], "max_in_flight": 1 })).await;
    // The canary is the first one; the hostile host is the last.
    std::mem::swap(&mut scene.hostile, &mut scene.honest[2]);
    scene.honest.rotate_right(1);
    let before = scene.world.sees_fleet_update(scene.id).await;
    for _ in 0..20 {
        let agent = scene.on_target();
        assert_eq!(scene.reports(agent.clone()).await, 200);
        assert_eq!(scene.says(AgentReport { committed: false, ..agent }).await, 200);
        scene.world.tick().await;
    }
    let agent = scene.on_target();
    assert_eq!(scene.reports(agent).await, 200);
    let seen = scene.world.sees_fleet_update(scene.id).await;
    assert_eq!((seen.counts, seen.in_flight, seen.wave), (before.counts, before.in_flight, before.wave));
    scene.honest.sort_by_key(Host::id);
    scene.others_complete(FleetUpdateHostState::Skipped).await;
}

#[tokio::test]
async fn a_thousand_failures_of_one_host_are_one_failure() {
    let mut scene = Scene::lenient().await;
    let job = scene.hostile.begins_update().await.unwrap();
    for _ in 0..200 {
        let agent = scene.ended(job, UpdateOutcome::RolledBack);
        scene.reports(agent.clone()).await;
        scene.says(agent).await;
        let error = Some(JobError { code: "rolled_back".into(), message: "hostile".into() });
        let failed = JobResult { error, ..result(Outcome::Failed, scene.world.now()) };
        let _ = scene.hostile.tells(job, vec![finished(failed)]).await;
        scene.world.moves(1);
    }
    let seen = scene.world.sees_fleet_update(scene.id).await;
    assert_eq!((seen.state, seen.failures, seen.counts.failed), (FleetUpdateState::Running, 1, 1));
    scene.others_complete(FleetUpdateHostState::Failed).await;
}

#[tokio::test]
async fn crash_loops_without_end_are_one_failure_and_a_record_of_bounded_size() {
    let mut scene = Scene::lenient().await;
    scene.hostile.begins_update().await.unwrap();
    let record = async |scene: &Scene| {
        let query = Query::all(records::fleet_updates::key(scene.id).partition, 100);
        let items = scene.world.rows(None, query).await;
        let hosts = items.iter().filter_map(|item| {
            serde_json::from_slice::<FleetUpdateHost>(&item.body).ok().map(|host| (host.host_id, item.body.len()))
        });
        hosts.into_iter().find(|(id, _)| *id == scene.hostile.id()).unwrap().1
    };
    for number in 0..300 {
        let agent = AgentReport { committed: false, ..scene.on_target() };
        let _ = if number % 2 == 0 { scene.reports(agent).await } else { scene.says(agent).await };
        if number == 1 {
            assert_eq!(scene.state_of(&scene.hostile).await, FleetUpdateHostState::Verifying);
        }
        if number % 50 == 49 {
            scene.world.moves(10);
        }
        assert!(record(&scene).await < 2_000);
    }
    let seen = scene.world.sees_fleet_update(scene.id).await;
    assert_eq!((seen.state, seen.failures), (FleetUpdateState::Running, 1));
    scene.others_complete(FleetUpdateHostState::Failed).await;
}

#[tokio::test]
async fn a_record_of_another_hosts_update_decides_nothing() {
    let mut scene = Scene::lenient().await;
    let theirs = scene.honest[0].begins_update().await.unwrap();
    scene.hostile.begins_update().await.unwrap();
    for outcome in
        [UpdateOutcome::RolledBack, UpdateOutcome::Refused, UpdateOutcome::Inconclusive, UpdateOutcome::Committed]
    {
        let agent = scene.ended(theirs, outcome);
        assert_eq!(scene.says(agent).await, 200);
        scene
            .hostile
            .tells(theirs, vec![finished(result(Outcome::Failed, scene.world.now()))])
            .await
            .refused(ProblemCode::NotFound);
    }
    assert_eq!(scene.state_of(&scene.honest[0]).await, FleetUpdateHostState::Offered);
    assert_eq!(scene.state_of(&scene.hostile).await, FleetUpdateHostState::Offered);
    scene.honest[0].tries(&scene.release).await.is(200);
    scene.honest[0].commits(theirs).await.is(200);
    assert_eq!(scene.state_of(&scene.honest[0]).await, FleetUpdateHostState::Succeeded);
    let agent = scene.on_target();
    assert_eq!(scene.reports(agent).await, 200);
    let mut honest = scene.honest.split_off(1);
    for host in &mut honest {
        host.updates(&scene.release).await.unwrap();
    }
    assert_eq!(scene.world.sees_fleet_update(scene.id).await.state, FleetUpdateState::Completed);
    // Only its own update could be told of by the hostile host, and that is still open on it.
    scene.world.settles().await;
    scene.world.is_consistent().await;
}

#[tokio::test]
async fn forged_bytes_raise_an_alert_quarantine_their_host_and_keep_nobody_else_from_the_release() {
    let mut scene = Scene::lenient().await;
    scene.hostile.begins_update().await.unwrap();
    let forged = AgentReport { executable_sha256: "f".repeat(64), ..scene.on_target() };
    assert_eq!(scene.reports(forged.clone()).await, 409);
    assert_eq!(scene.world.sees_host(scene.hostile.id()).await.state, HostState::Quarantined);
    for _ in 0..50 {
        assert_eq!(scene.reports(forged.clone()).await, 409);
        let good = scene.on_target();
        assert_eq!(scene.reports(good).await, 409, "what it says now is too late");
    }
    let alerts = scene.world.alerts().await.into_iter().filter(|entry| entry.action == "host.quarantined");
    assert_eq!(alerts.count(), 1);
    scene.others_complete(FleetUpdateHostState::Failed).await;
}

#[tokio::test]
async fn a_host_whose_versions_flip_gets_one_verdict() {
    let mut scene = Scene::lenient().await;
    let before = scene.hostile.agent.clone();
    scene.hostile.begins_update().await.unwrap();
    let other = AgentReport { version: "0.0.1".into(), process_id: scene.world.process(), ..before.clone() };
    assert_eq!(scene.reports(other).await, 200);
    assert_eq!(scene.state_of(&scene.hostile).await, FleetUpdateHostState::Failed);
    for _ in 0..20 {
        let target = scene.on_target();
        assert_eq!(scene.reports(target).await, 200);
        assert_eq!(scene.reports(before.clone()).await, 200);
        scene.world.moves(1);
    }
    assert_eq!(scene.state_of(&scene.hostile).await, FleetUpdateHostState::Failed);
    assert_eq!(scene.world.sees_fleet_update(scene.id).await.failures, 1);
    scene.others_complete(FleetUpdateHostState::Failed).await;
}

#[tokio::test]
async fn the_word_of_a_success_without_its_proof_is_none_and_costs_the_host_its_own_slot_alone() {
    let mut scene =
        Scene::new(json!({ "waves": [4], "max_in_flight": 4, "max_failures": 3, "host_time_limit_seconds": 600 }))
            .await;
    let job = scene.hostile.begins_update().await.unwrap();
    let agent = AgentReport { process_id: scene.hostile.agent.process_id, ..scene.on_target() };
    scene.says(agent).await;
    scene.hostile.tells(job, vec![finished(result(Outcome::Succeeded, scene.world.now()))]).await.is(200);
    assert_eq!(scene.state_of(&scene.hostile).await, FleetUpdateHostState::Offered);
    for host in &mut scene.honest {
        host.updates(&scene.release).await.unwrap();
    }
    scene.world.moves(600);
    scene.world.tick().await;
    assert_eq!(scene.state_of(&scene.hostile).await, FleetUpdateHostState::Lost);
    let seen = scene.world.sees_fleet_update(scene.id).await;
    assert_eq!((seen.counts.succeeded, seen.in_flight), (3, vec![scene.hostile.id()]));
    scene.world.is_consistent().await;
}

#[tokio::test]
async fn a_host_that_turns_every_offer_down_is_offered_the_release_three_times_and_holds_up_nobody() {
    let mut scene = Scene::lenient().await;
    let mut offers = 0;
    for _ in 0..10 {
        let offered = scene.hostile.check_in().await.jobs;
        for job in offered.iter().map(|command| command.id) {
            offers += 1;
            let turned_down = finished(result(Outcome::Cancelled, scene.world.now()));
            scene.hostile.tells(job, vec![turned_down]).await.is(200);
        }
        scene.world.tick().await;
        scene.world.moves(1);
    }
    assert_eq!(offers, 3);
    scene.others_complete(FleetUpdateHostState::Skipped).await;
}

#[tokio::test]
async fn an_update_that_is_inconclusive_for_ever_ends_as_one_failure() {
    let mut scene = Scene::lenient().await;
    for _ in 0..10 {
        let Some(job) = scene.hostile.check_in().await.jobs.first().map(|command| command.id) else { break };
        scene.hostile.tells(job, vec![accepted(), started()]).await.is(200);
        let agent = scene.ended(job, UpdateOutcome::Inconclusive);
        scene.reports(agent).await;
        scene.hostile.tells(job, vec![finished(result(Outcome::Failed, scene.world.now()))]).await.is(200);
        scene.world.tick().await;
    }
    let seen = scene.world.sees_fleet_update(scene.id).await;
    assert_eq!((seen.state, seen.failures), (FleetUpdateState::Running, 1));
    scene.others_complete(FleetUpdateHostState::Failed).await;
}

#[tokio::test]
async fn facts_that_change_in_the_middle_leave_out_the_host_that_changed_them_and_nobody_else() {
    let mut scene = Scene::new(json!({ "waves": [1], "max_in_flight": 4, "max_failures": 3 })).await;
    std::mem::swap(&mut scene.hostile, &mut scene.honest[2]);
    for (os, architecture) in [("plan9", "x86_64"), ("", ""), ("linux", "../../x"), ("linux-x86", "64")] {
        (scene.hostile.facts.os, scene.hostile.facts.architecture) = (os.into(), architecture.into());
        scene.hostile.restarts().await.is(200);
        scene.world.tick().await;
    }
    scene.honest.sort_by_key(Host::id);
    scene.others_complete(FleetUpdateHostState::Skipped).await;
}
