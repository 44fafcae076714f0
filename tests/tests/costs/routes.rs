use muster_domain::pacing::Pacing;
use muster_schemas::jobs::Outcome;
use muster_tests::world::{World, finished, output, result, run_job, started};
use serde_json::json;

use super::{reads, writes};

/// What each of these costs, one after the other: its name, read units, write units.
#[derive(Default)]
struct Bill(Vec<(&'static str, f64, f64)>);

impl Bill {
    fn add(&mut self, world: &World, what: &'static str) {
        let units = world.table.take();
        self.0.push((what, reads(&units), writes(&units)));
    }

    fn of(&self, what: &str) -> (f64, f64) {
        self.0.iter().find(|(name, ..)| *name == what).map(|(_, reads, writes)| (*reads, *writes)).unwrap()
    }
}

/// `cargo test -p muster-tests --test costs routes -- --nocapture` prints the bill.
#[tokio::test]
async fn what_hosts_do_all_day_costs_half_a_unit_and_everything_else_little() {
    let world = World::new().await.paced(Pacing::of_functions());
    let (admin, operator, viewer) = (world.admin().await, world.operator().await, world.viewer().await);
    let (mut host, mut bill) = (muster_tests::world::Host::new(&world, "one"), Bill::default());
    world.table.take();

    let token = world.token(1).await;
    bill.add(&world, "POST enrollment-tokens (and a sign-in)");
    host.joins(token.token.reveal()).await.is(201);
    bill.add(&world, "POST agent/enroll");
    host.caller().await;
    bill.add(&world, "POST oauth/token");
    host.starts().await.is(200);
    bill.add(&world, "POST agent/session");
    host.check_in().await;
    bill.add(&world, "POST agent/check-in, idle");
    world.moves(900);
    host.check_in().await;
    bill.add(&world, "POST agent/check-in, heard from");

    let mut job = json!({ "host_ids": [host.id()] });
    job.as_object_mut().unwrap().extend(run_job().as_object().unwrap().clone());
    operator.post("/api/v1/jobs", &job).await.is(202);
    bill.add(&world, "POST jobs");
    let id = host.check_in().await.jobs[0].id;
    bill.add(&world, "POST agent/check-in, offered a job");
    host.accepts(id).await.is(200);
    bill.add(&world, "POST agent/jobs/events, accepted");
    host.tells(id, vec![started()]).await.is(200);
    bill.add(&world, "POST agent/jobs/events, started");
    host.tells(id, vec![output(&"x".repeat(1_000))]).await.is(200);
    bill.add(&world, "POST agent/jobs/events, a kilobyte of output");
    host.check_in().await;
    bill.add(&world, "POST agent/check-in, busy");
    let done = result(Outcome::Succeeded, world.now());
    host.tells(id, vec![finished(done)]).await.is(200);
    bill.add(&world, "POST agent/jobs/events, finished");
    viewer.get(&format!("/api/v1/jobs/{id}")).await.is(200);
    bill.add(&world, "GET jobs/{id}");
    viewer.get(&format!("/api/v1/jobs/{id}/log")).await.is(200);
    bill.add(&world, "GET jobs/{id}/log");
    viewer.get("/api/v1/jobs").await.is(200);
    bill.add(&world, "GET jobs, one there");
    viewer.get("/api/v1/hosts").await.is(200);
    bill.add(&world, "GET hosts, one there");
    viewer.get("/api/v1/audit").await.is(200);
    bill.add(&world, "GET audit, a few there");
    viewer.get(&format!("/api/v1/hosts/{}", host.id())).await.is(200);
    bill.add(&world, "GET hosts/{id}");
    admin.get("/api/v1/users").await.is(200);
    bill.add(&world, "GET users, three there");
    world.tick().await;
    bill.add(&world, "tick, nothing due");

    for (what, reads, writes) in &bill.0 {
        println!("| {what} | {reads} | {writes} |");
    }
    assert_eq!(bill.of("POST agent/check-in, idle"), (0.5, 0.0));
    assert_eq!(bill.of("POST agent/check-in, heard from"), (0.5, 1.0), "on what was read");
    assert_eq!(bill.of("POST oauth/token"), (0.5, 0.0));
    assert_eq!(bill.of("tick, nothing due"), (0.5, 0.0));
}
