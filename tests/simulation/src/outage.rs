//! A day without a server: what a host does meanwhile, hour by hour.

use std::time::Duration;

use muster_schemas::{enrollment::EnrollmentTokenCreated, jobs::JobsCreated};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    history::{History, Machine},
    host::Host,
    network::Line,
    scenario::{folder, requests},
    server::Server,
    time,
};

/// One hour of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// Requests that the host has tried to make.
    pub tries: u64,
    /// What `measure` said at its end.
    pub measured: u64,
}

/// One host with a job to tell about loses its server for so many hours; `measure` is asked at the end of each. The result is
/// told in the end, or it panics.
pub fn outage(seed: u64, hours: u32, measure: impl Fn() -> u64) -> Vec<Hour> {
    time::run(seed, async {
        let (folder, history) = (folder(), History::default());
        let server = Server::start(folder.path().join("server")).await;
        let token: EnrollmentTokenCreated =
            server.asks("POST", "/enrollment-tokens", &json!({})).await.expect("an admin may");
        let line = Line::new(server.clone(), requests());
        let machine = Machine::new(history.clone(), server.clone());
        let host = Host::join(folder.path().join("host"), line, machine, token.token).await;
        let spec = json!({ "argv": ["/bin/work", "60", "0"] });
        let job = json!({ "host_ids": [host.id], "kind": "run", "spec": spec, "if_offline": "queue" });
        let created: JobsCreated = server.asks("POST", "/jobs", &job).await.expect("it may");
        let id = created.items[0].id;
        while !history.has_started(id) {
            sleep(Duration::from_secs(1)).await;
        }
        server.dies();
        let mut past = Vec::new();
        for _ in 0..hours {
            let before = host.line.tried();
            sleep(Duration::from_hours(1)).await;
            past.push(Hour { tries: host.line.tried() - before, measured: measure() });
        }
        server.begins();
        sleep(Duration::from_mins(10)).await;
        let job: Value = server.asks("GET", &format!("/jobs/{id}"), &Value::Null).await.expect("it is there");
        assert_eq!(job["state"], "succeeded", "what happened while nobody could be told: {job}");
        past
    })
}
