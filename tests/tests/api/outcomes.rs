//! Every kind of outcome that an update of an agent can have, many times over in one fleet update, in any order: each is judged by
//! what it was. `MUSTER_TEST_OUTCOMES` says how many hosts of each kind; the long run has 100.

use muster_schemas::{
    envelopes::sha256_hex,
    fleet_updates::{FleetUpdateHostState as State, FleetUpdateHostView},
    hosts::HostState,
    ids::JobId,
    jobs::{JobError, JobResult, Outcome},
    reports::{AgentReport, LastUpdate, UpdateOutcome},
};
use muster_tests::world::{Host, Release, World, result};
use serde_json::json;

const HOST_TIME_LIMIT_SECONDS: i64 = 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Committed,
    RolledBack,
    Inconclusive,
    Refused,
    NeverTried,
    AnotherVersion,
    OtherBytes,
    CrashLoop,
    Silent,
}

const KINDS: [Kind; 9] = [
    Kind::Committed,
    Kind::RolledBack,
    Kind::Inconclusive,
    Kind::Refused,
    Kind::NeverTried,
    Kind::AnotherVersion,
    Kind::OtherBytes,
    Kind::CrashLoop,
    Kind::Silent,
];

struct Updating {
    host: Host,
    kind: Kind,
    job: JobId,
}

#[tokio::test]
async fn every_kind_of_outcome_is_judged_by_what_it_was_in_any_order() {
    let each = std::env::var("MUSTER_TEST_OUTCOMES").map_or(2, |each| each.parse().unwrap());
    let world = World::new().await;
    let mut hosts = world.fleet(each * 9, "1.0.0").await;
    for host in &mut hosts {
        // Joining takes a second each: the first of many would count as offline.
        host.check_in().await;
    }
    let release = world.publishes("1.1.0").await;
    let all = json!({
        "version": "1.1.0", "waves": [hosts.len()], "max_in_flight": hosts.len(), "max_failures": 1_000,
        "soak_seconds": 0, "host_time_limit_seconds": HOST_TIME_LIMIT_SECONDS,
    });
    let id = world.fleet_update(&all).await.id;
    for _ in 0..hosts.len() {
        world.tick().await;
    }
    let mut updating = Vec::new();
    for (mut host, kind) in hosts.into_iter().zip(KINDS.into_iter().cycle()) {
        let job = host.begins_update().await.unwrap();
        updating.push(Updating { host, kind, job });
    }
    updating.sort_by_cached_key(|one| sha256_hex(one.job.to_string().as_bytes()));
    for one in &mut updating {
        world.moves(1);
        one.happens(&world, &release).await;
    }
    let seen = world.sees_fleet_update_hosts(id).await;
    let in_time = updating.iter().filter(|one| ![Kind::NeverTried, Kind::Silent].contains(&one.kind));
    assert_eq!(in_time.filter(|one| one.is_judged_right(&seen)).count(), 7 * each as usize, "{seen:#?}");
    world.moves(HOST_TIME_LIMIT_SECONDS);
    for _ in 0..updating.len() {
        world.tick().await;
    }
    for one in updating.iter_mut().filter(|one| one.kind == Kind::NeverTried) {
        one.host.restarts().await.is(200);
    }
    let seen = world.sees_fleet_update_hosts(id).await;
    let right = updating.iter().filter(|one| one.is_judged_right(&seen)).count();
    assert_eq!(right, updating.len(), "{seen:#?}");
    for one in updating.iter().filter(|one| one.kind == Kind::OtherBytes) {
        assert_eq!(world.sees_host(one.host.id()).await.state, HostState::Quarantined);
    }
    // What was presumed is corrected by a proof, however late.
    for one in updating.iter_mut().filter(|one| one.kind == Kind::Silent) {
        one.host.tries(&release).await.is(200);
        one.host.commits(one.job).await.is(200);
    }
    let seen = world.sees_fleet_update(id).await;
    assert_eq!((seen.counts.succeeded, seen.counts.failed), (3 * each, 6 * each));
    world.is_consistent().await;
}

impl Updating {
    async fn happens(&mut self, world: &World, release: &Release) {
        let Self { host, kind, job } = self;
        let before = host.agent.clone();
        let record = |outcome, reason: &str| {
            let reason = reason.to_owned();
            Some(LastUpdate { transaction: *job, to: release.version.clone(), outcome, reason, tries: 3 })
        };
        let fails = |code: &str| {
            let error = JobError { code: code.into(), message: "as it was told".into() };
            JobResult { error: Some(error), ..result(Outcome::Failed, world.now()) }
        };
        match kind {
            Kind::Committed => {
                host.tries(release).await.is(200);
                host.commits(*job).await.is(200);
            }
            Kind::RolledBack => {
                host.tries(release).await.is(200);
                host.agent = AgentReport { last_update: record(UpdateOutcome::RolledBack, "it crashed"), ..before };
                host.restarts().await.is(200);
                host.finishes(*job, fails("rolled_back")).await.is(200);
            }
            Kind::Inconclusive => {
                host.agent = AgentReport { last_update: record(UpdateOutcome::Inconclusive, "no answer"), ..before };
                host.restarts().await.is(200);
                host.finishes(*job, fails("inconclusive")).await.is(200);
                host.updates(release).await.unwrap();
            }
            Kind::Refused => drop(host.finishes(*job, fails("signature")).await.is(200)),
            Kind::NeverTried | Kind::Silent => {}
            Kind::AnotherVersion => {
                host.agent.version = "0.9.0".into();
                host.restarts().await.is(200);
            }
            Kind::OtherBytes => {
                host.agent.version.clone_from(&release.version);
                host.agent.executable_sha256 = "f".repeat(64);
                host.restarts().await;
            }
            Kind::CrashLoop => {
                for _ in 0..3 {
                    host.tries(release).await.is(200);
                }
            }
        }
    }

    fn is_judged_right(&self, seen: &[FleetUpdateHostView]) -> bool {
        let seen = seen.iter().find(|seen| seen.host_id == self.host.id()).unwrap();
        let (state, why, attempts) = match self.kind {
            Kind::Committed => (State::Succeeded, "", 1),
            Kind::RolledBack => (State::Failed, "rolled_back: it crashed", 1),
            Kind::Inconclusive => (State::Succeeded, "", 2),
            Kind::Refused => (State::Failed, "signature: as it was told", 1),
            Kind::NeverTried => (State::Failed, "no_attempt: the agent came back without a record of the update", 1),
            Kind::AnotherVersion => (State::Failed, "the agent came back as version 0.9.0, expected 1.1.0", 1),
            Kind::OtherBytes => (State::Failed, "version 1.1.0 runs a different executable", 1),
            Kind::CrashLoop => (State::Failed, "crash_loop: 3 new processes, none committed", 1),
            Kind::Silent => (State::Lost, "", 1),
        };
        seen.state == state && seen.reason.as_deref().unwrap_or_default().starts_with(why) && seen.attempts == attempts
    }
}
