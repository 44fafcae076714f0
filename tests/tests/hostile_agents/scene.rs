//! A victim, somebody who means it harm, and what must be as it was when the harm was done.

use std::collections::BTreeMap;

use axum::{body::Body, http::Method};
use muster_domain::{fleet_updates::FleetUpdate, hosts::Host as Record, jobs::Job};
use muster_schemas::{
    ids::JobId,
    jobs::{JobState, Outcome},
};
use muster_server::{
    records,
    store::{Index, Item, Key, Query, keys},
};
use muster_tests::world::{Answer, Host, World, accepted, finished, json_request, output, request, result, started};
use serde_json::{Value, json};

/// Stands in the victim's jobs, logs, names and facts; told to nobody but the victim and operators.
pub const SECRET: &str = "a word between the operator and the victim";
const ALL: usize = 100_000;

/// A world with a victim in the middle of its work, and a hostile host.
pub struct Scene {
    pub world: World,
    pub victim: Host,
    pub hostile: Host,
    /// The victim's jobs: one that is done, one that it has accepted, one that it was not offered yet.
    pub done: JobId,
    pub open: JobId,
    pub waiting: JobId,
    before: BTreeMap<Key, Item>,
}

impl Scene {
    pub async fn new() -> Self {
        Self::of(World::new().await).await
    }

    pub async fn of(world: World) -> Self {
        let mut victim = world.host("victim").await;
        victim.facts.kernel = SECRET.into();
        victim.restarts().await.is(200);
        let (done, open) = (asks(&world, &victim).await, asks(&world, &victim).await);
        victim.check_in().await;
        victim.tells(done, vec![accepted(), started(), output(SECRET)]).await.is(200);
        victim.tells(done, vec![finished(result(Outcome::Succeeded, world.now()))]).await.is(200);
        victim.accepts(open).await.is(200);
        let waiting = asks(&world, &victim).await;
        let hostile = world.host("hostile").await;
        let before = records(&world, &hostile).await;
        Self { world, victim, hostile, done, open, waiting, before }
    }

    /// The victim's jobs.
    pub fn victims_jobs(&self) -> [JobId; 3] {
        [self.done, self.open, self.waiting]
    }

    /// A job of the hostile host's own, offered to it.
    pub async fn own_job(&mut self) -> JobId {
        let job = self.world.job(self.hostile.id(), &muster_tests::world::run_job()).await.id;
        self.hostile.check_in().await;
        job
    }

    /// The hostile host posts this.
    pub async fn posts(&mut self, path: &str, body: &Value) -> Answer {
        let answer = self.hostile.caller().await.sends(json_request(Method::POST, path, body)).await;
        keeps_the_secret(answer)
    }

    /// The hostile host posts these bytes as JSON.
    pub async fn posts_text(&mut self, path: &str, text: impl Into<Vec<u8>>) -> Answer {
        let request = request(Method::POST, path).header("content-type", "application/json");
        let request = request.body(Body::from(text.into())).unwrap();
        keeps_the_secret(self.hostile.caller().await.sends(request).await)
    }

    /// The hostile host asks for this.
    pub async fn gets(&mut self, path: &str) -> Answer {
        keeps_the_secret(self.hostile.caller().await.get(path).await)
    }

    /// What a check-in of the hostile host says, as JSON to be spoilt.
    pub fn check_in(&self) -> Value {
        json!(self.hostile.check_in_request())
    }

    /// What a session of the hostile host begins with, as JSON to be spoilt.
    pub fn session(&self) -> Value {
        json!({ "protocol": 1, "agent": self.hostile.agent, "facts": self.hostile.facts })
    }

    /// Every record of others is as it was, records agree with each other, and the victim gets and does its work.
    pub async fn stays_unharmed(mut self) {
        self.world.settles().await;
        let after = records(&self.world, &self.hostile).await;
        for (key, item) in &self.before {
            let text = |item: &Item| String::from_utf8_lossy(&item.body).into_owned();
            assert_eq!(after.get(key).map(text), Some(text(item)), "{key:?} was changed");
        }
        self.world.is_consistent().await;
        let fresh = self.world.job(self.victim.id(), &muster_tests::world::run_job()).await.id;
        self.victim.tells(self.open, vec![started()]).await.is(200);
        let over = result(Outcome::Succeeded, self.world.now());
        self.victim.finishes(self.open, over).await.is(200);
        self.victim.runs(self.waiting).await.is(200);
        self.victim.runs(fresh).await.is(200);
        for job in [self.done, self.open, self.waiting, fresh] {
            assert_eq!(self.world.sees_job(job).await.state, JobState::Succeeded);
        }
        self.world.settles().await;
        self.world.is_consistent().await;
    }
}

/// The answer, in which nothing of the victim may stand.
pub fn keeps_the_secret(answer: Answer) -> Answer {
    assert!(!answer.text().contains(SECRET), "it was told: {}", answer.text());
    answer
}

async fn asks(world: &World, host: &Host) -> JobId {
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/echo", SECRET] } });
    world.job(host.id(), &spec).await.id
}

/// Every record but those of the hostile host and the audit trail.
async fn records(world: &World, hostile: &Host) -> BTreeMap<Key, Item> {
    let mut records = everything(world).await;
    let jobs = world.all::<Job>("jobs").await.into_iter().filter(|job| job.host_id == hostile.id());
    let mut own = jobs.map(|job| records::jobs::key(job.id).partition).collect::<Vec<_>>();
    own.push(records::hosts::key(hostile.id()).partition);
    records.retain(|key, _| !own.contains(&key.partition) && !key.partition.starts_with("audit#"));
    records
}

/// Every record that anything leads to, but for people who have signed in.
pub async fn everything(world: &World) -> BTreeMap<Key, Item> {
    let mut items = Vec::new();
    for list in ["tokens", "releases", "users", "api-keys", "audit"] {
        items.extend(world.rows(Some(Index::List), Query::all(list, ALL)).await);
    }
    items.extend(world.rows(Some(Index::Due), Query::all(keys::DUE, ALL)).await);
    let mut partitions = Vec::new();
    partitions.extend(world.all::<Record>("hosts").await.iter().map(|host| records::hosts::key(host.id).partition));
    partitions.extend(world.all::<Job>("jobs").await.iter().map(|job| records::jobs::key(job.id).partition));
    let fleet_updates = world.all::<FleetUpdate>("fleet-updates").await;
    partitions.extend(fleet_updates.iter().map(|fleet_update| records::fleet_updates::key(fleet_update.id).partition));
    for partition in partitions {
        items.extend(world.rows(None, Query::all(partition, ALL)).await);
    }
    // Operators who look have signed in.
    let looked = |item: &Item| String::from_utf8_lossy(&item.body).contains(r#""action":"session.opened""#);
    items.into_iter().filter(|item| !looked(item)).map(|item| (item.key.clone(), item)).collect()
}

/// How many records there are, and how many bytes they have.
pub async fn size(world: &World) -> (usize, usize) {
    let records = everything(world).await;
    (records.len(), records.values().map(|item| item.body.len()).sum())
}
