//! The server of a test: the real router on a real store in a directory of its own.

use std::{
    path::PathBuf,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use axum::Router;
use jiff::Timestamp;
use muster_domain::{pacing::Pacing, retention::Retention};
use muster_schemas::{
    access::Role,
    audit::AuditEntry,
    enrollment::EnrollmentTokenCreated,
    fleet_updates::{FleetUpdateHostView, FleetUpdateView},
    hosts::HostView,
    ids::{FleetUpdateId, HostId, JobId, ProcessId, UserId},
    jobs::{JobView, JobsCreated},
    pages::Page,
    secrets::Secret,
};
use muster_server::{
    api::{self, identity::accounts::Account},
    app::{App, BODY_MEMORY_BYTES, Settings},
    clock::Clock,
    commit::put,
    records,
    store::{Expect, Table, keys, meter::Meter},
    tick,
};
use serde_json::{Value, json};

use super::{Caller, Host, ManualClock, Mortal, Stores};

/// What hosts and browsers know the server by.
pub const PUBLIC_URL: &str = "https://muster.test";
/// How many hosts join with one token, at one a second: before it expires.
const MOST_SEATS: u32 = 1_000;
const PASSWORD: &str = "in no golden sample";

/// Hashed once and cheaply: how dear a real hash is has nothing to do with these tests.
static PASSWORD_HASH: LazyLock<String> = LazyLock::new(|| {
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    cheap.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
});

/// A server, a store, hosts, and time that the test moves. Cheap to clone: the same world.
#[derive(Clone)]
pub struct World {
    /// What the server's handlers are given.
    pub app: App,
    /// The table, with its meter.
    pub table: Arc<Meter<Mortal>>,
    /// Makes the process die at an operation of the table.
    pub mortal: Mortal,
    /// The time.
    pub clock: Arc<ManualClock>,
    router: Router,
    numbers: Arc<AtomicU64>,
    /// How often its callers come again when the server is not available: never, unless a test says otherwise.
    pub patience: u32,
    /// Whether the test gives the server more to do than it can: only then may it put a request off.
    pub is_busy: bool,
    stores: Stores,
}

impl World {
    /// A new server with the accounts `admin`, `operator` and `viewer`, on the store that `MUSTER_TEST_STORE` names.
    pub async fn new() -> Self {
        Self::on(Stores::new().await).await
    }

    /// The same, on these stores.
    pub async fn on(stores: Stores) -> Self {
        let mortal = Mortal::new(stores.table.clone());
        let table = Arc::new(Meter::new(mortal.clone()));
        let clock = Arc::new(ManualClock::default());
        let app = app(&table, &stores, &clock, Pacing::default());
        let router = api::router(&app);
        let world =
            Self { app, table, mortal, clock, router, numbers: Arc::default(), patience: 0, is_busy: false, stores };
        for role in [Role::Admin, Role::Operator, Role::Viewer] {
            world.has_account(role).await;
        }
        world
    }

    /// The same store and the same time, served by a new process that knows nothing.
    #[must_use]
    pub fn restarted(&self) -> Self {
        self.mortal.revives();
        self.paced(self.app.settings.pacing)
    }

    /// The same, by other pacing: `max_hold_seconds: 0` is a body that cannot hold polls.
    #[must_use]
    pub fn paced(&self, pacing: Pacing) -> Self {
        let app = app(&self.table, &self.stores, &self.clock, pacing);
        Self { router: api::router(&app), app, ..self.clone() }
    }

    /// The same, by other settings.
    #[must_use]
    pub fn told(&self, settings: Settings) -> Self {
        let app = App::new(self.table.clone(), self.app.blobs.clone(), self.clock.clone(), settings);
        Self { router: api::router(&app), app, ..self.clone() }
    }

    /// The same, served from this table.
    #[must_use]
    pub fn from(&self, table: Arc<dyn Table>) -> Self {
        let app = App::new(table, self.app.blobs.clone(), self.clock.clone(), self.app.settings.clone());
        Self { router: api::router(&app), app, ..self.clone() }
    }

    /// The same time and the same hosts, served from where the installation was moved to.
    #[must_use]
    pub fn moved_to(&self, stores: Stores) -> Self {
        let mortal = Mortal::new(stores.table.clone());
        let table = Arc::new(Meter::new(mortal.clone()));
        let app = app(&table, &stores, &self.clock, self.app.settings.pacing);
        Self { router: api::router(&app), app, table, mortal, stores, ..self.clone() }
    }

    /// The router.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Where everything is kept, if it is kept on this machine.
    pub fn directory(&self) -> Option<PathBuf> {
        self.stores.directory()
    }

    /// A number that this world has not used.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A process that has just started.
    pub fn process(&self) -> ProcessId {
        ProcessId::new(self.now(), self.number().into())
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time passes.
    pub fn moves(&self, seconds: i64) {
        self.clock.moves(seconds);
    }

    /// The server's clock is set, ahead or back, and no time passes.
    pub fn steps(&self, seconds: i64) {
        self.clock.steps(seconds);
    }

    /// From now on each operation on the store takes a second, or no time again.
    pub fn is_slow(&self, slow: bool) {
        self.mortal.is_slow(slow.then(|| self.clock.clone()));
    }

    /// The scheduled function runs.
    pub async fn tick(&self) {
        tick::run(&self.app).await.unwrap();
    }

    /// Somebody without a credential.
    pub fn nobody(&self) -> Caller {
        Caller::new(self)
    }

    /// May do everything.
    pub async fn admin(&self) -> Caller {
        self.signed_in("admin").await
    }

    /// May run jobs.
    pub async fn operator(&self) -> Caller {
        self.signed_in("operator").await
    }

    /// May look.
    pub async fn viewer(&self) -> Caller {
        self.signed_in("viewer").await
    }

    /// The password of the three accounts.
    pub fn password() -> &'static str {
        PASSWORD
    }

    /// Gives an enrollment token.
    pub async fn token(&self, seats: u32) -> EnrollmentTokenCreated {
        self.admin().await.post("/api/v1/enrollment-tokens", &json!({ "seats": seats })).await.is(201).json()
    }

    /// A host that has joined and started.
    pub async fn host(&self, name: &str) -> Host {
        let mut host = Host::new(self, name);
        let token = self.token(1).await;
        host.joins(token.token.reveal()).await.is(201);
        host.starts().await.is(200);
        host
    }

    /// Hosts `host_01`, `host_02` … that have joined and started.
    pub async fn fleet(&self, count: u32, version: &str) -> Vec<Host> {
        let mut token = self.token(count.min(MOST_SEATS)).await;
        let mut hosts = Vec::new();
        for number in 1..=count {
            if number % MOST_SEATS == 0 {
                token = self.token(MOST_SEATS).await;
            }
            let mut host = Host::new(self, &format!("host_{number:02}"));
            host.agent.version = version.into();
            host.joins(token.token.reveal()).await.is(201);
            host.starts().await.is(200);
            hosts.push(host);
            // Ids sort by time: the fleet's order is that of joining.
            self.clock.moves(1);
        }
        hosts
    }

    /// Asks for a job on one host, kept until the host returns.
    pub async fn job(&self, host: HostId, spec: &Value) -> JobView {
        let mut body = json!({ "host_ids": [host], "if_offline": "queue" });
        body.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let created: JobsCreated = self.operator().await.post("/api/v1/jobs", &body).await.is(202).json();
        created.items.into_iter().next().unwrap()
    }

    /// A job as operators see it.
    pub async fn sees_job(&self, id: JobId) -> JobView {
        self.viewer().await.get(&format!("/api/v1/jobs/{id}")).await.is(200).json()
    }

    /// A host as operators see it.
    pub async fn sees_host(&self, id: HostId) -> HostView {
        self.viewer().await.get(&format!("/api/v1/hosts/{id}")).await.is(200).json()
    }

    /// Starts a fleet update; what `request` does not say is the default.
    pub async fn fleet_update(&self, request: &Value) -> FleetUpdateView {
        self.admin().await.post("/api/v1/fleet-updates", request).await.is(201).json()
    }

    /// A fleet update as operators see it.
    pub async fn sees_fleet_update(&self, id: FleetUpdateId) -> FleetUpdateView {
        self.viewer().await.get(&format!("/api/v1/fleet-updates/{id}")).await.is(200).json()
    }

    /// Its hosts as operators see them.
    pub async fn sees_fleet_update_hosts(&self, id: FleetUpdateId) -> Vec<FleetUpdateHostView> {
        let (viewer, mut hosts, mut more) = (self.viewer().await, Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/fleet-updates/{id}/hosts?limit=200{more}");
            let page: Page<FleetUpdateHostView> = viewer.get(&path).await.is(200).json();
            hosts.extend(page.items);
            let Some(cursor) = page.next_cursor else { return hosts };
            more = format!("&cursor={cursor}");
        }
    }

    /// Pauses, resumes, … a fleet update.
    pub async fn acts(&self, id: FleetUpdateId, action: &str, body: &Value) -> super::Answer {
        self.admin().await.post(&format!("/api/v1/fleet-updates/{id}/{action}"), body).await
    }

    /// Entries of the audit trail that somebody should look at, newest first.
    pub async fn alerts(&self) -> Vec<AuditEntry> {
        self.viewer().await.get("/api/v1/audit?alert=true&limit=200").await.is(200).json::<Page<_>>().items
    }

    /// Until nothing that the server has begun is under way any more.
    pub async fn settles(&self) {
        while !self.app.tasks.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn signed_in(&self, username: &str) -> Caller {
        let login = json!({ "username": username, "password": PASSWORD, "kind": "bearer" });
        let session = self.nobody().post("/api/v1/session", &login).await.is(201).value();
        self.nobody().bearing(session["token"].as_str().unwrap())
    }

    async fn has_account(&self, role: Role) {
        let account = Account {
            id: UserId::new(self.now(), self.number().into()),
            username: serde_json::to_value(role).unwrap().as_str().unwrap().into(),
            password_hash: PASSWORD_HASH.clone(),
            password_version: 1,
            role,
            created_at: self.now(),
        };
        let name = put(records::users::by_name(&account.username), 1, Vec::new(), &account.id, Expect::Absent);
        let listed = vec![keys::list("users", account.id)];
        let record = put(records::users::key(account.id), 1, listed, &account, Expect::Absent);
        self.table.commit(vec![name, record], rand::random()).await.unwrap();
    }
}

/// A program to run, as in the body of `POST /api/v1/jobs`.
pub fn run_job() -> Value {
    json!({ "kind": "run", "spec": { "argv": ["/bin/true"] } })
}

fn app(table: &Arc<Meter<Mortal>>, stores: &Stores, clock: &Arc<ManualClock>, pacing: Pacing) -> App {
    let settings = Settings {
        public_url: PUBLIC_URL.into(),
        console_url: String::new(),
        token_secret: Secret::new("the secret that signs the access tokens of these tests: 32 bytes at least"),
        pacing,
        retention: Retention::default(),
        max_target_bytes: 1024 * 1024,
        max_blob_part_bytes: None,
        body_memory_bytes: BODY_MEMORY_BYTES,
    };
    let table: Arc<dyn Table> = table.clone();
    App::new(table, stores.blobs(), clock.clone(), settings)
}
