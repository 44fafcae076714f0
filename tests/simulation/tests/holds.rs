//! Held check-ins behind a proxy that waits for no answer as long as the server holds them.

use std::time::Duration;

use muster_schemas::{
    enrollment::EnrollmentTokenCreated,
    jobs::{JobState, JobView, JobsCreated},
};
use muster_simulation::{
    history::{History, Machine},
    host::Host,
    network::Line,
    scenario::{folder, requests},
    server::Server,
    time,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

#[test]
fn a_proxy_that_cuts_off_held_check_ins_makes_them_shorter_and_is_no_failure_of_the_server() {
    time::run(1, async {
        let (folder, history) = (folder(), History::default());
        let server = Server::start(folder.path().join("server")).await;
        let token: EnrollmentTokenCreated =
            server.asks("POST", "/enrollment-tokens", &json!({})).await.expect("an admin may");
        let line = Line::new(server.clone(), requests());
        line.waits(Duration::from_secs(15));
        let machine = Machine::new(history, server.clone());
        let host = Host::join(folder.path().join("host"), line.clone(), machine, token.token).await;
        sleep(Duration::from_mins(10)).await;
        let (before, began) = (line.called(), Instant::now());
        for _ in 0..10 {
            let job = json!({ "host_ids": [host.id], "kind": "inspect", "spec": {}, "if_offline": "queue" });
            let created: JobsCreated = server.asks("POST", "/jobs", &job).await.expect("it may");
            sleep(Duration::from_secs(5)).await;
            let path = format!("/jobs/{}", created.items[0].id);
            let job: JobView = server.asks("GET", &path, &Value::Null).await.expect("it is there");
            assert_eq!(job.state, JobState::Succeeded, "a job waits for nobody");
        }
        sleep(Duration::from_mins(10)).await;
        let called = line.called() - before;
        let fewest = began.elapsed().as_secs() / 15;
        assert!((fewest..fewest + 40).contains(&called), "{called} check-ins");
        let upstreams = host.upstreams();
        assert!(upstreams.iter().all(|upstream| (upstream.failures, upstream.opened) == (0, 0)), "{upstreams:?}");
    });
}
