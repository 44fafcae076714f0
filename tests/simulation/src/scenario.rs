//! The scenario of a seed: half an hour in which everything goes wrong, then peace, then the reckoning.

mod reckoning;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::SignedDuration;
use muster_agent::sys::dice;
use muster_schemas::{
    enrollment::EnrollmentTokenCreated,
    ids::JobId,
    jobs::{JobView, JobsCreated},
};
use muster_server::clock::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    history::{History, Machine, Restores, Violation},
    host::Host,
    network::{Cut, Faults, Line},
    server::Server,
    time::{self, elapsed},
};

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many hosts.
    pub hosts: usize,
    /// How long things go wrong, in virtual time.
    pub trouble: Duration,
    /// Whether hosts' disks are copied and both copies run.
    pub clones: bool,
    /// Whether the server's store is put back to a backup.
    pub restores: bool,
}

impl Options {
    /// What goes wrong with a seed unless somebody says otherwise: copies of hosts, or restores. Not both: of a job that a
    /// copy ran, nobody is left to know when the copy is gone and the server was put back to before.
    pub fn of_seed(self, seed: u64) -> Self {
        Self { clones: seed.is_multiple_of(2), restores: !seed.is_multiple_of(2), ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { hosts: 3, trouble: Duration::from_mins(30), clones: false, restores: false }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Jobs that were asked for.
    pub jobs: u64,
    /// Programs that ran to their ends.
    pub completed: u64,
    /// Jobs by their final state; `lost` were forgotten by a restored server.
    pub ends: BTreeMap<String, u64>,
    /// Faults by their names.
    pub faults: BTreeMap<&'static str, u64>,
    /// Jobs that a restored server ended before their host could tell that they ran.
    pub known_limit: u32,
    /// Requests that reached the server.
    pub requests: u64,
    /// How long it took after the last fault until every job was final, in seconds.
    pub settled_after_seconds: u64,
}

/// Simulates one seed.
pub fn simulate(seed: u64, options: &Options) -> Result<Report, Vec<Violation>> {
    time::run(seed, async { Scenario::begin(options).await.run().await })
}

struct Scenario<'a> {
    options: &'a Options,
    folder: TempDir,
    requests: reqwest::Client,
    server: Server,
    history: History,
    restores: Restores,
    hosts: Vec<Host>,
    clones: Vec<Host>,
    /// When the backup was taken that there is, and which jobs there were.
    backup: Option<(Duration, usize)>,
    /// Jobs that a restored server may not know.
    may_be_lost: BTreeSet<JobId>,
    /// Jobs that went away with a copy of a host.
    gone: BTreeSet<JobId>,
    jobs: Vec<JobId>,
    report: Report,
    violations: Vec<Violation>,
}

/// A number below `most`.
pub fn any(most: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it is drawn from 0 (included) to a small number"
    )]
    let drawn = (dice::random() * most as f64) as usize;
    drawn
}

fn seconds(least: f64, most: f64) -> Duration {
    Duration::from_secs_f64(least + (most - least) * dice::random())
}

/// A folder that goes away, in memory where the machine has such a place.
pub fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    folder.expect("a folder can be made")
}

/// What agents make their requests with.
pub fn requests() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).no_proxy().build().expect("no TLS is needed")
}

impl<'a> Scenario<'a> {
    async fn begin(options: &'a Options) -> Self {
        let (folder, requests) = (folder(), requests());
        let server = Server::start(folder.path().join("server")).await;
        let history = History::default();
        let seats = json!({ "seats": options.hosts.max(1) });
        let token: EnrollmentTokenCreated =
            server.asks("POST", "/enrollment-tokens", &seats).await.expect("an admin may");
        let mut hosts = Vec::new();
        for number in 0..options.hosts {
            let machine = Machine::new(history.clone(), server.clone());
            let line = Line::new(server.clone(), requests.clone());
            let state = folder.path().join(format!("host-{number}"));
            hosts.push(Host::join(state, line, machine, token.token.clone()).await);
        }
        Self {
            options,
            folder,
            requests,
            server,
            history,
            restores: Restores::default(),
            hosts,
            clones: Vec::new(),
            backup: None,
            may_be_lost: BTreeSet::new(),
            gone: BTreeSet::new(),
            jobs: Vec::new(),
            report: Report::default(),
            violations: Vec::new(),
        }
    }

