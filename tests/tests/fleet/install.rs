//! A machine becomes a host by the line that is told with a token.

use std::fs;

use muster_schemas::enrollment::EnrollmentTokenCreated;
use serde_json::{Value, json};

use crate::harness::{
    binaries::{AGENT_2, bytes},
    fleet::Fleet,
    machine::Machine,
    patience::until_so,
};

#[test]
fn the_line_that_is_told_with_a_token_installs_the_agent_of_the_newest_release_and_lets_the_host_join() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let machine = Machine::new();
    let root = fleet.folder().join("root.json");
    let said = machine.types(&line(&fleet), &["--trust-root", root.to_str().unwrap()]).unwrap();
    assert!(said.contains("muster-agent 1.1.0") && said.contains("jobs are refused"), "{said}");
    let (id, agent) = machine.becomes_host(&said);
    until_so("the host is online", || fleet.view(id).online);
    assert_eq!(fleet.view(id).agent.unwrap().version, "1.1.0");
    agent.stop();
    assert_eq!(fleet.api().get::<Value>("/enrollment-tokens")["items"][0]["used"], 1);
}

#[test]
fn a_line_that_cannot_be_obeyed_says_why_and_installs_nothing() {
    let Some(fleet) = Fleet::start() else { return };
    let machine = Machine::new();
    let refused = |line: &str, more: &[&str], reason: &str| {
        let said = machine.types(line, more).unwrap_err();
        assert!(said.contains(reason), "{said}");
        assert!(!machine.state().exists(), "{said}");
        assert_eq!(fs::read_dir(machine.programs()).map_or(0, Iterator::count), 0, "{said}");
    };
    refused(&line(&fleet), &[], "no release with an agent for this platform is published");
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    refused(&format!("{}x", line(&fleet)), &[], "the token is unknown");
    let other = "0".repeat(64);
    refused(&line(&fleet), &["--sha256", &other], "another one than --sha256 names");
    refused(&line(&fleet), &["--trust-root", "/nowhere"], "/nowhere cannot be read");
    refused(&line(&fleet), &["--states", "/nowhere"], "--states is unknown");
    // What nobody can run is found out before it takes the place of what runs.
    fleet.publish(&fleet.publisher.release("1.2.0", 2, b"not a program\n".into()));
    refused(&line(&fleet), &[], "does not run on this machine");
}

/// The line for a new token.
fn line(fleet: &Fleet) -> String {
    let created: EnrollmentTokenCreated = fleet.api().post("/enrollment-tokens", &json!({}));
    created.install_command.reveal().into()
}
