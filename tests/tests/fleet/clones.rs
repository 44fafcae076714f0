//! Two live copies of one identity.

use muster_schemas::{hosts::HostState, jobs::JobState, problems::ProblemCode};
use serde_json::{Value, json};

use crate::harness::{fleet::Fleet, patience::until_so};

#[test]
fn a_copied_host_is_fenced_off_with_an_alert_and_nothing_runs_twice() {
    let fleet = Fleet::start();
    let mut original = fleet.host("one");
    let running = fleet.run(&original, "echo line >> running; mkfifo gate; read x < gate; echo line >> ended");
    original.wait_for_file("gate");
    let mut copy = original.copy("copy");
    fleet.run(&original, "echo line >> before");
    copy.start();
    // Before, while or after the copy is noticed: it is taken, or refused for that reason.
    if let Err(problem) = fleet.try_run(&original, "echo line >> after", &json!({})) {
        assert_eq!(problem.code, ProblemCode::HostQuarantined);
    }
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
    for effect in ["running", "before", "after"] {
        assert!(original.read(effect).lines().count() <= 1, "{effect} ran twice");
    }
}
