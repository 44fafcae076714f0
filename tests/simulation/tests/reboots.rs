//! Reboots: asked for once, told by the boot id, and alone on their host.

use std::time::Duration;

use muster_schemas::{
    enrollment::EnrollmentTokenCreated,
    ids::JobId,
    jobs::{JobError, JobResult, JobState, JobView, JobsCreated},
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
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

const ALLOWED: &str = "[allow]\nrun = \"*\"\nreboot = true\n";
/// The longest that a test waits for anything, in virtual time.
const PATIENCE: Duration = Duration::from_hours(2);

/// A server and one host.
struct World {
    server: Server,
    host: Host,
    history: History,
    _folder: TempDir,
}

impl World {
    async fn with(policy: &str) -> Self {
        let (folder, history) = (folder(), History::default());
        let server = Server::start(folder.path().join("server")).await;
        let token: EnrollmentTokenCreated =
            server.asks("POST", "/enrollment-tokens", &json!({})).await.expect("an admin may");
        let line = Line::new(server.clone(), requests());
        let machine = Machine::new(history.clone(), server.clone());
        let mut host = Host::join(folder.path().join("host"), line, machine, token.token).await;
        host.allows(policy);
        host.crashes();
        host.starts();
        Self { server, host, history, _folder: folder }
    }

    async fn asks(&self, kind: &str, spec: Value, time_limit_seconds: u32) -> JobId {
        let job = json!({
            "host_ids": [self.host.id], "kind": kind, "spec": spec, "if_offline": "queue",
            "time_limit_seconds": time_limit_seconds,
        });
        let created: JobsCreated = self.server.asks("POST", "/jobs", &job).await.expect("it may");
        created.items[0].id
    }

    async fn reboot(&self) -> JobId {
        self.asks("reboot", json!({}), 600).await
    }

    async fn work(&self, seconds: u32) -> JobId {
        self.asks("run", json!({ "argv": ["/bin/work", seconds.to_string(), "0"] }), 3600).await
    }

    async fn job(&self, id: JobId) -> JobView {
        self.server.asks("GET", &format!("/jobs/{id}"), &Value::Null).await.expect("it is there")
    }

    /// Waits until the host has told how the job ended.
    async fn ended(&self, id: JobId) -> JobView {
        until(async || Some(self.job(id).await).filter(|job| job.state.is_final())).await
    }

    /// Waits until the machine was asked to restart.
    async fn asked(&self) -> Vec<JobId> {
        until(async || Some(self.host.machine().asked()).filter(|asked| !asked.is_empty())).await
    }

    /// The machine goes down and comes up again.
    async fn machine_restarts(&mut self) {
        self.host.crashes();
        sleep(Duration::from_mins(1)).await;
        self.host.machine().boots();
        self.host.starts();
    }
}

async fn until<T>(mut so: impl AsyncFnMut() -> Option<T>) -> T {
    let look = async {
        loop {
            if let Some(found) = so().await {
                return found;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(PATIENCE, look).await.expect("it happens")
}

fn told(job: JobView) -> (JobState, String, Value) {
    let JobResult { error, detail, .. } = job.result.expect("the host has said how it ended");
    (job.state, error.map(|JobError { code, .. }| code).unwrap_or_default(), detail.unwrap_or_default())
}

fn boots(before: u32, after: u32) -> Value {
    json!({ "boot_id_before": format!("boot {before}"), "boot_id_after": format!("boot {after}") })
}

#[test]
fn a_host_whose_policy_does_not_name_reboots_rejects_them() {
    time::run(1, async {
        let world = World::with("[allow]\nrun = \"*\"\n").await;
        let id = world.reboot().await;
        assert_eq!(told(world.ended(id).await), (JobState::Rejected, "policy".into(), Value::Null));
        assert!(world.host.machine().asked().is_empty());
    });
}

#[test]
fn a_machine_that_restarts_is_told_by_both_boot_ids() {
    time::run(2, async {
        let mut world = World::with(ALLOWED).await;
        let id = world.reboot().await;
        assert_eq!(world.asked().await, [id]);
        world.machine_restarts().await;
        assert_eq!(told(world.ended(id).await), (JobState::Succeeded, String::new(), boots(0, 1)));
        assert_eq!(world.host.machine().asked(), [id], "once");
    });
}

#[test]
fn an_agent_that_restarts_alone_asks_the_machine_no_second_time_and_tells_no_success() {
    time::run(3, async {
        let mut world = World::with(ALLOWED).await;
        let id = world.reboot().await;
        world.asked().await;
        world.host.crashes();
        world.host.starts();
        assert_eq!(told(world.ended(id).await), (JobState::Interrupted, "not_restarted".into(), boots(0, 0)));
        let next = world.work(1).await;
        assert_eq!(world.ended(next).await.state, JobState::Succeeded);
        assert_eq!(world.host.machine().asked(), [id]);
    });
}

#[test]
fn a_machine_that_refuses_or_stays_up_is_told_and_the_host_works_on() {
    time::run(4, async {
        let world = World::with(ALLOWED).await;
        let id = world.reboot().await;
        assert_eq!(told(world.ended(id).await), (JobState::Interrupted, "time_limit".into(), boots(0, 0)));
        world.host.machine().refuses();
        let id = world.reboot().await;
        assert_eq!(told(world.ended(id).await), (JobState::Failed, "reboot_refused".into(), boots(0, 0)));
        let next = world.work(1).await;
        assert_eq!(world.ended(next).await.state, JobState::Succeeded);
    });
}

#[test]
fn a_reboot_waits_for_what_runs_and_what_comes_later_waits_for_the_reboot() {
    time::run(5, async {
        let mut world = World::with(ALLOWED).await;
        let running = [world.work(300).await, world.work(600).await];
        until(async || running.iter().all(|id| world.history.has_started(*id)).then_some(())).await;
        let reboot = world.reboot().await;
        until(async || world.job(reboot).await.accepted_at).await;
        let later = world.work(1).await;
        assert_eq!(world.ended(running[0]).await.state, JobState::Succeeded);
        assert!(world.host.machine().asked().is_empty(), "the other one runs yet");
        assert_eq!(world.ended(running[1]).await.state, JobState::Succeeded);
        assert_eq!(world.asked().await, [reboot]);
        assert!(!world.history.has_started(later));
        world.machine_restarts().await;
        assert_eq!(world.ended(reboot).await.state, JobState::Succeeded);
        assert_eq!(world.ended(later).await.state, JobState::Succeeded);
    });
}

#[test]
fn a_reboot_that_still_waits_can_be_cancelled_and_one_whose_latest_start_passes_holds_nobody_back() {
    time::run(6, async {
        let world = World::with(ALLOWED).await;
        let long = world.asks("run", json!({ "argv": ["/bin/work", "7200", "0"] }), 86_400).await;
        until(async || world.history.has_started(long).then_some(())).await;
        let cancelled = world.reboot().await;
        until(async || world.job(cancelled).await.accepted_at).await;
        let path = format!("/jobs/{cancelled}/cancel");
        world.server.asks::<JobView>("POST", &path, &json!({})).await.expect("it may");
        assert_eq!(world.ended(cancelled).await.state, JobState::Cancelled);
        let late = world.reboot().await;
        until(async || world.job(late).await.accepted_at).await;
        assert_eq!(told(world.ended(late).await).1, "start_by_passed");
        let next = world.work(1).await;
        assert_eq!(world.ended(next).await.state, JobState::Succeeded);
        assert_eq!(world.job(long).await.state, JobState::Running);
        assert!(world.host.machine().asked().is_empty());
    });
}
