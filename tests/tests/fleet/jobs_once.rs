//! A job happens once, however often it is told, and whatever breaks.

use muster_schemas::jobs::{JobResult, JobState};

use crate::harness::{
    fleet::Fleet,
    proxy::{Exchange, Proxy},
};

#[test]
fn a_job_is_run_once_although_every_answer_about_it_is_lost_once() {
    let fleet = Fleet::start();
    let proxy = Proxy::start(&fleet.server.address);
    let host = fleet.host_with("one", &fleet.setup(&proxy.url()));
    proxy.cut("offer", |exchange| exchange.target.ends_with("/check-in") && says(&exchange.answer, "\"jobs\":[{"));
    proxy.cut("acceptance", |exchange| tells(exchange, "accepted"));
    proxy.cut("start", |exchange| tells(exchange, "started"));
    proxy.cut("result", |exchange| tells(exchange, "finished"));
    let job = fleet.ended(fleet.run(&host, "echo line >> effect"));
    assert_eq!(job.state, JobState::Succeeded);
    assert_eq!(proxy.cuts(), ["offer", "acceptance", "start", "result"]);
    assert_eq!(host.read("effect"), "line\n");
}

#[test]
fn a_job_whose_agent_is_killed_in_its_midst_is_interrupted_and_not_repeated() {
    let fleet = Fleet::start();
    let mut host = fleet.host("one");
    for kill in ["worker", "supervisor"] {
        let job = fleet.run(&host, &format!("echo line >> effect-{kill}; exec sleep 600"));
        host.wait_for_file(&format!("effect-{kill}"));
        if kill == "worker" {
            host.kill_worker();
        } else {
            host.kill_supervisor();
            host.start();
        }
        let job = fleet.job_in(job, JobState::Interrupted);
        assert_eq!(code(job.result.as_ref()), "agent_restarted");
        fleet.works(&host);
        assert_eq!(host.read(&format!("effect-{kill}")), "line\n");
    }
}

/// Whether an exchange tells this of a job.
fn tells(exchange: &Exchange, what: &str) -> bool {
    exchange.target.ends_with("/events") && exchange.request.contains(&format!("\"type\":\"{what}\""))
}

fn says(answer: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(answer).contains(text)
}

fn code(result: Option<&JobResult>) -> String {
    result.and_then(|result| result.error.as_ref()).map(|error| error.code.clone()).unwrap_or_default()
}
