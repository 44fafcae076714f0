//! An installation of the release before that was lived in: every kind of record, jobs in every state that hosts bring about,
//! and a fleet update half way.

use std::{sync::mpsc, time::Duration};

use jiff::Timestamp;
use muster_broken_agent::Mode;
use muster_schemas::{
    fleet_updates::FleetUpdateState,
    hosts::HostState,
    ids::{FleetUpdateId, JobId},
    jobs::JobState,
};
use serde_json::{Value, json};

use crate::harness::{
    before::Before,
    binaries::{AGENT_2, bytes},
    fleet::Fleet,
    host::{Host, Setup},
    proxy::{Deed, Exchange, Proxy},
    releases::broken,
    server::Server,
};

/// What was written, and who holds what of it.
pub struct Installation {
    pub fleet: Fleet,
    /// Each job with the state in which it was left.
    pub jobs: Vec<(JobId, JobState)>,
    /// Hosts of the fleet update, which is paused after its canary.
    pub updated: [Host; 3],
    pub fleet_update: FleetUpdateId,
    /// Its last host, which is off; a job waits for it.
    pub off: Host,
    /// A host with a job under way, which waits at its gate.
    pub busy: Host,
    pub quarantined: Host,
    /// Hosts that have not heard of their job, and that it may start: the networks before them keep back the answers.
    pub waiting: [Host; 2],
    pub networks: [Proxy; 2],
    /// A text of a key, and a token of a session, each with its role.
    pub credentials: [(String, &'static str); 2],
    pub enrollment_token: String,
}

impl Installation {
    /// Lives in one on the server of before, with agents of before.
    pub fn lived_in(before: &Before) -> Option<Self> {
        let fleet = Fleet::start_with(|folder| Server::start_by(&before.server(), folder))?;
        let url = fleet.server.url();
        let setup = Setup { agent: before.agent(), probation_seconds: 1.0, ..Setup::of(&url) };
        let credentials = people_and_programs(&fleet);
        let enrollment_token = fleet.token();
        let updated = ["one", "two", "three"].map(|name| fleet.host_with(name, &setup));
        let [busy, mut off] = ["busy", "off"].map(|name| fleet.host_with(name, &setup));
        let mut jobs = ended(&fleet, &busy, &setup);
        let networks = [(); 2].map(|()| Proxy::start(&fleet.server.address));
        let behind =
            |name: &str, network: &Proxy| fleet.host_with(name, &Setup { server: &network.url(), ..setup.clone() });
        let waiting = [behind("offered", &networks[0]), behind("accepted", &networks[1])];
        jobs.extend(under_way(&fleet, &setup, &waiting, &networks));
        let running = fleet.run(&busy, "echo line >> effect; mkfifo gate; read x < gate");
        jobs.push((fleet.job_in(running, JobState::Running).id, JobState::Running));
        assert!(off.stop().success());
        jobs.extend(queued(&fleet, &off));
        let quarantined = quarantined(&fleet, &setup);
        fleet.api().patch(&format!("/hosts/{}", busy.id), &json!({ "name": "busy", "labels": { "site": "north" } }));
        let fleet_update = half_way(&fleet, &updated, &off);
        Some(Self {
            fleet,
            jobs,
            updated,
            fleet_update,
            off,
            busy,
            quarantined,
            waiting,
            networks,
            credentials,
            enrollment_token,
        })
    }
}

/// An operator with a session, and a program with a key.
fn people_and_programs(fleet: &Fleet) -> [(String, &'static str); 2] {
    let api = fleet.api();
    let (username, password) = ("ada", "only for this test");
    api.post::<Value>("/users", &json!({ "username": username, "password": password, "role": "operator" }));
    let login = json!({ "username": username, "password": password, "kind": "bearer" });
    let session: Value = api.post("/session", &login);
    let key: Value = api.post("/api-keys", &json!({ "name": "pipeline", "role": "viewer" }));
    let revoked: Value = api.post("/enrollment-tokens", &json!({ "seats": 5, "labels": { "site": "south" } }));
    api.delete(&format!("/enrollment-tokens/{}", revoked["id"].as_str().unwrap()));
    [(key["key"].as_str().unwrap().into(), "viewer"), (session["token"].as_str().unwrap().into(), "operator")]
}

/// Jobs that are over, by the host's word.
fn ended(fleet: &Fleet, host: &Host, setup: &Setup) -> Vec<(JobId, JobState)> {
    let succeeded = fleet.run(host, "echo something");
    let failed = fleet.run(host, "echo something else >&2; exit 3");
    // What is under way when the worker is killed is interrupted, whatever it is.
    fleet.job_in(succeeded, JobState::Succeeded);
    fleet.job_in(failed, JobState::Failed);
    let interrupted = fleet.run(host, "touch begun; exec sleep 600");
    host.wait_for_file("begun");
    host.kill_worker();
    let policy = "[allow]\nrun = [\"/bin/true\"]\n";
    let strict = fleet.host_with("strict", &Setup { policy, ..setup.clone() });
    let rejected = fleet.run(&strict, "true");
    let cancelled = fleet.run(&strict, "true");
    let stopped = fleet.run(host, "sleep 600");
    fleet.job_in(stopped, JobState::Running);
    fleet.api().post::<Value>(&format!("/jobs/{stopped}/cancel"), &json!({}));
    let all = [
        (succeeded, JobState::Succeeded),
        (failed, JobState::Failed),
        (interrupted, JobState::Interrupted),
        (rejected, JobState::Rejected),
        (cancelled, JobState::Rejected),
        (stopped, JobState::Cancelled),
    ];
    all.map(|(id, state)| (fleet.job_in(id, state).id, state)).into()
}

/// Jobs that hosts know more of than the server, and one whose host was given up.
fn under_way(
    fleet: &Fleet,
    setup: &Setup,
    [offered, accepted]: &[Host; 2],
    [first, second]: &[Proxy; 2],
) -> Vec<(JobId, JobState)> {
    keeps_back(first, |exchange| exchange.says("/check-in", "\"jobs\":[{"));
    keeps_back(second, |exchange| exchange.tells("accepted"));
    let given_up = fleet.host_with("given-up", setup);
    let lost = fleet.run(&given_up, "sleep 600");
    fleet.job_in(lost, JobState::Running);
    fleet.api().delete(&format!("/hosts/{}?force=true&reason=given+up", given_up.id));
    let all = [
        (fleet.run(offered, "echo line >> effect"), JobState::Offered),
        (fleet.run(accepted, "echo line >> effect"), JobState::Accepted),
        (lost, JobState::PresumedLost),
    ];
    all.map(|(id, state)| (fleet.job_in(id, state).id, state)).into()
}

/// Keeps such answers to itself until it is honest again.
fn keeps_back(proxy: &Proxy, such: fn(&Exchange) -> bool) {
    let mut kept = Vec::new();
    proxy.meddle(move |exchange| {
        if !such(exchange) {
            return Deed::Pass;
        }
        let (sender, receiver) = mpsc::channel();
        kept.push(sender);
        Deed::Hold(receiver)
    });
}

/// Jobs for a host that is off.
fn queued(fleet: &Fleet, off: &Host) -> Vec<(JobId, JobState)> {
    let queue = |more: Value| fleet.try_run(off, "echo line >> effect", &more).unwrap();
    let soon = Timestamp::now() + Duration::from_secs(1);
    let expired = queue(json!({ "if_offline": "queue", "start_by": soon }));
    let [queued, cancelled] = [(); 2].map(|()| queue(json!({ "if_offline": "queue" })));
    fleet.api().post::<Value>(&format!("/jobs/{cancelled}/cancel"), &json!({}));
    let all = [(queued, JobState::Queued), (cancelled, JobState::Cancelled), (expired, JobState::Expired)];
    all.map(|(id, state)| (fleet.job_in(id, state).id, state)).into()
}

/// A host of which there were two.
fn quarantined(fleet: &Fleet, setup: &Setup) -> Host {
    let original = fleet.host_with("twice", setup);
    let mut copy = original.copy("copy");
    copy.start();
    fleet.wait_for_state(original.id, HostState::Quarantined);
    copy.stop();
    original
}

/// A fleet update that was halted and cancelled, and one that is paused after its canary.
fn half_way(fleet: &Fleet, updated: &[Host; 3], off: &Host) -> FleetUpdateId {
    let canary = json!({ "host_ids": [updated[0].id] });
    fleet.publish(&fleet.publisher.release("1.0.1", 1, broken("1.0.1", Mode::PreflightFails)));
    let halted = fleet.fleet_update("1.0.1", &canary);
    fleet.fleet_update_when(halted, |fleet_update| fleet_update.state == FleetUpdateState::Halted);
    fleet.api().post::<Value>(&format!("/fleet-updates/{halted}/cancel"), &json!({ "note": "a bad release" }));
    fleet.api().post::<Value>("/releases/1.0.1/yank", &json!({ "reason": "a bad release" }));
    fleet.publish(&fleet.publisher.release("1.1.0", 2, bytes(AGENT_2)));
    let hosts = updated.iter().chain([off]).map(|host| host.id).collect::<Vec<_>>();
    let more = json!({ "host_ids": hosts, "offline_policy": "wait", "waves": [1], "soak_seconds": 1 });
    let id = fleet.fleet_update("1.1.0", &more);
    fleet.fleet_update_when(id, |running| running.counts.succeeded > 0);
    fleet.api().post::<Value>(&format!("/fleet-updates/{id}/pause"), &json!({}));
    id
}
