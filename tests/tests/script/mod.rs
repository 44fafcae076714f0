//! The language of the stories: commands for people, hosts and time; the news are what has changed since.

mod arguments;
mod news;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use muster_schemas::{
    fleet_updates::FleetUpdateView,
    ids::{FleetUpdateId, JobId},
    jobs::{JobError, JobResult, JobsCreated, Outcome},
};
use muster_tests::world::{Answer, Host, Release, World, result, started};
use serde_json::{Value, json};

use self::arguments::{fleet_update, seconds};

/// How often a host that is not silent checks in while time passes, in seconds.
const CHECK_IN_SECONDS: i64 = 240;

/// A story under way.
pub struct Script {
    world: World,
    hosts: Vec<Host>,
    clones: BTreeMap<usize, Host>,
    silent: BTreeSet<usize>,
    releases: BTreeMap<String, Release>,
    updates: BTreeMap<usize, JobId>,
    fleet_update: Option<FleetUpdateId>,
    jobs: Vec<JobId>,
    known: BTreeMap<String, String>,
    alerts: usize,
}

impl Script {
    /// An empty world.
    pub async fn new() -> Self {
        Self {
            world: World::new().await,
            hosts: Vec::new(),
            clones: BTreeMap::new(),
            silent: BTreeSet::new(),
            releases: BTreeMap::new(),
            updates: BTreeMap::new(),
            fleet_update: None,
            jobs: Vec::new(),
            known: BTreeMap::new(),
            alerts: 0,
        }
    }

    /// Does what a command says, and tells what came of it.
    pub async fn does(&mut self, command: &str) -> String {
        let words = command.split_whitespace().collect::<Vec<_>>();
        let (_, note) = command.split_once(": ").unwrap_or((command, ""));
        let refused = self.acts(command, &words, note).await;
        self.world.is_consistent().await;
        let news = [refused.into_iter().collect(), self.news().await].concat();
        news.iter().flat_map(|line| ["  ", line, "\n"]).collect()
    }

    async fn acts(&mut self, command: &str, words: &[&str], note: &str) -> Option<String> {
        let head = words.iter().map(|word| word.trim_end_matches(':')).collect::<Vec<_>>();
        match head.as_slice() {
            ["fleet", count, "hosts", "on", version] => {
                self.hosts = self.world.fleet(count.parse().unwrap(), version).await;
                None
            }
            ["release", version] => {
                self.releases.insert((*version).into(), self.world.publishes(version).await);
                None
            }
            ["fleet", "update", version, options @ ..] => self.starts(version, options).await,
            ["tick"] => {
                self.world.tick().await;
                None
            }
            ["wait", span] => {
                self.waits(seconds(span)).await;
                None
            }
            ["hosts"] => Some(self.table().await),
            ["pause"] => self.brakes("pause", json!({})).await,
            ["resume", ..] => self.brakes("resume", json!({ "note": note })).await,
            ["cancel", "job", number] => {
                let path = format!("/api/v1/jobs/{}/cancel", self.job(number));
                self.refusal(&self.world.operator().await.post(&path, &json!({})).await)
            }
            ["cancel", ..] => self.brakes("cancel", json!({ "note": note })).await,
            ["retry", "failed", ..] => self.brakes("retry-failed", json!({ "note": note })).await,
            ["write", "off", "host", number] => {
                let host = self.hosts[index(number)].id();
                self.brakes("write-off", json!({ "host_id": host })).await
            }
            ["readmit", "host", number, ..] => {
                let path = format!("/api/v1/hosts/{}/readmit", self.hosts[index(number)].id());
                self.refusal(&self.world.admin().await.post(&path, &json!({ "reason": note })).await)
            }
            ["run", program, "on", "host", number, options @ ..] => self.asks(program, index(number), options).await,
            ["clone", "of", "host", number, rest @ ..] => self.clone_acts(index(number), rest).await,
            ["host", number, rest @ ..] => self.host_acts(index(number), rest, note).await,
            _ => panic!("no such command: {command}"),
        }
    }

    async fn starts(&mut self, version: &str, options: &[&str]) -> Option<String> {
        let request = fleet_update(version, options);
        let answer = self.world.admin().await.post("/api/v1/fleet-updates", &request).await;
        if answer.status == 201 {
            self.fleet_update = Some(answer.json::<FleetUpdateView>().id);
        }
        self.refusal(&answer)
    }

