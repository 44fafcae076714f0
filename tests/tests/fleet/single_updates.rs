//! One host's agent is brought to a release, or says why not and goes on as before.

use std::thread;

use muster_broken_agent::Mode;
use muster_schemas::jobs::JobState;

use crate::harness::{
    binaries::{AGENT_2, bytes},
    fleet::{Fleet, reason},
    host::Setup,
    proxy::{Deed, Proxy},
    releases::broken,
};

/// A redirect to an object store that cannot be reached from where the host is.
const NOWHERE: &[u8] = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

#[test]
fn a_host_is_brought_to_the_new_version_and_stays_on_it() {
    let Some(fleet) = Fleet::start() else { return };
    let mut host = fleet.host("one");
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    fleet.job_in(fleet.update(&host, "1.1.0"), JobState::Succeeded);
    fleet.runs(&host, "1.1.0");
    host.kill_supervisor();
    host.start();
    fleet.runs(&host, "1.1.0");
}

#[test]
fn a_host_that_reaches_nothing_but_the_server_gets_the_file_through_it() {
    let Some(fleet) = Fleet::start() else { return };
    let proxy = Proxy::start(&fleet.server.address);
    proxy.meddle(|exchange| {
        let elsewhere = exchange.target.contains("/agent/blobs/") && !exchange.target.contains("through_server=true");
        if elsewhere { Deed::Say(NOWHERE.into()) } else { Deed::Pass }
    });
    let host = fleet.host_with("one", &Setup::of(&proxy.url()));
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    fleet.job_in(fleet.update(&host, "1.1.0"), JobState::Succeeded);
    assert!(proxy.times_asked("through_server=true") > 0);
    fleet.runs(&host, "1.1.0");
}

#[test]
fn a_bad_release_of_any_kind_is_undone_and_the_host_says_why() {
    let expected = [
        (Mode::Crash, "rolled_back", "it ended before it was committed"),
        (Mode::Crash, "rolled_back", "panicked"),
        (Mode::Exit0, "rolled_back", "it ended before it was committed"),
        (Mode::Hang, "rolled_back", "it was not answered by the server in time"),
        (Mode::Deaf, "rolled_back", "it was not answered by the server in time"),
        (Mode::WrongVersion, "preflight", "says that it is \"0.0.0-wrong\""),
        (Mode::PreflightFails, "preflight", "the configuration cannot be read"),
        (Mode::PreflightHangs, "preflight", "took over 20 s"),
    ];
    let Some(fleet) = Fleet::start() else { return };
    thread::scope(|scope| {
        for (number, (mode, code, text)) in (1..).zip(expected) {
            let fleet = &fleet;
            scope.spawn(move || is_undone(fleet, number, mode, code, text));
        }
    });
}

fn is_undone(fleet: &Fleet, number: u64, mode: Mode, code: &str, text: &str) {
    let url = fleet.server.url();
    // The old version has as long as the probation to reach the server, too.
    let setup = Setup { probation_seconds: 5.0, update_deadline_seconds: 4.0, ..Setup::of(&url) };
    let host = fleet.host_with(&format!("host-{number}"), &setup);
    let version = format!("2.0.{number}");
    fleet.publish(&fleet.publisher.release(&version, number, broken(&version, mode)));
    let job = fleet.job_in(fleet.update(&host, &version), JobState::Failed);
    let (found, message) = reason(&job);
    assert_eq!(found, code, "{mode:?}: {message}");
    assert!(message.contains(text), "{mode:?}: {message}");
    fleet.runs(&host, "1.0.0");
}
