//! A herd: every host loses the server at once, and wants it back at once.

use std::time::Duration;

use jiff::Timestamp;
use muster_schemas::{
    enrollment::EnrollmentTokenCreated,
    hosts::HostView,
    jobs::{JobView, JobsCreated},
    pages::Page,
};
use muster_server::clock::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    history::{History, Machine},
    host::Host,
    network::{Line, Load},
    scenario::{folder, requests},
    server::Server,
    time::{self, elapsed},
};

/// How long the server is away.
const OUTAGE: Duration = Duration::from_mins(5);
/// How long hosts are waited for.
const PATIENCE: Duration = Duration::from_mins(10);
/// How many hosts join with one token.
const SEATS: u32 = 1_000;

/// How a herd came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Herd {
    /// How many hosts.
    pub hosts: u32,
    /// Until every one was heard from again, in seconds after the server was back.
    pub all_back_after_seconds: u64,
    /// The most requests in one second of that time.
    pub peak_per_second: u64,
    /// How long an unrelated command took from being asked for to its result, in milliseconds, while they came back.
    pub command_milliseconds: u128,
}

/// So many hosts lose their server for five minutes.
pub fn herd(seed: u64, hosts: u32) -> Herd {
    time::run(seed, come_back(hosts))
}

async fn come_back(count: u32) -> Herd {
    let (folder, requests, load): (TempDir, _, _) = (folder(), requests(), Load::default());
    let server = Server::start(folder.path().join("server")).await;
    let mut hosts = Vec::new();
    let mut token = None;
    for number in 0..count {
        if number % SEATS == 0 {
            let seats = json!({ "seats": SEATS });
            let made: EnrollmentTokenCreated = server.asks("POST", "/enrollment-tokens", &seats).await.expect("it may");
            token = Some(made.token);
        }
        let line = Line::counted(server.clone(), requests.clone(), load.clone());
        let machine = Machine::new(History::default(), server.clone());
        let state = folder.path().join(format!("host-{number}"));
        let token = token.clone().expect("there is one before the first host");
        hosts.push(Host::join(state, line, machine, token).await);
    }
    // Everybody has a session, and a held poll has told them what is wanted of a fleet of this size.
    sleep(Duration::from_mins(5)).await;
    server.dies();
    sleep(OUTAGE).await;
    let back_at = server.time().now();
    server.begins();
    let (began, second) = (Instant::now(), elapsed().as_secs());
    let mut command = None;
    let before = hosts.iter().map(|host| host.line.called()).collect::<Vec<_>>();
    let back = |before: &[u64]| hosts.iter().zip(before).filter(|(host, before)| host.line.called() > **before).count();
    while back(&before) < hosts.len() && began.elapsed() < PATIENCE {
        sleep(Duration::from_secs(1)).await;
        // In the midst of it, somebody wants something of a host that is back already.
        if command.is_none() && back(&before) > hosts.len() / 2 {
            let first = hosts.iter().zip(&before).find(|(host, before)| host.line.called() > **before);
            command = Some(delivers(&server, first.expect("half of them are").0).await);
        }
    }
    let all_back_after_seconds = began.elapsed().as_secs();
    assert_eq!(unseen(&server, hosts.len(), back_at).await, 0, "hosts that the server has not heard from again");
    Herd {
        hosts: count,
        all_back_after_seconds,
        peak_per_second: load.peak(second..second + all_back_after_seconds + 1),
        command_milliseconds: command.expect("a command was asked for while they came back").as_millis(),
    }
}

/// How long a command takes to its result.
async fn delivers(server: &Server, host: &Host) -> Duration {
    let asked = Instant::now();
    let job = json!({ "host_ids": [host.id], "kind": "run", "spec": { "argv": ["/bin/work", "0"] } });
    let created: JobsCreated = server.asks("POST", "/jobs", &job).await.expect("it may");
    let path = format!("/jobs/{}", created.items[0].id);
    loop {
        let job: JobView = server.asks("GET", &path, &Value::Null).await.expect("it is there");
        if job.state.is_final() {
            return asked.elapsed();
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Of how many hosts the server has written down nothing since it was back, by the first page of them.
async fn unseen(server: &Server, hosts: usize, back_at: Timestamp) -> usize {
    let page: Page<HostView> = server.asks("GET", "/hosts?limit=200", &Value::Null).await.expect("it may");
    hosts.min(200) - page.items.iter().filter(|host| host.last_seen_at.is_some_and(|seen| seen >= back_at)).count()
}
