//! The reckoning: once nothing goes wrong any more, every job must end, and every host must have told what it owes.

use std::time::Duration;

use muster_schemas::{
    hosts::{HostState, HostView},
    ids::JobId,
    jobs::{JobState, JobView},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Scenario;
use crate::{history::Violation, host::Host};

/// How long everything may take to settle once nothing goes wrong any more: a job's longest time, its grace, and the
/// longest pause of an agent.
const PEACE: Duration = Duration::from_mins(45);

impl Scenario<'_> {
    pub(super) async fn reckoning(&mut self) {
        let began = Instant::now();
        let mut left = self.jobs.clone();
        while began.elapsed() < PEACE && !left.is_empty() {
            sleep(Duration::from_secs(5)).await;
            self.readmits().await;
            let mut waiting = Vec::new();
            for id in left {
                match self.asks_about(id).await {
                    Some(job) if job.state.is_final() => self.is_over(&job),
                    // Who could tell is gone.
                    Some(job) if job.state == JobState::PresumedLost && self.is_gone(id) => self.is_over(&job),
                    Some(_) => waiting.push(id),
                    None => *self.report.ends.entry("lost".into()).or_default() += 1,
                }
            }
            left = waiting;
        }
        self.report.settled_after_seconds = began.elapsed().as_secs();
        for id in left {
            let job = self.server.asks::<Value>("GET", &format!("/jobs/{id}"), &Value::Null).await.unwrap_or_default();
            let on_host = self.hosts.iter().any(|host| host.owes().contains(&id));
            let path = format!("/hosts/{}", job["host_id"].as_str().unwrap_or_default());
            let host = self.server.asks::<Value>("GET", &path, &Value::Null).await.unwrap_or_default();
            let what = format!("{id} never ends; in the host's journal: {on_host}; {job}; its host: {host}");
            self.violations.push(Violation { invariant: "Recoverable", what });
        }
    }

    /// Until no host owes the server a word any more; and then everything once more, when whatever was late has come.
    pub(super) async fn afterwards(&mut self) {
        let began = Instant::now();
        while began.elapsed() < PEACE && self.hosts.iter().any(|host| !host.owes().is_empty()) {
            sleep(Duration::from_secs(5)).await;
            self.readmits().await;
        }
        for owed in self.hosts.iter().map(Host::owes).filter(|owed| !owed.is_empty()) {
            self.violations.push(Violation { invariant: "Recoverable", what: format!("never told: {owed:?}") });
        }
        sleep(Duration::from_mins(10)).await;
        self.looks().await;
    }

    /// Whether only a copy of a host knew of a job.
    fn is_gone(&self, id: JobId) -> bool {
        self.gone.contains(&id) && !self.hosts.iter().any(|host| host.owes().contains(&id))
    }

    fn is_over(&mut self, job: &JobView) {
        let state = serde_json::to_value(job.state).ok().and_then(|state| state.as_str().map(String::from));
        *self.report.ends.entry(state.unwrap_or_default()).or_default() += 1;
        self.report.known_limit += self.holds(job);
    }

    pub(super) async fn readmits(&mut self) {
        for host in &self.hosts {
            let path = format!("/hosts/{}", host.id);
            let seen = self.server.asks::<HostView>("GET", &path, &Value::Null).await;
            if seen.is_ok_and(|seen| seen.state == HostState::Quarantined) {
                *self.report.faults.entry("host is readmitted").or_default() += 1;
                let reason = json!({ "reason": "the copy is gone" });
                drop(self.server.asks::<Value>("POST", &format!("{path}/readmit"), &reason).await);
            }
        }
    }
}
