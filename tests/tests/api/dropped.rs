//! A client that goes away and a server that dies, at every point: nothing is left half done.

use axum::http::Method;
use muster_domain::{fleet_updates::FleetUpdate, hosts::Host as Record, jobs::Job};
use muster_schemas::{PROTOCOL, jobs::Outcome};
use muster_tests::world::{
    Answer, Caller, Host, World, accepted, finished, json_request, output, polled, result, run_job, started,
};
use serde_json::{Value, json};

/// A request that changes something, ready to be sent.
struct Act {
    caller: Caller,
    path: String,
    body: Value,
}

impl Act {
    async fn sent(&self) -> Answer {
        self.caller.sends(json_request(Method::POST, &self.path, &self.body)).await
    }
}

/// The act with its client gone, and with the server dead, at every point.
async fn interrupted_everywhere(arrange: impl AsyncFn(&World) -> Act, holds: impl AsyncFn(&World)) {
    with_the_client_gone(&arrange, &holds).await;
    with_the_server_dead(&arrange, &holds).await;
}

/// The act with its client gone after 1, 2, 3 … polls, until it is done before that.
async fn with_the_client_gone(arrange: &impl AsyncFn(&World) -> Act, holds: &impl AsyncFn(&World)) {
    for polls in 1.. {
        let world = World::new().await;
        let act = arrange(&world).await;
        let done = polled(act.sent(), polls).await;
        world.settles().await;
        assert!(world.app.polls.is_empty(), "a waiter is left over after {polls} polls");
        holds_afterwards(&world, &act, holds).await;
        if done.is_some() {
            assert!(polls > 1, "nothing was interrupted");
            return;
        }
    }
}

/// The act with the server dead before its 1st, 2nd, 3rd … operation on the store, until it is done before that.
async fn with_the_server_dead(arrange: &impl AsyncFn(&World) -> Act, holds: &impl AsyncFn(&World)) {
    for operations in 0.. {
        let world = World::new().await;
        let act = arrange(&world).await;
        world.mortal.dies_after(operations);
        let done = tokio::select! {
            _ = act.sent() => true,
            () = world.mortal.dies() => false,
        };
        let act = Act { caller: act.caller.to(&world.restarted()), ..act };
        holds_afterwards(&world.restarted(), &act, holds).await;
        if done {
            assert!(operations > 1, "nothing was interrupted");
            return;
        }
    }
}

async fn holds_afterwards(world: &World, act: &Act, holds: &impl AsyncFn(&World)) {
    world.tick().await;
    world.is_consistent().await;
    act.sent().await;
    world.tick().await;
    world.is_consistent().await;
    holds(world).await;
}

async fn asks_for_a_job(world: &World) -> Act {
    let host = world.host("one").await;
    let mut body = json!({ "host_ids": [host.id()] });
    body.as_object_mut().unwrap().extend(run_job().as_object().unwrap().clone());
    let caller = world.operator().await.with("idempotency-key", "once");
    Act { caller, path: "/api/v1/jobs".into(), body }
}

async fn has_one_job(world: &World) {
    assert_eq!(world.all::<Job>("jobs").await.len(), 1);
}

async fn has_two_jobs(world: &World) {
    assert_eq!(world.all::<Job>("jobs").await.len(), 2);
}

async fn joins(world: &World) -> Act {
    let token = world.token(1).await.token;
    let host = Host::new(world, "one");
    let body = json!({ "enrollment_token": token, "public_key": host.public_key(), "facts": host.facts });
    Act { caller: world.nobody(), path: "/api/v1/agent/enroll".into(), body }
}

async fn has_one_host(world: &World) {
    assert_eq!(world.all::<Record>("hosts").await.len(), 1);
}

async fn starts_a_session(world: &World) -> Act {
    let mut host = world.host("one").await;
    world.job(host.id(), &run_job()).await;
    let mut body = json!({ "protocol": PROTOCOL, "agent": host.agent, "facts": host.facts });
    body["agent"]["process_id"] = json!(world.process());
    Act { caller: host.caller().await, path: "/api/v1/agent/session".into(), body }
}

