//! Upgrade tests: records that the release before has stored are read by today's types, and served by today's server.

use muster_domain::{
    changes::Change,
    enrollment_tokens::EnrollmentToken,
    fleet_updates::{FleetUpdate, hosts::FleetUpdateHost},
    hosts::Host,
    jobs::Job,
    mailboxes::Mailbox,
    releases::Release,
};
use muster_schemas::{
    audit::AuditEntry,
    envelopes::sha256_hex,
    ids::{HostId, UserId},
};
use muster_server::{
    api::identity::accounts::Account,
    store::{Expect, Index, IndexEntry, Item, Key, Write},
};
use muster_tests::world::World;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const RECORDS: &str = include_str!("../../fixtures/before/records.ndjson");

/// A record, as an export writes it.
#[derive(Debug, Clone, Deserialize)]
struct Record {
    partition: String,
    sort: String,
    revision: u64,
    #[serde(default)]
    indexes: Vec<Entry>,
    body: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Entry {
    index: String,
    partition: String,
    sort: String,
}

/// How a record is written again that was read.
#[derive(PartialEq)]
enum Written {
    /// With all that it held; there may be more.
    Same,
}

/// Reads a record and writes it again.
fn again<T: DeserializeOwned + Serialize>(record: Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(record)?)
}

type Again = fn(Value) -> Result<Value, serde_json::Error>;

/// Each kind whose type is public.
const KINDS: [(&str, Again, Written); 14] = [
    ("audit", again::<AuditEntry>, Written::Same),
    ("fleet-update", again::<FleetUpdate>, Written::Same),
    ("fleet-update-host", again::<FleetUpdateHost>, Written::Same),
    ("host", again::<Host>, Written::Same),
    ("host-key", again::<HostId>, Written::Same),
    ("job", again::<Job>, Written::Same),
    ("lock", again::<String>, Written::Same),
    ("log", again::<String>, Written::Same),
    ("mailbox", again::<Mailbox>, Written::Same),
    ("outbox", again::<Change>, Written::Same),
    ("release", again::<Release>, Written::Same),
    ("token", again::<EnrollmentToken>, Written::Same),
    ("user", again::<Account>, Written::Same),
    ("user-name", again::<UserId>, Written::Same),
];
/// Each kind that only the server knows how to read.
const PRIVATE: [&str; 6] = ["api-key", "counted", "history", "idempotency", "session", "sign-in"];

