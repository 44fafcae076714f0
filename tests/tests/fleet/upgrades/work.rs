//! What a fleet is for: jobs of every kind and with every end, before, during and after a fleet update.

use std::{path::Path, process::Stdio};

use muster_schemas::{
    fleet_updates::FleetUpdateState,
    jobs::{JobState, JobView},
};
use serde_json::{Value, json};

use crate::harness::{
    binaries::{AGENT_2, bytes},
    fleet::{Fleet, reason},
    host::Host,
    process::command,
};

/// A fleet update from this version to today's agent, with jobs before it, on each host while the canary has its turn, and
/// after it.
pub fn goes_on_through_a_fleet_update(fleet: &Fleet, hosts: &[Host], version: &str) {
    fleet.all_run(hosts, version);
    for host in hosts {
        is_done(fleet, host);
    }
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let id = fleet.fleet_update("1.1.0", &json!({ "waves": [1], "max_in_flight": 2 }));
    fleet.fleet_update_when(id, |fleet_update| fleet_update.counts.in_flight > 0);
    let during = hosts.iter().map(|host| fleet.run(host, "echo line >> during")).collect::<Vec<_>>();
    let done = fleet.fleet_update_when(id, |fleet_update| fleet_update.state != FleetUpdateState::Running);
    assert_eq!(done.state, FleetUpdateState::Completed, "{:#?}", fleet.fleet_update_hosts(id));
    assert_eq!(usize::try_from(done.counts.succeeded), Ok(hosts.len()));
    for (host, job) in hosts.iter().zip(during) {
        fleet.job_in(job, JobState::Succeeded);
        assert_eq!(host.read("during"), "line\n");
    }
    fleet.all_run(hosts, "1.1.0");
    for host in hosts {
        is_done(fleet, host);
    }
}

/// One job of each kind that operators ask for, and one of each end that a host decides.
pub fn is_done(fleet: &Fleet, host: &Host) {
    let failed = fleet.job_in(fleet.run(host, "echo one; echo two >&2; exit 3"), JobState::Failed);
    assert_eq!(reason(&failed).0, "exit_code");
    assert_eq!(failed.result.unwrap().exit_code, Some(3));
    let log = fleet.api().text(&format!("/jobs/{}/log", failed.id));
    assert!(log.contains("one\n") && log.contains("two\n"), "{log}");
    let inspected = fleet.job_in(ask(fleet, host, "inspect").id, JobState::Succeeded);
    let facts = inspected.result.and_then(|result| result.detail).expect("an inspection tells facts");
    assert_eq!(facts["facts"]["os"], "linux", "{facts}");
    fleet.job_in(ask(fleet, host, "reset_breakers").id, JobState::Succeeded);
    let running = fleet.run(host, "echo begun; sleep 600");
    fleet.job_in(running, JobState::Running);
    fleet.api().post::<Value>(&format!("/jobs/{running}/cancel"), &json!({}));
    fleet.job_in(running, JobState::Cancelled);
    let seen = fleet.view(host.id);
    assert!(seen.online && seen.facts.os == "linux", "{seen:#?}");
}

/// Looks at the fleet and runs a job by this command line.
pub fn is_done_by_command_line(fleet: &Fleet, host: &Host, program: &Path) {
    let key: Value = fleet.api().post("/api-keys", &json!({ "name": "terminal", "role": "admin" }));
    let say = |arguments: &[&str]| {
        let mut command = command(program, arguments, &fleet.folder());
        // By the name that it has now, and by the one that a program of before knows.
        let key = key["key"].as_str().unwrap();
        command.env("MUSTER_SERVER", fleet.server.url()).env("MUSTER_API_KEY", key).env("MUSTER_TOKEN", key);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    let id = host.id.to_string();
    assert!(say(&["--json", "hosts"]).contains(&id));
    let created = say(&["--json", "jobs", "run", "--host", &id, "--", "/bin/echo", "from a terminal"]);
    let created: Value = serde_json::from_str(&created).unwrap();
    let job = created["items"][0]["id"].as_str().unwrap().to_owned();
    let ended = say(&["--json", "jobs", "show", &job, "--wait", "--timeout", "30s"]);
    assert_eq!(serde_json::from_str::<JobView>(&ended).unwrap().state, JobState::Succeeded, "{ended}");
    assert_eq!(say(&["jobs", "log", &job]), "from a terminal\n");
    for list in [["jobs", "list"], ["release", "list"], ["token", "list"], ["users", "list"], ["keys", "list"]] {
        say(&list);
    }
}

/// Asks for a job of a kind without a spec.
pub fn ask(fleet: &Fleet, host: &Host, kind: &str) -> JobView {
    let mut created: Value = fleet.api().post("/jobs", &json!({ "host_ids": [host.id], "kind": kind, "spec": {} }));
    serde_json::from_value(created["items"][0].take()).unwrap()
}
