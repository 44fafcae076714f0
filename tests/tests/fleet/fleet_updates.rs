//! One release for many hosts: the canary first, and nothing more once it went wrong.

use muster_broken_agent::Mode;
use muster_schemas::{
    fleet_updates::{FleetUpdateHostState, FleetUpdateState},
    jobs::JobState,
};
use serde_json::{Value, json};

use crate::harness::{
    binaries::{AGENT_1, AGENT_2, bytes},
    fleet::Fleet,
    host::Setup,
    releases::broken,
};

#[test]
fn four_hosts_are_updated_in_waves_and_the_canary_comes_first() {
    let Some(fleet) = Fleet::start() else { return };
    let hosts = fleet.four_hosts();
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let id = fleet.fleet_update("1.1.0", &json!({ "waves": [1], "max_in_flight": 2 }));
    let done = fleet.fleet_update_when(id, |fleet_update| fleet_update.state != FleetUpdateState::Running);
    assert_eq!((done.state, done.counts.succeeded, done.waves), (FleetUpdateState::Completed, 4, vec![1, 3]));
    let rows = fleet.fleet_update_hosts(id);
    assert!(rows.iter().map(|row| row.host_id).eq(hosts.iter().map(|host| host.id)));
    assert!(rows.iter().all(|row| (row.state, row.attempts) == (FleetUpdateHostState::Succeeded, 1)));
    assert!(rows[1..].iter().all(|row| row.offered_at >= rows[0].ended_at), "{rows:#?}");
    let in_flight = |at| rows.iter().filter(|row| row.offered_at <= at && at < row.ended_at).count();
    assert!(rows.iter().all(|row| in_flight(row.offered_at) <= 2), "{rows:#?}");
    fleet.all_run(&hosts, "1.1.0");
}

#[test]
fn a_bad_release_halts_at_the_canary_and_no_other_host_is_offered_it() {
    let Some(fleet) = Fleet::start() else { return };
    let url = fleet.server.url();
    let setup = Setup { probation_seconds: 5.0, update_deadline_seconds: 4.0, ..Setup::of(&url) };
    let hosts = ["one", "two", "three", "four"].map(|name| fleet.host_with(name, &setup));
    let expected = [
        (Mode::Crash, "rolled_back: it ended before it was committed"),
        (Mode::Hang, "rolled_back: it was not answered by the server in time"),
        (Mode::WrongVersion, "0.0.0-wrong"),
        (Mode::Exit0, "rolled_back: it ended before it was committed"),
        (Mode::PreflightFails, "the configuration cannot be read"),
    ];
    for (number, (mode, reason)) in (1..).zip(expected) {
        let version = format!("2.0.{number}");
        fleet.publish(&fleet.publisher.release(&version, number, broken(&version, mode)));
        let id = fleet.fleet_update(&version, &json!({ "max_in_flight": 4 }));
        let halted = fleet.fleet_update_when(id, |fleet_update| fleet_update.state != FleetUpdateState::Running);
        assert_eq!((halted.state, halted.counts.failed), (FleetUpdateState::Halted, 1), "{mode:?}");
        let rows = fleet.fleet_update_hosts(id);
        assert_eq!(rows[0].state, FleetUpdateHostState::Failed);
        assert!(rows[0].reason.as_ref().unwrap().contains(reason), "{:?}", rows[0]);
        assert!(halted.halted_reason.is_some_and(|halted| halted.contains(reason)), "{mode:?}");
        let untouched = |row: &&muster_schemas::fleet_updates::FleetUpdateHostView| {
            row.state == FleetUpdateHostState::Pending && row.attempts == 0 && row.job_id.is_none()
        };
        assert_eq!(rows.iter().filter(untouched).count(), 3, "{rows:#?}");
        fleet.all_run(&hosts, "1.0.0");
        fleet.api().post::<Value>(&format!("/fleet-updates/{id}/cancel"), &json!({ "note": "a bad release" }));
    }
}

#[test]
fn hosts_that_have_accepted_a_later_release_go_back_to_the_one_before_under_a_newer_manifest() {
    let Some(fleet) = Fleet::start() else { return };
    let hosts = fleet.four_hosts();
    let brings = |release, version| {
        fleet.publish(&release);
        let id = fleet.fleet_update(version, &json!({ "max_in_flight": 4 }));
        let done = fleet.fleet_update_when(id, |fleet_update| fleet_update.state != FleetUpdateState::Running);
        assert_eq!((done.state, done.counts.succeeded), (FleetUpdateState::Completed, 4), "{:?}", done.halted_reason);
        for host in &hosts {
            fleet.works(host);
            let agent = fleet.view(host.id).agent.unwrap();
            assert_eq!((agent.version.as_str(), host.committed().as_str()), (version, version));
        }
    };
    brings(fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)), "1.1.0");
    // What turns out to be bad: by its number the later one.
    brings(fleet.publisher.release("1.0.0", 2, bytes(AGENT_1)), "1.0.0");
    brings(fleet.publisher.release("1.1.0", 3, bytes(AGENT_2)), "1.1.0");
}

#[test]
fn a_server_that_is_killed_in_mid_run_loses_nothing_and_goes_on() {
    let Some(mut fleet) = Fleet::start() else { return };
    let [worker, first, second, third] = fleet.four_hosts();
    let job = fleet.run(&worker, "echo line >> effect; mkfifo gate; read x < gate");
    fleet.job_in(job, JobState::Running);
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let hosts = [first, second, third];
    let id = fleet.fleet_update("1.1.0", &json!({ "host_ids": hosts.each_ref().map(|host| host.id) }));
    for succeeded in 0..2 {
        fleet.fleet_update_when(id, |running| running.counts.in_flight > 0 && running.counts.succeeded >= succeeded);
        fleet.server.kill();
        fleet.server.start_again();
    }
    worker.open_gate("gate");
    fleet.job_in(job, JobState::Succeeded);
    assert_eq!(worker.read("effect"), "line\n");
    let done = fleet.fleet_update_when(id, |fleet_update| fleet_update.state != FleetUpdateState::Running);
    assert_eq!((done.state, done.counts.succeeded), (FleetUpdateState::Completed, 3));
    fleet.all_run(&hosts, "1.1.0");
}
