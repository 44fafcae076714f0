//! One host's agent is brought to a release, or says why not and goes on as before.

use std::thread;

use muster_broken_agent::Mode;
use muster_schemas::jobs::JobState;

use crate::harness::{
    binaries::{AGENT_2, bytes},
    fleet::{Fleet, reason},
    host::Setup,
    releases::broken,
};

#[test]
fn a_host_is_brought_to_the_new_version_and_stays_on_it() {
    let fleet = Fleet::start();
    let mut host = fleet.host("one");
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    fleet.job_in(fleet.update(&host, "1.1.0"), JobState::Succeeded);
    fleet.runs(&host, "1.1.0");
    host.kill_supervisor();
    host.start();
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
    let fleet = Fleet::start();
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