async fn tells_all_of_a_job(world: &World) -> Act {
    let mut host = world.host("one").await;
    let job = world.job(host.id(), &run_job()).await;
    host.check_in().await;
    let done = result(Outcome::Succeeded, world.now());
    let kinds = [accepted(), started(), output("hello"), finished(done)];
    let events = (1..)
        .zip(kinds)
        .map(|(sequence, kind)| json!(muster_schemas::commands::Event { sequence, at: world.now(), kind }));
    let events = events.collect::<Vec<_>>();
    let body = json!({ "session": host.session, "process_id": host.agent.process_id, "events": events });
    Act { caller: host.caller().await, path: format!("/api/v1/agent/jobs/{}/events", job.id), body }
}

async fn starts_a_fleet_update(world: &World) -> Act {
    world.fleet(3, "1.0.0").await;
    world.publishes("1.1.0").await;
    let caller = world.admin().await.with("idempotency-key", "once");
    Act { caller, path: "/api/v1/fleet-updates".into(), body: json!({ "version": "1.1.0" }) }
}

async fn has_one_fleet_update(world: &World) {
    assert_eq!(world.all::<FleetUpdate>("fleet-updates").await.len(), 1);
    let mut offered = 0;
    for job in world.all::<Job>("jobs").await {
        offered += u32::from(job.asked.spec.kind() == "self_update");
    }
    assert_eq!(offered, 1, "one slot, one job");
}

async fn checks_in(world: &World) -> Act {
    let mut host = world.host("one").await;
    world.job(host.id(), &run_job()).await;
    world.job(host.id(), &run_job()).await;
    world.moves(300);
    Act { caller: host.caller().await, path: "/api/v1/agent/check-in".into(), body: json!(host.check_in_request()) }
}

async fn pauses(world: &World) -> Act {
    world.fleet(3, "1.0.0").await;
    world.publishes("1.1.0").await;
    let request = json!({ "version": "1.1.0", "max_in_flight": 3, "waves": [3] });
    let id = world.fleet_update(&request).await.id;
    world.tick().await;
    let caller = world.admin().await;
    Act { caller, path: format!("/api/v1/fleet-updates/{id}/pause"), body: json!({}) }
}

async fn nothing_is_offered(world: &World) {
    let open = world.all::<Job>("jobs").await.into_iter().filter(|job| !job.state.is_final()).count();
    assert_eq!(open, 0, "taken back");
}

async fn proves_an_update(world: &World) -> Act {
    let mut hosts = world.fleet(2, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    world.fleet_update(&json!({ "version": "1.1.0", "waves": [2] })).await;
    world.tick().await;
    hosts[0].begins_update().await.unwrap();
    hosts[0].tries(&release).await.is(200);
    hosts[0].agent.committed = true;
    let mut body = json!(hosts[0].check_in_request());
    body["agent"] = json!(hosts[0].agent);
    Act { caller: hosts[0].caller().await, path: "/api/v1/agent/check-in".into(), body }
}

async fn the_next_host_has_its_turn(world: &World) {
    let fleet_update = world.all::<FleetUpdate>("fleet-updates").await.remove(0);
    assert_eq!((fleet_update.succeeded, fleet_update.slots.len()), (1, 1));
}

#[tokio::test]
async fn asking_for_a_job_leaves_nothing_half_done() {
    interrupted_everywhere(asks_for_a_job, has_one_job).await;
}

#[tokio::test]
async fn joining_leaves_nothing_half_done() {
    interrupted_everywhere(joins, has_one_host).await;
}

#[tokio::test]
async fn starting_a_session_leaves_nothing_half_done() {
    interrupted_everywhere(starts_a_session, has_one_job).await;
}

#[tokio::test]
async fn telling_all_of_a_job_leaves_nothing_half_done() {
    interrupted_everywhere(tells_all_of_a_job, has_one_job).await;
}

#[tokio::test]
async fn checking_in_leaves_nothing_half_done() {
    interrupted_everywhere(checks_in, has_two_jobs).await;
}

#[tokio::test]
async fn starting_a_fleet_update_leaves_nothing_half_done() {
    interrupted_everywhere(starts_a_fleet_update, has_one_fleet_update).await;
}

#[tokio::test]
async fn pausing_a_fleet_update_leaves_nothing_half_done() {
    interrupted_everywhere(pauses, nothing_is_offered).await;
}

#[tokio::test]
async fn the_proof_of_an_update_leaves_nothing_half_done() {
    interrupted_everywhere(proves_an_update, the_next_host_has_its_turn).await;
}
