//! An update is cut off at each of its steps, and always ends on exactly one good version and with the truth.

use std::{fs, thread};

use muster_schemas::jobs::JobState;

use crate::harness::{
    binaries::{AGENT_2, bytes},
    fleet::Fleet,
    host::Host,
    patience::until_so,
};

/// A step, and what shows that it was reached.
type Step = (&'static str, fn(&Host) -> bool);

/// The steps, each with what shows on disk that it was reached. Some are over in a moment: who looks too late is at a later one.
const STEPS: [Step; 8] = [
    ("received", |host| journal(host).contains("self_update")),
    ("started", |host| journal(host).contains("\"entry\":\"started\"")),
    ("downloading", |host| has_entry(host, "downloads") || has_entry(host, "versions")),
    ("installed", |host| has_entry(host, "versions")),
    ("armed", |host| !host.phase().is_empty()),
    ("on-trial", |host| !["", "armed"].contains(&host.phase().as_str())),
    ("committing", |host| host.committed() == "1.1.0"),
    ("committed", |host| host.phase() == "committed"),
];

#[test]
fn a_worker_that_is_killed_at_any_step_leaves_one_good_version_and_the_truth() {
    at_each_step("worker", |host| host.kill_worker());
}

#[test]
fn a_supervisor_that_is_killed_at_any_step_leaves_one_good_version_and_the_truth() {
    at_each_step("supervisor", |host| {
        host.kill_supervisor();
        host.start();
    });
}

fn at_each_step(victim: &str, kill: fn(&mut Host)) {
    let Some(fleet) = Fleet::start() else { return };
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    thread::scope(|scope| {
        for (step, reached) in STEPS {
            let fleet = &fleet;
            scope.spawn(move || {
                let mut host = fleet.host(step);
                let job = fleet.update(&host, "1.1.0");
                until_so(step, || reached(&host));
                kill(&mut host);
                let job = fleet.ended(job);
                let version = if job.state == JobState::Succeeded { "1.1.0" } else { "1.0.0" };
                eprintln!(
                    "{victim} killed at {step}: {:?}, {:?}",
                    job.state,
                    job.result.and_then(|result| result.error)
                );
                fleet.runs(&host, version);
                if version == "1.0.0" {
                    // Nothing of it is in the way of the next attempt.
                    fleet.job_in(fleet.update(&host, "1.1.0"), JobState::Succeeded);
                    fleet.runs(&host, "1.1.0");
                }
            });
        }
    });
}

fn journal(host: &Host) -> String {
    String::from_utf8_lossy(&fs::read(host.state.join("journal")).unwrap_or_default()).into_owned()
}

fn has_entry(host: &Host, directory: &str) -> bool {
    fs::read_dir(host.state.join(directory)).is_ok_and(|mut entries| entries.next().is_some())
}
