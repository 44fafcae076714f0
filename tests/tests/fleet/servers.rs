//! The server process itself: how it ends, and what is there when it comes back.

use std::{
    thread,
    time::{Duration, Instant},
};

use muster_schemas::jobs::JobState;

use crate::harness::{body::Body, fleet::Fleet, patience::until_so, proxy::Proxy};

#[test]
fn a_server_that_is_asked_to_end_answers_held_polls_at_once_and_ends_well() {
    if Body::Functions.is_skipped("functions hold no polls, and nobody tells them that they end") {
        return;
    }
    let Some(mut fleet) = Fleet::start() else { return };
    let host = fleet.host("one");
    let job = fleet.run(&host, "mkfifo gate; read x < gate");
    fleet.job_in(job, JobState::Running);
    let proxy = Proxy::start(&fleet.server.address);
    let api = fleet.api().by(&proxy.url());
    let held = thread::spawn(move || api.next_change(&format!("/jobs/{job}")));
    until_so("the poll is on its way", || proxy.times_asked("wait=60") == 1);
    // What was asked after it was answered: now it is held.
    fleet.works(&host);
    let asked = Instant::now();
    assert_eq!(fleet.server.stop().code(), Some(0));
    assert_eq!(held.join().unwrap()["state"], "running");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    fleet.server.start_again();
    host.open_gate("gate");
    fleet.job_in(job, JobState::Succeeded);
}
