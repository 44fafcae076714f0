//! One host's agent is brought to a release, or says why not and goes on as before.

use muster_broken_agent::Mode;
use muster_schemas::jobs::{JobState, JobView};

use crate::harness::{
    binaries::{AGENT_1, AGENT_2, binary, bytes},
    fleet::Fleet,
    host::Host,
    releases::broken,
};

#[test]
fn a_host_is_brought_to_the_new_version_and_stays_on_it() {
    let fleet = Fleet::start();
    let mut host = fleet.host("one");
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    let job = fleet.update(&host, "1.1.0");
    fleet.job_in(job, JobState::Succeeded);
    runs(&fleet, &host, "1.1.0");
    host.kill_supervisor();
    host.start();
    fleet.works(&host);
    runs(&fleet, &host, "1.1.0");
}

#[test]
fn a_release_that_crashes_is_undone_and_its_last_words_are_told() {
    let (fleet, host, job) = after_bad_release(Mode::Crash, 30.0);
    let reason = reason(&job);
    assert!(reason.starts_with("rolled_back: it ended before it was committed"), "{reason}");
    assert!(reason.contains("panicked"), "{reason}");
    runs(&fleet, &host, "1.0.0");
}

fn after_bad_release(mode: Mode, update_deadline_seconds: f64) -> (Fleet, Host, JobView) {
    let fleet = Fleet::start();
    let url = fleet.server.url();
    // The old version has this long to reach the server, too.
    let setup = crate::harness::host::Setup { probation_seconds: 5.0, update_deadline_seconds, ..fleet.setup(&url) };
    let host = fleet.host_with("one", &setup);
    fleet.publish(&fleet.publisher.release("1.2.0", 1, broken("1.2.0", mode)));
    let job = fleet.update(&host, "1.2.0");
    let job = fleet.job_in(job, JobState::Failed);
    (fleet, host, job)
}

/// Exactly one worker of this version runs, works, and is known to the server as it.
fn runs(fleet: &Fleet, host: &Host, version: &str) {
    fleet.works(host);
    assert_eq!(fleet.view(host.id).agent.unwrap().version, version);
    assert_eq!(host.workers().len(), 1);
    if version == "1.0.0" {
        assert_eq!(host.running(), binary(AGENT_1));
    } else {
        assert!(host.running().starts_with(host.state.join("versions")));
        assert_eq!(host.committed(), version);
    }
}

fn reason(job: &JobView) -> String {
    let error = job.result.as_ref().and_then(|result| result.error.as_ref()).unwrap();
    format!("{}: {}", error.code, error.message)
}
