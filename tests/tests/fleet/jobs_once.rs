//! A job happens once, however often it is told, and whatever breaks.

use muster_schemas::{hosts::HostState, jobs::JobState};

use crate::harness::{
    fleet::{Fleet, reason},
    host::Setup,
    patience::until_so,
    proxy::Proxy,
};

#[test]
fn a_job_is_run_once_although_every_answer_about_it_is_lost_once() {
    let Some(fleet) = Fleet::start() else { return };
    let proxy = Proxy::start(&fleet.server.address);
    proxy.cut("token", |exchange| exchange.target.ends_with("/oauth/token"));
    proxy.cut("session", |exchange| exchange.target.ends_with("/session"));
    proxy.cut("offer", |exchange| exchange.says("/check-in", "\"jobs\":[{"));
    proxy.cut("acceptance", |exchange| exchange.tells("accepted"));
    proxy.cut("start", |exchange| exchange.tells("started"));
    proxy.cut("result", |exchange| exchange.tells("finished"));
    let host = fleet.host_with("one", &Setup::of(&proxy.url()));
    let job = fleet.ended(fleet.run(&host, "echo line >> effect"));
    assert_eq!(job.state, JobState::Succeeded);
    // The result is stored before its answer is cut.
    until_so("the lost answer to the result", || proxy.cuts().contains(&"result"));
    fleet.works(&host);
    assert_eq!(proxy.cuts(), ["token", "session", "offer", "acceptance", "start", "result"]);
    assert_eq!(host.read("effect"), "line\n");
    // A session that was started twice by one process is no second copy.
    assert_eq!(fleet.view(host.id).state, HostState::Active);
}

#[test]
fn a_job_whose_agent_is_killed_in_its_midst_is_interrupted_and_not_repeated() {
    let Some(fleet) = Fleet::start() else { return };
    let mut host = fleet.host("one");
    for kill in ["worker", "supervisor"] {
        let job = fleet.run(&host, &format!("echo line >> effect-{kill}; touch begun-{kill}; exec sleep 600"));
        host.wait_for_file(&format!("begun-{kill}"));
        if kill == "worker" {
            host.kill_worker();
        } else {
            host.kill_supervisor();
            host.start();
        }
        let job = fleet.job_in(job, JobState::Interrupted);
        assert_eq!(reason(&job).0, "agent_restarted");
        fleet.works(&host);
        assert_eq!(host.read(&format!("effect-{kill}")), "line\n");
    }
}