fn records() -> Vec<Record> {
    RECORDS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind(kind: &str) -> Vec<Record> {
    records().into_iter().filter(|record| record.kind() == kind).collect()
}

impl Record {
    /// By its partition; by its place in it where that holds several.
    fn kind(&self) -> &str {
        let of = self.partition.split('#').next().unwrap();
        match (of, self.sort.split('#').next().unwrap()) {
            ("fleet-update", "host") => "fleet-update-host",
            ("host" | "job" | "overview" | "fleet-update", sort) => sort,
            _ => of,
        }
    }

    /// What its partition is of.
    fn id(&self) -> &str {
        self.partition.split_once('#').unwrap().1
    }

    /// The same of another id.
    fn with_id(&self, id: &str) -> Self {
        let body = serde_json::from_str(&self.body.to_string().replace(self.id(), id)).unwrap();
        Self { partition: self.partition.replace(self.id(), id), body, ..self.clone() }
    }

    fn write(&self) -> Write {
        let entry = |Entry { index, partition, sort }: &Entry| {
            let index = Index::ALL.into_iter().find(|known| known.name() == index).unwrap();
            IndexEntry { index, partition: partition.clone(), sort: sort.clone() }
        };
        let item = Item {
            key: Key::new(&self.partition, &self.sort),
            revision: self.revision,
            expires_at: None,
            indexes: self.indexes.iter().map(entry).collect(),
            body: self.body.to_string().into_bytes(),
        };
        Write::Put { item, expect: Expect::Any }
    }
}

/// A server of today with these records.
async fn served(records: &[&Record]) -> World {
    let world = World::new().await;
    let writes = records.iter().map(|record| record.write()).collect();
    world.app.table.commit(writes, rand::random()).await.unwrap();
    world
}

#[test]
fn every_record_of_the_release_before_is_read_and_written_again_with_all_that_it_held() {
    for record in records() {
        let kind = record.kind();
        let Some((_, again, written)) = KINDS.iter().find(|(known, ..)| *known == kind) else {
            assert!(PRIVATE.contains(&kind), "{kind} is known to nobody: {record:?}");
            continue;
        };
        let now = again(record.body.clone()).unwrap_or_else(|error| panic!("{kind}: {error}: {}", record.body));
        if *written == Written::Same {
            says_the_same(kind, &record.body, &now);
        }
        assert_eq!(again(now.clone()).unwrap(), now, "{kind}");
    }
}

#[test]
fn there_is_a_record_of_every_kind_and_in_every_state() {
    for kind in KINDS.map(|(kind, ..)| kind).iter().chain(&PRIVATE) {
        assert!(!of_kind(kind).is_empty(), "{kind}");
    }
    let states = |kind: &str| {
        let states = of_kind(kind).into_iter().map(|record| record.body["state"].as_str().unwrap().to_owned());
        states.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(["job", "fleet-update", "fleet-update-host", "mailbox"].map(states), [12, 6, 8, 3]);
}

#[tokio::test]
async fn jobs_and_fleet_updates_of_the_release_before_are_served_and_ticked() {
    for (kind, path) in [("job", "/api/v1/jobs/"), ("fleet-update", "/api/v1/fleet-updates/")] {
        for record in of_kind(kind) {
            let world = served(&[&record]).await;
            let seen = world.admin().await.get(&format!("{path}{}", record.id())).await.is(200).value();
            assert_eq!((&seen["id"], &seen["state"]), (&record.body["id"], &record.body["state"]));
            world.moves(40 * 86_400);
            world.tick().await;
            world.admin().await.get(&format!("{path}{}", record.id())).await.is(200);
        }
    }
    let fleet_update = &of_kind("fleet-update")[0];
    for host in of_kind("fleet-update-host") {
        let world = served(&[&host, &fleet_update.with_id(host.id())]).await;
        let path = format!("/api/v1/fleet-updates/{}/hosts", host.id());
        let seen = world.admin().await.get(&path).await.is(200).value();
        assert_eq!(seen["items"][0]["state"], host.body["state"]);
    }
}

#[tokio::test]
async fn hosts_of_the_release_before_are_served() {
    let (hosts, mailboxes) = (of_kind("host"), of_kind("mailbox"));
    let pairs = hosts.iter().map(|host| (host, &mailboxes[0])).chain(mailboxes.iter().map(|one| (&hosts[0], one)));
    for (host, mailbox) in pairs {
        let mailbox = mailbox.with_id(host.id());
        let world = served(&[host, &mailbox]).await;
        let seen = world.admin().await.get(&format!("/api/v1/hosts/{}", host.id())).await.is(200).value();
        assert_eq!((&seen["name"], &seen["state"]), (&host.body["name"], &mailbox.body["state"]));
    }
}

#[tokio::test]
async fn lists_and_counts_of_the_release_before_are_served() {
    let lists = [("api-key", "api-keys"), ("token", "enrollment-tokens"), ("user", "users"), ("audit", "audit")];
    for (kind, list) in lists {
        for mut record in of_kind(kind) {
            if kind == "user" {
                // Not in the place of who looks.
                record = record.with_id("usr_01KJQ6PSG00000000000000009");
            }
            let world = served(&[&record]).await;
            let page = world.admin().await.get(&format!("/api/v1/{list}")).await.is(200).value();
            let is_there = |item: &Value| item["id"] == record.body["id"];
            assert!(page["items"].as_array().unwrap().iter().any(is_there), "{list}: {page:#}");
        }
    }
    for release in of_kind("release") {
        let world = served(&[&release]).await;
        world.admin().await.get(&format!("/api/v1/releases/{}", release.id())).await.is(200);
    }
    for kind in ["counted", "history"] {
        for record in of_kind(kind) {
            served(&[&record]).await.admin().await.get("/api/v1/overview").await.is(200);
        }
    }
}

#[tokio::test]
async fn sessions_tries_and_repeats_of_the_release_before_are_known() {
    for session in of_kind("session").into_iter().filter(|session| session.body["kind"] == "bearer") {
        let text = format!("mss_{}{}", session.id(), "A".repeat(43));
        let text = format!("{text}{}", &sha256_hex(text.as_bytes())[..6]);
        let mut known = session.clone();
        known.body["secret_sha256"] = json!(sha256_hex(text.as_bytes()));
        let who = served(&[&known]).await.nobody().bearing(&text).get("/api/v1/session").await.is(200).value();
        assert_eq!(who["username"], "admin");
    }
    for tries in of_kind("sign-in") {
        served(&[&tries.with_id(&sha256_hex(b"admin"))]).await.admin().await.get("/api/v1/session").await.is(200);
    }
    for made in of_kind("idempotency") {
        let caller = made.id().split_once('#').unwrap().0;
        let mut repeated = made.with_id(&format!("{caller}#{}", sha256_hex(b"again")));
        repeated.sort = "api-key".into();
        let world = served(&[&repeated]).await;
        let request = json!({ "name": "pipeline", "role": "viewer" });
        let admin = world.admin().await.with("idempotency-key", "again");
        admin.post("/api/v1/api-keys", &request).await.is(422);
    }
}

/// Whatever was said before is said now; more may be.
fn says_the_same(place: &str, before: &Value, now: &Value) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before {
                let place = format!("{place}.{name}");
                says_the_same(&place, value, now.get(name).unwrap_or_else(|| panic!("{place} is lost")));
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            before.iter().zip(now).for_each(|(before, now)| says_the_same(place, before, now));
        }
        _ => assert_eq!(now, before, "{place}"),
    }
}
