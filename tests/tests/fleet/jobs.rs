//! What becomes of a job when the host is off, says no, or is told to stop.

use std::time::Duration;

use jiff::Timestamp;
use muster_schemas::{
    ids::JobId,
    jobs::{JobState, JobView},
};
use rustix::process::Pid;
use serde_json::{Value, json};

use crate::harness::{
    fleet::{Fleet, reason},
    host::{Host, Setup},
    patience::until_so,
    process::lives,
    proxy::{Deed, Proxy},
};

#[test]
fn a_job_for_a_host_that_is_off_waits_for_it() {
    let Some(fleet) = Fleet::start() else { return };
    let mut host = fleet.host("one");
    assert!(host.stop().success());
    let job = fleet.try_run(&host, "echo line >> effect", &json!({ "if_offline": "queue" })).unwrap();
    assert_eq!(fleet.api().get::<JobView>(&format!("/jobs/{job}")).state, JobState::Queued);
    host.start();
    fleet.job_in(job, JobState::Succeeded);
    assert_eq!(host.read("effect"), "line\n");
}

#[test]
fn a_job_whose_time_to_start_has_passed_expires_although_nobody_asks() {
    let Some(fleet) = Fleet::start() else { return };
    let mut host = fleet.host("one");
    assert!(host.stop().success());
    let request = json!({ "if_offline": "queue", "start_by": Timestamp::now() + Duration::from_secs(1) });
    let job = fleet.try_run(&host, "echo line >> effect", &request).unwrap();
    fleet.job_in(job, JobState::Expired);
    host.start();
    fleet.works(&host);
    assert_eq!(host.read("effect"), "");
}

#[test]
fn a_cancel_ends_a_job_with_everything_it_has_started_even_if_it_will_not_listen() {
    let Some(fleet) = Fleet::start() else { return };
    let host = fleet.host("one");
    let job = fleet.run(&host, "trap '' TERM; (trap '' TERM; sleep 600) & echo $! > grandchild; echo $$ > child; wait");
    let [grandchild, child] = ["grandchild", "child"].map(|name| pid(&host, name));
    assert!(lives(grandchild) && lives(child));
    cancel(&fleet, job);
    fleet.job_in(job, JobState::Cancelled);
    until_so("the end of the job's processes", || !lives(grandchild) && !lives(child));
    fleet.works(&host);
}

#[test]
fn a_program_that_the_hosts_policy_does_not_allow_is_rejected() {
    let Some(fleet) = Fleet::start() else { return };
    let url = fleet.server.url();
    let policy = "[allow]\nrun = [\"/bin/true\"]\n";
    let host = fleet.host_with("one", &Setup { policy, ..Setup::of(&url) });
    let job = fleet.job_in(fleet.run(&host, "echo line >> effect"), JobState::Rejected);
    assert_eq!(reason(&job).0, "policy");
    assert_eq!(host.read("effect"), "");
    let request = json!({ "host_ids": [host.id], "kind": "run", "spec": { "argv": ["/bin/true"] } });
    let created: Value = fleet.api().post("/jobs", &request);
    fleet.job_in(created["items"][0]["id"].as_str().unwrap().parse().unwrap(), JobState::Succeeded);
}

#[test]
fn a_cancelled_job_whose_offer_was_lost_is_final_and_does_not_run_when_the_offer_comes_late() {
    let Some(fleet) = Fleet::start() else { return };
    let proxy = Proxy::start(&fleet.server.address);
    let host = fleet.host_with("one", &Setup::of(&proxy.url()));
    let (keep, kept) = std::sync::mpsc::channel();
    proxy.meddle(move |exchange| {
        let offers = exchange.says("/check-in", "\"jobs\":[{");
        if offers {
            drop(keep.send(exchange.answer.clone()));
        }
        if offers { Deed::Cut } else { Deed::Pass }
    });
    let job = fleet.run(&host, "echo line >> effect");
    let offer: Vec<u8> = kept.recv_timeout(crate::harness::patience::PATIENCE).unwrap();
    cancel(&fleet, job);
    fleet.job_in(job, JobState::Cancelled);
    proxy.be_honest();
    let mut late = Some(offer);
    proxy.meddle(move |exchange| match late.take_if(|_| exchange.says("/check-in", "")) {
        Some(offer) => Deed::Say(offer),
        None => Deed::Pass,
    });
    // What answers the check-in that is held now is the late offer; the host tells again how the job has ended.
    let told = format!("/jobs/{job}/events");
    let before = proxy.times_asked(&told);
    fleet.works(&host);
    until_so("the late offer is answered", || proxy.times_asked(&told) > before);
    fleet.works(&host);
    assert_eq!(host.read("effect"), "");
    fleet.job_in(job, JobState::Cancelled);
}

fn cancel(fleet: &Fleet, job: JobId) {
    fleet.api().post::<Value>(&format!("/jobs/{job}/cancel"), &json!({}));
}

/// The process id that a job has written to a file.
fn pid(host: &Host, name: &str) -> Pid {
    until_so(name, || host.read(name).ends_with('\n'));
    Pid::from_raw(host.read(name).trim().parse().unwrap()).unwrap()
}