    async fn asks(&mut self, program: &str, host: usize, options: &[&str]) -> Option<String> {
        let mut body = json!({ "host_ids": [self.hosts[host].id()], "kind": "run", "spec": { "argv": [program] } });
        match options {
            [] => {}
            ["queued", "for", span] => {
                body["if_offline"] = json!("queue");
                body["start_by"] = json!(self.world.now() + SignedDuration::from_secs(seconds(span)));
            }
            _ => panic!("no such option: {options:?}"),
        }
        let answer = self.world.operator().await.post("/api/v1/jobs", &body).await;
        if answer.status == 202 {
            self.jobs.extend(answer.json::<JobsCreated>().items.iter().map(|job| job.id));
        }
        self.refusal(&answer)
    }

    /// Time passes; hosts that are not silent check in, and get what is there for them.
    async fn waits(&mut self, mut left: i64) {
        while left > 0 {
            let stride = left.min(CHECK_IN_SECONDS);
            self.world.moves(stride);
            left -= stride;
            for (place, host) in self.hosts.iter_mut().enumerate() {
                if !self.silent.contains(&place) {
                    host.asks().await;
                }
            }
        }
    }

    async fn brakes(&mut self, action: &str, body: Value) -> Option<String> {
        let answer = self.world.acts(self.fleet_update.unwrap(), action, &body).await;
        self.refusal(&answer)
    }

    async fn clone_acts(&mut self, host: usize, words: &[&str]) -> Option<String> {
        let original = self.hosts[host].cloned();
        let clone = self.clones.entry(host).or_insert(original);
        let answer = match words {
            ["starts"] => clone.starts().await,
            ["checks", "in"] => clone.asks().await,
            _ => panic!("no such command of a clone: {words:?}"),
        };
        self.refusal(&answer)
    }

    async fn host_acts(&mut self, place: usize, words: &[&str], note: &str) -> Option<String> {
        let release = self.releases.values().next_back().cloned();
        let now = self.world.now();
        let host = &mut self.hosts[place];
        let answer = match words {
            ["silent"] => {
                self.silent.insert(place);
                return None;
            }
            ["returns"] => {
                self.silent.remove(&place);
                host.asks().await
            }
            ["checks", "in"] => host.asks().await,
            ["starts"] => host.starts().await,
            ["restarts"] => host.restarts().await,
            ["updates"] => return offered(host.updates(&release.unwrap()).await),
            ["rolls", "back", ..] => return offered(host.rolls_back(&release.unwrap(), note).await),
            ["begins", "the", "update"] => {
                let job = host.begins_update().await;
                self.updates.extend(job.map(|job| (place, job)));
                return offered(job);
            }
            ["tries", "the", "new", "version"] => host.tries(&release.unwrap()).await,
            ["commits"] => host.commits(self.updates[&place]).await,
            ["runs", "job", number] => host.runs(self.jobs[index(number)]).await,
            ["starts", "job", number] => {
                let job = self.jobs[index(number)];
                host.check_in().await;
                host.accepts(job).await.is(200);
                host.tells(job, vec![started()]).await
            }
            ["finishes", "job", number] => {
                host.finishes(self.jobs[index(number)], result(Outcome::Succeeded, now)).await
            }
            ["fails", "job", number, ..] => {
                let error = JobError { code: "exit_code".into(), message: note.into() };
                let failed = JobResult { error: Some(error), exit_code: Some(1), ..result(Outcome::Failed, now) };
                host.finishes(self.jobs[index(number)], failed).await
            }
            ["stops", "job", number] => {
                let job = self.jobs[index(number)];
                host.check_in().await;
                host.finishes(job, result(Outcome::Cancelled, now)).await
            }
            _ => panic!("no such command of a host: {words:?}"),
        };
        self.refusal(&answer)
    }

    fn job(&self, number: &str) -> JobId {
        self.jobs[index(number)]
    }

    fn refusal(&self, answer: &Answer) -> Option<String> {
        (answer.status >= 400).then(|| {
            let problem = answer.problem();
            let members = problem.members.iter().map(|(name, value)| format!(", {name} {value}"));
            let members = members.collect::<Vec<_>>().concat();
            let detail = problem.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
            self.named(&format!("refused: {} {}{detail}{members}", problem.status, problem.code))
        })
    }
}

fn offered(job: Option<JobId>) -> Option<String> {
    job.is_none().then(|| "it is offered nothing".into())
}

/// Numbers of hosts and jobs start at 1.
fn index(number: &str) -> usize {
    number.trim_end_matches(':').parse::<usize>().unwrap() - 1
}
