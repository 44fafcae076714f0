//! Fleet updates under any order of ticks, reports, failures, silence and operators: what must hold holds after each step.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use muster_schemas::{
    check_ins::{CheckInRequest, CheckInResponse},
    envelopes::sha256_hex,
    fleet_updates::{FleetUpdateHostState, FleetUpdateState},
    ids::{FleetUpdateId, HostId, JobId},
    jobs::{JobError, JobResult, Outcome},
};
use muster_tests::world::{Host, Release, World, result};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;

const HOSTS: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    Tick,
    TwoTicks,
    Moves(i64),
    NewServer,
    ChecksIn(usize),
    Restarts(usize),
    Begins(usize),
    Tries(usize),
    Commits(usize),
    SaysDone(usize),
    RollsBack(usize),
    Fails(usize),
    Obeys(usize),
    Pause,
    Resume,
    Cancel,
    RetryFailed,
    WriteOff(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let host = 0..HOSTS;
    prop_oneof![
        4 => Just(Step::Tick),
        2 => Just(Step::TwoTicks),
        3 => (1_i64..700).prop_map(Step::Moves),
        1 => Just(Step::NewServer),
        4 => host.clone().prop_map(Step::ChecksIn),
        1 => host.clone().prop_map(Step::Restarts),
        6 => host.clone().prop_map(Step::Begins),
        6 => host.clone().prop_map(Step::Tries),
        6 => host.clone().prop_map(Step::Commits),
        2 => host.clone().prop_map(Step::SaysDone),
        2 => host.clone().prop_map(Step::RollsBack),
        2 => host.clone().prop_map(Step::Fails),
        2 => host.clone().prop_map(Step::Obeys),
        1 => Just(Step::Pause),
        3 => Just(Step::Resume),
        1 => Just(Step::Cancel),
        1 => Just(Step::RetryFailed),
        1 => host.prop_map(Step::WriteOff),
    ]
}

/// A fleet with a fleet update under way, and what was seen of it.
struct Run {
    world: World,
    hosts: Vec<Host>,
    release: Release,
    id: FleetUpdateId,
    /// Jobs of hosts that are in an unproven update, by the hosts' own journals.
    unproven: BTreeMap<HostId, JobId>,
    written_off: BTreeSet<HostId>,
    cancelled: bool,
    attempts: u32,
}

impl Run {
    async fn begun(max_in_flight: u32, max_failures: u32, policy: &str) -> Self {
        let world = World::new().await;
        let hosts = world.fleet(u32::try_from(HOSTS).unwrap(), "1.0.0").await;
        let release = world.publishes("1.1.0").await;
        let request = json!({ "version": "1.1.0", "waves": [1, 2], "max_in_flight": max_in_flight, "soak_seconds": 60,
            "max_failures": max_failures, "host_time_limit_seconds": 600, "offline_policy": policy });
        let id = world.fleet_update(&request).await.id;
        let (unproven, written_off) = Default::default();
        Self { world, hosts, release, id, unproven, written_off, cancelled: false, attempts: 0 }
    }

    async fn takes(&mut self, step: Step) {
        let (id, note) = (self.id, json!({ "note": "because" }));
        match step {
            Step::Tick => self.world.tick().await,
            Step::TwoTicks => drop(join_all([self.world.tick(), self.world.tick()]).await),
            Step::Moves(seconds) => self.world.moves(seconds),
            Step::NewServer => self.begins_anew(),
            Step::ChecksIn(host) => drop(self.hosts[host].asks().await),
            Step::Restarts(host) => drop(self.hosts[host].restarts().await),
            Step::Begins(host) => self.begins(host).await,
            Step::Tries(host) if self.unproven.contains_key(&self.hosts[host].id()) => {
                let release = self.release.clone();
                self.hosts[host].tries(&release).await;
            }
            Step::Commits(host) => self.commits(host).await,
            Step::SaysDone(host) => {
                let done = result(Outcome::Succeeded, self.world.now());
                if self.hosts[host].agent.version == "1.1.0" {
                    self.tells(host, done).await;
                }
            }
            Step::RollsBack(host) => self.fails(host, "rolled_back").await,
            Step::Fails(host) => self.fails(host, "inconclusive").await,
            Step::Obeys(host) => self.obeys(host).await,
            Step::Pause => drop(self.world.acts(id, "pause", &note).await),
            Step::Resume => drop(self.world.acts(id, "resume", &note).await),
            Step::Cancel => self.cancelled |= self.world.acts(id, "cancel", &note).await.status == 200,
            Step::RetryFailed => drop(self.world.acts(id, "retry-failed", &note).await),
            Step::WriteOff(host) => {
                let host = self.hosts[host].id();
                if self.world.acts(id, "write-off", &json!({ "host_id": host })).await.status == 200 {
                    self.written_off.insert(host);
                }
            }
            Step::Tries(_) => {}
        }
    }

    /// The server's process is replaced: it remembers nothing.
    fn begins_anew(&mut self) {
        self.world = self.world.restarted();
        for host in &mut self.hosts {
            host.talks_to(&self.world);
        }
    }

