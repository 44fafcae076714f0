//! Upgrade in place: the server of today opens what the server of before has written, and goes on where that stopped.

use muster_schemas::{
    fleet_updates::{FleetUpdateState, FleetUpdateView},
    hosts::HostState,
    ids::JobId,
    jobs::JobState,
};
use serde_json::{Value, json};

use super::installation::Installation;
use crate::harness::{
    before::Before,
    binaries::{AGENT_2, bytes},
    fleet::Fleet,
    host::Setup,
    proxy::Proxy,
    server::Server,
};

/// Every list there is, each of which must read to its end.
const LISTS: [&str; 8] = [
    "/hosts",
    "/hosts?state=retired",
    "/jobs",
    "/users",
    "/api-keys",
    "/enrollment-tokens",
    "/releases",
    "/fleet-updates",
];
/// What the server works out anew with each answer.
const WORKED_OUT: [&str; 9] = [
    "allowed",
    "why_not",
    "waiting_on",
    "online",
    "connected",
    "last_seen_at",
    "revision",
    "last_used_at",
    "update_available",
];

#[test]
fn a_server_of_today_reads_what_the_one_before_has_written_and_goes_on_with_it() {
    let Some(before) = Before::found() else { return };
    let Some(mut installation) = Installation::lived_in(&before) else { return };
    let fleet = &mut installation.fleet;
    let written = LISTS.map(|list| all(fleet, list));
    let hosts = format!("/fleet-updates/{}/hosts", installation.fleet_update);
    fleet.server.stop();
    fleet.server.upgrade();
    fleet.server.start_again();
    for (list, written) in LISTS.iter().zip(written) {
        let read = all(fleet, list);
        assert_eq!(read.len(), written.len(), "{list}: {read:#?}");
        for (written, read) in written.iter().zip(&read) {
            says_the_same(list, written, read);
        }
    }
    assert_eq!(all(fleet, &hosts).len(), 4);
    assert!(!all(fleet, "/audit").is_empty());
    fleet.api().get::<Value>("/overview");
    credentials_are_believed(&installation);
    jobs_go_on(&mut installation);
    the_fleet_update_goes_on(&installation);
}

#[test]
fn a_fleet_update_that_runs_while_its_server_is_upgraded_goes_on_to_its_end() {
    let Some(before) = Before::found() else { return };
    let started = |folder: &std::path::Path| Server::start_by(&before.server(), folder);
    let Some(mut fleet) = Fleet::start_with(started) else { return };
    let url = fleet.server.url();
    let setup = Setup { agent: before.agent(), ..Setup::of(&url) };
    let hosts = ["one", "two", "three"].map(|name| fleet.host_with(name, &setup));
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let id = fleet.fleet_update("1.1.0", &json!({}));
    fleet.fleet_update_when(id, |running| running.counts.in_flight > 0);
    fleet.server.upgrade();
    fleet.server.kill();
    fleet.server.start_again();
    let done = fleet.fleet_update_when(id, |fleet_update| fleet_update.state != FleetUpdateState::Running);
    assert_eq!((done.state, done.counts.succeeded), (FleetUpdateState::Completed, 3));
    fleet.all_run(&hosts, "1.1.0");
}

/// The entries of a list, oldest page last.
fn all(fleet: &Fleet, list: &str) -> Vec<Value> {
    let (mut entries, mut more) = (Vec::new(), String::new());
    loop {
        let separator = if list.contains('?') { '&' } else { '?' };
        let mut page: Value = fleet.api().get(&format!("{list}{separator}limit=200{more}"));
        entries.append(page["items"].as_array_mut().unwrap());
        let Some(cursor) = page["next_cursor"].as_str() else { return entries };
        more = format!("&cursor={cursor}");
    }
}

/// Whatever was said before is said now; more may be.
fn says_the_same(place: &str, before: &Value, now: &Value) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before.iter().filter(|(name, _)| !WORKED_OUT.contains(&name.as_str())) {
                let place = format!("{place} {name}");
                says_the_same(&place, value, now.get(name).unwrap_or_else(|| panic!("{place} is missing: {now:#?}")));
            }
        }
        _ => assert_eq!(now, before, "{place}"),
    }
}

fn credentials_are_believed(Installation { fleet, credentials, enrollment_token, .. }: &Installation) {
    for (text, role) in credentials {
        let who: Value = fleet.api().bearing(text).get("/session");
        assert_eq!(who["role"], *role);
    }
    let host = fleet.host_by("late", &Setup::of(&fleet.server.url()), enrollment_token);
    fleet.works(&host);
}

/// What was left open comes to its end, once; what was over stays so.
fn jobs_go_on(installation: &mut Installation) {
    let Installation { fleet, jobs, off, busy, quarantined, waiting, networks, .. } = installation;
    networks.iter().for_each(Proxy::be_honest);
    busy.open_gate("gate");
    off.start();
    for (id, state) in jobs.iter() {
        let expected = match state {
            JobState::Queued | JobState::Offered | JobState::Accepted | JobState::Running => JobState::Succeeded,
            over => *over,
        };
        fleet.job_in(*id, expected);
    }
    for host in [&*busy, &*off, &waiting[0], &waiting[1]] {
        assert_eq!(host.read("effect"), "line\n");
    }
    let something = |id: &JobId| fleet.api().text(&format!("/jobs/{id}/log"));
    assert_eq!(something(&jobs[0].0), "something\n");
    let host = quarantined.id;
    fleet.api().post::<Value>(&format!("/hosts/{host}/readmit"), &json!({ "reason": "the copy is gone" }));
    fleet.wait_for_state(host, HostState::Active);
}

fn the_fleet_update_goes_on(Installation { fleet, updated, off, fleet_update, .. }: &Installation) {
    let path = format!("/fleet-updates/{fleet_update}");
    assert_eq!(fleet.api().get::<FleetUpdateView>(&path).state, FleetUpdateState::Paused);
    fleet.api().post::<Value>(&format!("{path}/resume"), &json!({ "note": "the server was upgraded" }));
    let done = fleet.fleet_update_when(*fleet_update, |known| known.state != FleetUpdateState::Running);
    assert_eq!((done.state, done.counts.succeeded), (FleetUpdateState::Completed, 4), "{done:#?}");
    fleet.all_run(updated, "1.1.0");
    fleet.runs(off, "1.1.0");
}
