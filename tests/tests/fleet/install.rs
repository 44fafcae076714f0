//! A machine becomes a host by the line that is told with a token.

use std::fs;

use muster_schemas::{enrollment::EnrollmentTokenCreated, envelopes::sha256_hex};
use serde_json::{Value, json};

use crate::harness::{
    binaries::{AGENT_1, AGENT_2, bytes},
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
    assert!(
        said.contains("muster-agent 1.1.0") && said.contains("jobs are refused") && !said.contains("trust-root"),
        "{said}"
    );
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
    refused(&line(&fleet), &[], "no published release has an agent for this platform");
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    refused(&line(&fleet).replace("TOKEN=met_", "TOKEN=met_0"), &[], "the token is unknown");
    let other = "0".repeat(64);
    refused(&line(&fleet), &["--sha256", &other], "another one than --sha256 names");
    refused(&line(&fleet), &["--trust-root", "/nowhere"], "/nowhere cannot be read");
    refused(&line(&fleet), &["--states", "/nowhere"], "--states is unknown");
    refused(&line(&fleet), &["--sha256", "\"$DIGEST\""], "--sha256 is unknown, or lacks its value");
    for server in ["http://192.0.2.1", "http://127.0.0.1.example", "http://127.0.0.1@192.0.2.1", "ftp://127.0.0.1"] {
        refused(&line(&fleet), &["--server", server], "--server");
    }
    for folder in ["state", "/a\\ folder", "/100%"] {
        refused(&line(&fleet), &["--state", folder], "--state m");
    }
    // What nobody can run is found out before it takes the place of what runs.
    fleet.publish(&fleet.publisher.release("1.2.0", 2, b"not a program\n".into()));
    refused(&line(&fleet), &[], "does not run on this machine");
}

#[test]
fn a_host_of_another_server_keeps_the_agent_that_it_has() {
    let (Some(first), Some(second)) = (Fleet::start(), Fleet::start()) else { return };
    first.publish(&first.publisher.release("1.0.0", 1, bytes(AGENT_1)));
    second.publish(&second.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let machine = Machine::new();
    machine.types(&line(&first), &["--sha256", &sha256_hex(&bytes(AGENT_1))]).unwrap();
    let said = machine.types(&line(&second), &[]).unwrap_err();
    assert!(said.contains("belongs to"), "{said}");
    assert_eq!(fs::read(machine.programs().join("muster-agent")).unwrap(), bytes(AGENT_1));
    // What was broken off is done again by the same line.
    machine.types(&line(&first), &[]).unwrap();
}

#[test]
fn a_host_that_was_retired_does_not_join_again_as_the_same() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let machine = Machine::new();
    let (id, mut agent) = machine.becomes_host(&machine.types(&line(&fleet), &[]).unwrap());
    until_so("the host is online", || fleet.view(id).online);
    fleet.api().delete(&format!("/hosts/{id}"));
    assert!(agent.ended().success());
    let said = machine.types(&line(&fleet), &[]).unwrap_err();
    assert!(said.contains("retired this host"), "{said}");
}

/// The line for a new token.
fn line(fleet: &Fleet) -> String {
    let created: EnrollmentTokenCreated = fleet.api().post("/enrollment-tokens", &json!({}));
    created.install_command.reveal().into()
}