    async fn begins(&mut self, host: usize) {
        let running = self.world.sees_fleet_update(self.id).await.state == FleetUpdateState::Running;
        let known = self.hosts[host].received.iter().map(|command| command.id).collect::<BTreeSet<_>>();
        if let Some(job) = self.hosts[host].begins_update().await {
            assert!(running || known.contains(&job), "a first offer while it does not run");
            self.unproven.insert(self.hosts[host].id(), job);
        }
    }

    async fn commits(&mut self, host: usize) {
        let host = &mut self.hosts[host];
        if host.agent.version == "1.1.0" && !host.agent.committed {
            host.agent.committed = true;
            let request = CheckInRequest { agent: Some(host.agent.clone()), ..host.check_in_request() };
            host.says(&request).await;
            let job = self.unproven.remove(&host.id()).unwrap();
            if host.journal.contains(&job) {
                let done = result(Outcome::Succeeded, self.world.now());
                host.finishes(job, done).await.is(200);
            }
        }
    }

    async fn fails(&mut self, host: usize, code: &str) {
        let id = self.hosts[host].id();
        if self.unproven.contains_key(&id) {
            let error = JobError { code: code.into(), message: "it crashed".into() };
            let failed = JobResult { error: Some(error), ..result(Outcome::Failed, self.world.now()) };
            let host_now = &mut self.hosts[host];
            host_now.agent.version = "1.0.0".into();
            host_now.agent.executable_sha256 = sha256_hex(b"the agent 1.0.0");
            host_now.agent.committed = true;
            host_now.restarts().await;
            self.tells(host, failed).await;
            self.unproven.remove(&id);
        }
    }

    /// Stops what it was asked to stop, as far as it has not started it.
    async fn obeys(&mut self, host: usize) {
        let answer = self.hosts[host].asks().await;
        if answer.status == 200 {
            let cancel = answer.json::<CheckInResponse>().cancel;
            let journal = self.hosts[host].journal.clone();
            for job in cancel.into_iter().filter(|job| !journal.contains(job)) {
                let stopped = result(Outcome::Cancelled, self.world.now());
                self.hosts[host].finishes(job, stopped).await;
            }
        }
    }

    async fn tells(&mut self, host: usize, result: JobResult) {
        if let Some(job) = self.unproven.get(&self.hosts[host].id()) {
            self.hosts[host].finishes(*job, result).await;
        }
    }

    async fn holds(&mut self) {
        self.world.is_consistent().await;
        let seen = self.world.sees_fleet_update(self.id).await;
        let physical = self.unproven.keys().filter(|host| !self.written_off.contains(host)).count();
        assert!(physical <= seen.max_in_flight as usize, "{physical} hosts in an unproven update");
        assert!(!self.cancelled || seen.state == FleetUpdateState::Cancelled, "cancelled stays cancelled");
        let hosts = self.world.sees_fleet_update_hosts(self.id).await;
        let attempts = hosts.iter().map(|host| host.attempts).sum();
        assert!(attempts == self.attempts || !self.cancelled, "an offer after the cancel");
        assert!(hosts.iter().all(|host| host.attempts <= 3), "more than three attempts");
        self.attempts = attempts;
        for host in hosts.iter().filter(|host| host.state == FleetUpdateHostState::Succeeded) {
            let real = self.hosts.iter().find(|real| real.id() == host.host_id).unwrap();
            assert_eq!(
                (real.agent.version.as_str(), real.agent.committed),
                ("1.1.0", true),
                "{} is no success",
                real.name
            );
        }
    }

    /// All hosts fall silent: it ends or halts without an operator.
    async fn ends(&mut self) {
        let id = self.id;
        self.world.acts(id, "resume", &json!({ "note": "to the end" })).await;
        for _ in 0..12 {
            self.world.moves(86_400);
            self.world.tick().await;
            self.holds().await;
        }
        let state = self.world.sees_fleet_update(id).await.state;
        assert_ne!(state, FleetUpdateState::Running, "it neither ends nor halts");
        assert_ne!(state, FleetUpdateState::Paused, "it neither ends nor halts");
    }
}

/// `MUSTER_INTERLEAVINGS=500` draws for longer.
fn cases() -> u32 {
    std::env::var("MUSTER_INTERLEAVINGS").map_or(24, |cases| cases.parse().unwrap())
}

#[test]
fn any_order_of_steps_keeps_the_promises_of_a_fleet_update() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    };
    let policy = prop_oneof![Just("skip"), Just("wait"), Just("fail"), Just("catch_up")];
    let runs = (1_u32..4, 1_u32..3, policy, vec(step(), 10..60));
    let run = |(max_in_flight, max_failures, policy, steps): (u32, u32, &str, Vec<Step>)| {
        runtime.block_on(async {
            let mut run = Run::begun(max_in_flight, max_failures, policy).await;
            run.holds().await;
            for step in steps {
                run.takes(step).await;
                run.holds().await;
            }
            run.ends().await;
        });
        Ok(())
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)).run(&runs, run).unwrap();
}
