//! Ways that break off while a host polls and while it works: nothing is lost, nothing is done twice.

use std::time::Duration;

use muster_schemas::{ids::JobId, jobs::JobState, upstreams::FailureKind};
use muster_tests::processes::patience::{until_so, until_within};

use crate::harness::{agent::Agent, router::Fault, world::World};

/// What a job does that waits to be let go on, twice.
const WORK: &str = "echo line >> effect; until [ -e word ]; do sleep 0.05; done; echo word;
    until [ -e gate ]; do sleep 0.05; done; echo line >> ended";

#[test]
fn a_way_that_swallows_everything_for_longer_than_a_poll_costs_neither_a_job_nor_a_result() {
    breaks_off(Fault::Blackhole, FailureKind::TimedOut);
}

#[test]
fn a_way_on_which_every_connection_is_reset_costs_neither_a_job_nor_a_result() {
    breaks_off(Fault::Resets, FailureKind::Connection);
}

#[test]
fn a_host_that_hears_no_answer_runs_nothing_twice_and_tells_nothing_twice() {
    let Some(world) = World::start() else { return };
    let host = world.host();
    let job = working(&world, &host);
    world.router.suffers(Fault::AnswersLost);
    host.put("gate");
    // The server has it stored, and the host does not hear of that.
    world.operator.succeeds(job);
    let offered = world.operator.run(&host, "echo line >> offered");
    until_so("an offer that is lost", || world.operator.job(offered).state == JobState::Offered);
    // Everybody forgets what was open, so that all of it is asked and told again.
    world.router.forgets();
    world.router.heals();
    world.operator.succeeds(offered);
    world.operator.works(&host);
    assert_eq!(["effect", "ended", "offered"].map(|name| host.read(name)), ["line\n"; 3]);
    assert!(!host.log().contains("rejects further events of"), "a result was told in other words");
    assert_eq!(world.operator.alerts(), [] as [String; 0]);
}

/// One host polls and one works, when the way breaks off, until both have given up for a while.
fn breaks_off(fault: Fault, kind: FailureKind) {
    let Some(world) = World::start() else { return };
    let [polling, working_host] = [world.host(), world.host()];
    let job = working(&world, &working_host);
    polling.rests();
    world.router.suffers(fault);
    let late = world.operator.run(&polling, "echo line >> effect");
    working_host.put("gate");
    working_host.wait_for_file("ended");
    for host in [&polling, &working_host] {
        let opened = || host.log().contains("circuit open after").then_some(());
        until_within(Duration::from_mins(1), "an open circuit", opened);
    }
    assert!([job, late].iter().all(|id| !world.operator.job(*id).state.is_final()), "nobody came through");
    world.router.heals();
    for id in [job, late] {
        world.operator.succeeds(id);
    }
    for host in [&polling, &working_host] {
        // A poll that is held says late that all is well.
        world.operator.works(host);
        let way = world.operator.recovered(host);
        assert_eq!(way.last_failure.unwrap().kind, kind);
        assert!(way.failures >= 2 && way.last_outage.is_some());
        assert_eq!(host.read("effect"), "line\n");
    }
    assert_eq!(working_host.read("ended"), "line\n");
}

/// A job that has begun on a host whose line is quiet: it polls on one connection, and has another one open to tell of the job,
/// because it told something while the poll was held.
fn working(world: &World, host: &Agent) -> JobId {
    let job = world.operator.run(host, WORK);
    host.wait_for_file("effect");
    until_so("word of its start", || world.operator.job(job).state == JobState::Running);
    host.rests();
    host.put("word");
    until_so("a word of it", || world.operator.job(job).log_bytes > 0);
    host.rests();
    job
}
