//! Two live copies of one identity.

use std::sync::mpsc;

use muster_schemas::{hosts::HostState, jobs::JobState, problems::ProblemCode};
use serde_json::{Value, json};

use crate::harness::{
    fleet::Fleet,
    host::Setup,
    patience::until_so,
    proxy::{Deed, Proxy},
};

#[test]
fn a_copied_host_is_fenced_off_with_an_alert_and_nothing_runs_twice() {
    let Some(fleet) = Fleet::start() else { return };
    let proxy = Proxy::start(&fleet.server.address);
    let mut original = fleet.host_with("one", &Setup::of(&proxy.url()));
    let running = fleet.run(&original, "echo line >> running; mkfifo gate; read x < gate; echo line >> ended");
    original.wait_for_file("gate");
    let mut copy = original.copy("copy");
    let (arrive, arrival) = mpsc::channel();
    let mut arrival = Some(arrival);
    proxy.meddle(move |exchange| match arrival.take_if(|_| exchange.says("/check-in", "\"jobs\":[{")) {
        Some(arrival) => Deed::Hold(arrival),
        None => Deed::Pass,
    });
    // Its offer is on its way to the original while the copy comes up and runs it.
    let offered = fleet.run(&original, "echo line >> offered");
    fleet.job_in(offered, JobState::Offered);
    copy.start();
    fleet.job_in(offered, JobState::Succeeded);
    arrive.send(()).unwrap();
    let host = fleet.wait_for_state(original.id, HostState::Quarantined);
    assert!(host.state_reason.unwrap().contains("two live copies"));
    let alerts = fleet.alerts().items;
    assert!(alerts.iter().any(|alert| alert.action == "host.quarantined" && alert.subject == original.id.to_string()));
    let refused = fleet.try_run(&original, "true", &json!({})).unwrap_err();
    assert_eq!(refused.code, ProblemCode::HostQuarantined);
    until_so("both copies know", || [&original, &copy].iter().all(|host| host.log().contains("is quarantined")));
    // What the original had begun goes on beside it.
    original.open_gate("gate");
    original.wait_for_file("ended");
    copy.stop();
    fleet.api().post::<Value>(&format!("/hosts/{}/readmit", original.id), &json!({ "reason": "the copy is gone" }));
    original.kill_supervisor();
    original.start();
    fleet.works(&original);
    // The copy found it in its journal, and could only say that it did not see its end.
    fleet.job_in(running, JobState::Interrupted);
    for effect in ["running", "ended", "offered"] {
        assert_eq!(original.read(effect), "line\n", "{effect}");
    }
}
