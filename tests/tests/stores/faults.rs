//! A bad day of the services and of the scheduler: nothing is doubled, nothing is lost, no limit is exceeded.

use std::sync::Arc;

use futures_util::future::join_all;
use muster_domain::{fleet_updates::FleetUpdate, jobs::Job, pacing::Pacing};
use muster_schemas::{
    fleet_updates::FleetUpdateState,
    ids::{FleetUpdateId, JobId},
    jobs::{JobState, JobsCreated, Outcome},
};
use muster_server::{
    records,
    store::{Consistency, conformance},
    tick,
};
use muster_tests::world::{BadNetwork, FaultRates, Host, Release, Service, Stores, World, result, run_job, started};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::json;

const BAD_DAY: FaultRates = FaultRates { throttled: 0.05, failed: 0.05, unanswered: 0.05 };
const HOSTS: u32 = 12;
const WIDTH: u32 = 3;

async fn fleet_update(world: &World, id: FleetUpdateId) -> FleetUpdate {
    loop {
        // The test looks over the same bad network.
        let found = world.app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await;
        if let Ok(found) = found {
            return found.unwrap().record;
        }
    }
}

/// How far a host has come, by what it does next.
enum Step {
    Waits,
    Tries(JobId),
    Commits(JobId),
    Done,
}

async fn goes_on(host: &mut Host, step: Step, release: &Release) -> Step {
    match step {
        Step::Waits => host.begins_update().await.map_or(Step::Waits, Step::Tries),
        Step::Tries(job) => {
            host.tries(release).await.is(200);
            Step::Commits(job)
        }
        Step::Commits(job) => {
            host.commits(job).await.is(200);
            Step::Done
        }
        Step::Done => Step::Done,
    }
}

/// Four at once, and three of ten never.
async fn ticks(world: &World, random: &mut StdRng) {
    let ticks = (0..4).filter(|_| random.random_bool(0.7)).map(|_| {
        let app = world.restarted().app;
        async move { tick::run(&app).await }
    });
    // A tick that fails is a tick that was lost.
    drop(join_all(ticks.collect::<Vec<_>>()).await);
}

#[tokio::test]
async fn on_a_bad_day_no_limit_is_exceeded_and_no_job_doubled_or_lost() {
    for seed in [1, 2] {
        let network = BadNetwork::new(seed);
        let Some(stores) = Stores::over(&network).await else { return };
        let mut world = World::on(stores).await.paced(Pacing::of_functions());
        world.patience = 20;
        let mut hosts = world.fleet(HOSTS, "1.0.0").await;
        let release = world.publishes("1.1.0").await;
        let request = json!({ "version": "1.1.0", "waves": [1, HOSTS], "max_in_flight": WIDTH, "soak_seconds": 60 });
        let id = world.fleet_update(&request).await.id;
        let operator = world.operator().await;
        let mut random = StdRng::seed_from_u64(seed);
        network.goes_wrong(BAD_DAY);

        let mut steps = hosts.iter().map(|_| Step::Waits).collect::<Vec<_>>();
        for round in 0..200 {
            let mut order = (0..hosts.len()).collect::<Vec<_>>();
            order.shuffle(&mut random);
            for place in order {
                let step = std::mem::replace(&mut steps[place], Step::Done);
                steps[place] = goes_on(&mut hosts[place], step, &release).await;
                let now = fleet_update(&world, id).await;
                let unproven = hosts.iter().filter(|host| !host.agent.committed).count();
                let most = WIDTH as usize;
                assert!(now.slots.len() <= most && unproven <= most, "seed {seed}: {} and {unproven}", now.slots.len());
            }
            ticks(&world, &mut random).await;
            world.moves(20);
            if round < 10 {
                let job = json!({ "host_ids": [hosts[round].id()], "if_offline": "queue" });
                let mut job = job.as_object().unwrap().clone();
                job.extend(run_job().as_object().unwrap().clone());
                let once = operator.clone().with("idempotency-key", &format!("job-{round}"));
                let created: JobsCreated = once.post("/api/v1/jobs", &job).await.is(202).json();
                assert_eq!(created.items.len(), 1);
            }
            if fleet_update(&world, id).await.state == FleetUpdateState::Completed {
                break;
            }
        }

        network.goes_wrong(FaultRates::default());
        // What a lost request has left is done by the next check-ins and ticks.
        for host in &mut hosts {
            while let Some(command) = host.check_in().await.jobs.into_iter().next() {
                host.accepts(command.id).await.is(200);
                let done = result(Outcome::Succeeded, world.now());
                host.tells(command.id, vec![started()]).await.is(200);
                host.finishes(command.id, done).await.is(200);
            }
        }
        world.tick().await;
        let ended = fleet_update(&world, id).await;
        assert_eq!((ended.state, ended.succeeded), (FleetUpdateState::Completed, HOSTS), "seed {seed}");
        let jobs = world.all::<Job>("jobs").await;
        let updates = jobs.iter().filter(|job| job.asked.spec.kind() == "self_update").count();
        assert_eq!((updates, jobs.len() - updates), (HOSTS as usize, 10), "seed {seed}: one each");
        assert!(jobs.iter().all(|job| job.state == JobState::Succeeded), "seed {seed}");
        world.is_consistent().await;
        let counts = network.counts();
        assert!(counts.throttled > 50 && counts.failed > 50 && counts.unanswered > 50, "a bad day: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_whose_answer_was_lost_is_known_again_and_not_done_twice() {
    let Some(engine) = Service::engine() else { return };
    let network = BadNetwork::new(3);
    // Every fifth answer is lost, and the contract still holds: the SDK tries again and meets its own write.
    let table = async || {
        network.goes_wrong(FaultRates::default());
        let table = engine.new_table_over(&network).await;
        network.goes_wrong(FaultRates { unanswered: 0.2, ..FaultRates::default() });
        Arc::new(table) as conformance::Subject
    };
    conformance::items_are_found_as_they_were_written(table().await).await;
    conformance::the_same_attempt_again_has_no_second_effect(table().await).await;
    conformance::of_two_writers_on_one_expectation_one_wins(table().await).await;
    assert!(network.counts().unanswered > 50, "{:?}", network.counts());
}