    async fn run(mut self) -> Result<Report, Vec<Violation>> {
        let until = Instant::now() + self.options.trouble;
        while Instant::now() < until && self.violations.is_empty() {
            sleep(seconds(0.5, 30.0)).await;
            self.something_happens().await;
            self.looks().await;
        }
        self.peace();
        self.reckoning().await;
        self.afterwards().await;
        self.violations.extend(self.history.doubles());
        self.report.completed = self.history.completed();
        self.report.jobs = self.jobs.len() as u64;
        self.report.requests = self.hosts.iter().chain(&self.clones).map(|host| host.line.arrived()).sum();
        if self.violations.is_empty() { Ok(self.report) } else { Err(self.violations) }
    }

    async fn something_happens(&mut self) {
        match any(16) {
            0..=5 => self.asks_for_a_job().await,
            6 => self.cancels_a_job().await,
            7 => self.a_host_crashes().await,
            8 => self.a_host_starts(),
            9 => self.a_line_is_cut(),
            10 => self.a_line_is_bad(),
            11 => self.fault("line heals", |this| this.hosts[any(this.hosts.len())].line.heals()),
            12 => self.the_server_dies().await,
            13 => self.fault("lost ticks", |this| this.server.loses_ticks(0.3)),
            14 if self.options.clones => self.a_clone_starts(),
            15 if self.options.restores => self.the_store_is_restored(),
            15 if self.options.clones => self.readmits().await,
            _ => {}
        }
    }

    fn fault(&mut self, name: &'static str, happens: impl FnOnce(&mut Self)) {
        *self.report.faults.entry(name).or_default() += 1;
        happens(self);
    }

    async fn asks_for_a_job(&mut self) {
        let host = any(self.hosts.len());
        self.asks_for_a_job_on(host).await;
    }

    async fn asks_for_a_job_on(&mut self, host: usize) {
        let host = self.hosts[host].id;
        let start_by = self.server.time().now() + SignedDuration::try_from(seconds(60.0, 1200.0)).expect("it is short");
        let spec = json!({ "argv": ["/bin/work", format!("{}", any(2) * any(90)), format!("{}", any(4) / 3)] });
        let job = json!({
            "host_ids": [host], "kind": "run", "spec": spec, "if_offline": "queue", "start_by": start_by,
            "time_limit_seconds": 60 + any(120),
        });
        match self.server.asks::<JobsCreated>("POST", "/jobs", &job).await {
            Ok(created) => self.jobs.extend(created.items.iter().map(|job| job.id)),
            Err(said) if said.contains("host_quarantined") => self.fault("job is refused", |_| {}),
            Err(said) => self.violations.push(Violation { invariant: "Recoverable", what: format!("no job: {said}") }),
        }
    }

    async fn cancels_a_job(&mut self) {
        if !self.jobs.is_empty() {
            // One of the last.
            let id = self.jobs[self.jobs.len() - 1 - any(self.jobs.len().min(8))];
            // It may be over, or the server away.
            drop(self.server.asks::<Value>("POST", &format!("/jobs/{id}/cancel"), &json!({})).await);
        }
    }

    /// At any time, or in the moment in which a job is offered, accepted, started.
    async fn a_host_crashes(&mut self) {
        let up = (0..self.hosts.len()).filter(|host| self.hosts[*host].is_running()).collect::<Vec<_>>();
        let Some(host) = up.get(any(up.len())).copied() else { return };
        if any(2) == 0 {
            self.asks_for_a_job_on(host).await;
            sleep(seconds(0.0, 0.3)).await;
        }
        self.fault("host crashes", |this| this.hosts[host].crashes());
    }

    fn a_host_starts(&mut self) {
        let idle = self.hosts.iter_mut().find(|host| !host.is_running());
        idle.map(Host::starts);
    }

