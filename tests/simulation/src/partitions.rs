//! Partitions in mid-job: a line is cut while a program runs, and heals. How soon does the server know again?

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use muster_agent::sys::dice;
use muster_schemas::{
    enrollment::EnrollmentTokenCreated,
    ids::JobId,
    jobs::{JobView, JobsCreated},
};
use muster_server::clock::Clock;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    history::{History, Machine, Violation},
    host::Host,
    network::{Cut, Line},
    scenario::{any, folder, requests},
    server::Server,
    time,
};

/// How long a healed host is waited for.
const PATIENCE: Duration = Duration::from_mins(30);
/// How often the server is asked.
const LOOK: Duration = Duration::from_millis(100);

/// What one partition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Healing {
    /// Check-ins that had reached the server since the line was whole when it knew how the job is; none if never.
    pub check_ins: Option<u64>,
    /// From the line's healing to the first of them.
    pub until_check_in: Duration,
    /// From that check-in until the server knew.
    pub until_known: Duration,
}

impl Healing {
    /// Whether the server knew before it got another check-in.
    pub fn is_within_one_check_in(&self) -> bool {
        self.check_ins == Some(1)
    }
}

/// So many hosts lose their line for this long while a program runs, each in its own moment and its own way.
pub fn partitions(seed: u64, hosts: u32, span: Duration) -> (Vec<Healing>, Vec<Violation>) {
    time::run(seed, async {
        let (folder, requests) = (folder(), requests());
        let server = Server::start(folder.path().join("server")).await;
        let history = History::default();
        let token: EnrollmentTokenCreated =
            server.asks("POST", "/enrollment-tokens", &json!({ "seats": hosts })).await.expect("an admin may");
        let mut joined = Vec::new();
        for number in 0..hosts {
            let machine = Machine::new(history.clone(), server.clone());
            let line = Line::new(server.clone(), requests.clone());
            let state = folder.path().join(format!("host-{number}"));
            joined.push(Host::join(state, line, machine, token.token.clone()).await);
        }
        let healings = join_all(joined.iter().map(|host| heals(&server, &history, host, span))).await;
        (healings, history.doubles())
    })
}

async fn heals(server: &Server, history: &History, host: &Host, span: Duration) -> Healing {
    let id = runs_a_program(server, history, host, span).await;
    let cut = [Cut::Refused, Cut::Blackhole, Cut::OneWay][any(3)];
    host.line.is_cut(cut, span);
    sleep(span).await;
    let (healed, before) = (Instant::now(), host.line.called());
    let mut first = None;
    while healed.elapsed() < PATIENCE {
        let check_ins = host.line.called() - before;
        if check_ins > 0 {
            let first = *first.get_or_insert_with(Instant::now);
            if knows(server, history, id).await {
                let until_check_in = first - healed;
                return Healing { check_ins: Some(check_ins), until_check_in, until_known: first.elapsed() };
            }
        }
        sleep(LOOK).await;
    }
    Healing { check_ins: None, until_check_in: PATIENCE, until_known: PATIENCE }
}

/// A program that may end before, while or after the line is cut.
async fn runs_a_program(server: &Server, history: &History, host: &Host, span: Duration) -> JobId {
    let seconds = 10.0 + 1.5 * span.as_secs_f64() * dice::random();
    let start_by = server.time().now() + SignedDuration::from_mins(5);
    let spec = json!({ "argv": ["/bin/work", seconds.to_string(), any(2).to_string()] });
    let job = json!({
        "host_ids": [host.id], "kind": "run", "spec": spec, "if_offline": "queue", "start_by": start_by,
        "time_limit_seconds": 86_400,
    });
    let created: JobsCreated = server.asks("POST", "/jobs", &job).await.expect("it may");
    let id = created.items[0].id;
    while !history.has_started(id) {
        sleep(LOOK).await;
    }
    sleep(Duration::from_secs(9).mul_f64(dice::random())).await;
    id
}

async fn knows(server: &Server, history: &History, id: JobId) -> bool {
    let job: JobView = server.asks("GET", &format!("/jobs/{id}"), &Value::Null).await.expect("it is there");
    history.is_known_to(&job)
}