    fn a_line_is_cut(&mut self) {
        let cut = [Cut::Refused, Cut::Blackhole, Cut::OneWay][any(3)];
        let span = [seconds(5.0, 30.0), seconds(30.0, 360.0), seconds(360.0, 1800.0)][any(3)];
        self.fault("line is cut", |this| this.hosts[any(this.hosts.len())].line.is_cut(cut, span));
    }

    fn a_line_is_bad(&mut self) {
        let faults = Faults {
            lost_requests: 0.15 * dice::random(),
            lost_answers: 0.25 * dice::random(),
            doubled: 0.25 * dice::random(),
            hung_up: 0.2 * dice::random(),
            pages: 0.1 * dice::random(),
        };
        self.fault("line is bad", |this| this.hosts[any(this.hosts.len())].line.has(faults));
    }

    async fn the_server_dies(&mut self) {
        if any(2) == 0 {
            self.asks_for_a_job().await;
            sleep(seconds(0.0, 0.3)).await;
        }
        self.fault("server dies", |this| this.server.dies());
        sleep(seconds(0.0, [5.0, 60.0, 300.0][any(3)])).await;
        self.server.begins();
    }

    fn a_clone_starts(&mut self) {
        if self.clones.len() < 2 {
            self.fault("clone starts", |this| {
                let state = this.folder.path().join(format!("clone-{}", this.clones.len()));
                let line = Line::new(this.server.clone(), this.requests.clone());
                let mut clone = this.hosts[any(this.hosts.len())].cloned(&state, line);
                clone.starts();
                this.clones.push(clone);
            });
        }
    }

    fn the_store_is_restored(&mut self) {
        let folder = self.folder.path().join("backup");
        if let Some((taken, jobs)) = self.backup.take() {
            self.fault("store is restored", |this| {
                this.may_be_lost.extend(&this.jobs[jobs..]);
                this.restores.happened(taken);
                this.server.restore(&folder);
                std::fs::remove_dir_all(&folder).expect("it is there");
            });
        } else {
            self.server.back_up(&folder);
            self.backup = Some((elapsed(), self.jobs.len()));
        }
    }

    /// What the server says of each job is held against what happened.
    async fn looks(&mut self) {
        for id in self.jobs.clone() {
            if let Some(job) = self.asks_about(id).await {
                self.holds(&job);
            }
        }
    }

    /// A job as the server knows it; none when a restored one does not.
    async fn asks_about(&mut self, id: JobId) -> Option<JobView> {
        match self.server.asks::<JobView>("GET", &format!("/jobs/{id}"), &Value::Null).await {
            Ok(job) => Some(job),
            Err(said) if said.contains("not_found") && self.may_be_lost.contains(&id) => None,
            Err(said) => {
                self.violations.push(Violation { invariant: "NoDivergence", what: format!("{id}: {said}") });
                None
            }
        }
    }

    /// The server's word is held against what happened.
    fn holds(&mut self, job: &JobView) -> u32 {
        let mut known_limit = 0;
        let agreed = self.history.agrees_with(job, &self.restores, self.options.clones, &mut known_limit);
        self.violations.extend(agreed.err());
        known_limit
    }

    /// Nothing goes wrong any more, and whoever is locked out is let in again.
    fn peace(&mut self) {
        self.server.begins_if_dead();
        self.server.loses_ticks(0.0);
        for clone in &mut self.clones {
            self.gone.extend(clone.owes());
            clone.crashes();
        }
        for host in &mut self.hosts {
            host.line.heals();
            if !host.is_running() {
                host.starts();
            }
        }
    }
}

/// Keeps what several simulations came to.
impl Report {
    /// Adds another one's.
    pub fn add(&mut self, other: Self) {
        self.jobs += other.jobs;
        self.completed += other.completed;
        self.known_limit += other.known_limit;
        self.requests += other.requests;
        self.settled_after_seconds = self.settled_after_seconds.max(other.settled_after_seconds);
        for (state, count) in other.ends {
            *self.ends.entry(state).or_default() += count;
        }
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
    }
}
