//! The server: the real router on the real store. Its process ends and begins, and its store is put back to a backup.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use axum::{Router, body::Body, http::Request, response::Response};
use http_body_util::BodyExt;
use muster_agent::sys::dice;
use muster_domain::{pacing::Pacing, retention::Retention};
use muster_schemas::{access::Role, ids::UserId, secrets::Secret};
use muster_server::{
    api::{self, identity::accounts::Account},
    app::{App, BODY_MEMORY_BYTES, Settings},
    blobs::directory::Directory,
    clock::Clock,
    commit::put,
    records,
    store::{Expect, keys},
    tick,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    store::{Connection, Store},
    time::ServerTime,
};

/// Where hosts know the server.
pub const URL: &str = "http://127.0.0.1:1";
const PASSWORD: &str = "correct horse battery staple";
/// How often the tick is due.
const TICK: Duration = Duration::from_secs(10);

/// The server. Cheap to clone: the same one.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    store: Arc<Store>,
    time: Arc<ServerTime>,
    process: Mutex<Option<Process>>,
    key: Mutex<String>,
    lost_ticks: Mutex<f64>,
}

/// A running process.
#[derive(Clone)]
struct Process {
    app: App,
    router: Router,
    killed: CancellationToken,
}

impl Server {
    /// One that runs, with an operator's key.
    pub async fn start(folder: PathBuf) -> Self {
        let store = Arc::new(Store::new(folder.join("table")));
        let server = Self(Arc::new(Inner {
            folder,
            store,
            time: Arc::default(),
            process: Mutex::default(),
            key: Mutex::default(),
            lost_ticks: Mutex::default(),
        }));
        server.begins();
        server.has_an_operator().await;
        tokio::spawn(server.clone().ticks());
        server
    }

    /// A process begins, and knows nothing but what is stored.
    pub fn begins(&self) {
        let settings = Settings {
            public_url: URL.into(),
            console_url: String::new(),
            token_secret: Secret::new("the secret that signs the access tokens of a simulation: 32 bytes at least"),
            pacing: Pacing::default(),
            retention: Retention::default(),
            max_target_bytes: 1024 * 1024,
            max_blob_part_bytes: None,
            body_memory_bytes: BODY_MEMORY_BYTES,
        };
        let blobs = Directory::open(self.0.folder.join("blobs")).expect("a folder can be made");
        let killed = CancellationToken::new();
        let table = Connection { store: self.0.store.clone(), killed: killed.clone() };
        let app = App::new(Arc::new(table), Arc::new(blobs), self.0.time.clone(), settings);
        let process = Process { router: api::router(&app), app, killed };
        *self.process_mut() = Some(process);
    }

    /// Whether there is a process.
    pub fn is_running(&self) -> bool {
        self.process_mut().is_some()
    }

    /// A process begins where there is none.
    pub fn begins_if_dead(&self) {
        if self.process_mut().is_none() {
            self.begins();
        }
    }

    /// The process is killed, in the midst of whatever it does.
    pub fn dies(&self) {
        if let Some(process) = self.process_mut().take() {
            process.killed.cancel();
        }
    }

    /// Everything that is stored is copied.
    pub fn back_up(&self, to: &Path) {
        self.0.store.back_up(to);
    }

    /// The process dies, the store is as it was at the backup, and another process begins.
    pub fn restore(&self, from: &Path) {
        self.dies();
        self.0.store.restore(from);
        self.begins();
    }

    /// The server's clock.
    pub fn time(&self) -> &ServerTime {
        &self.0.time
    }

    /// So many ticks do not come.
    pub fn loses_ticks(&self, share: f64) {
        *self.0.lost_ticks.lock().expect("nobody panics with it") = share;
    }

    /// Serves a request; nothing comes of it when there is no process, or it dies.
    pub async fn serve(&self, request: Request<Body>) -> Option<Response> {
        let Process { router, killed, .. } = self.process_mut().clone()?;
        let served = killed.run_until_cancelled(router.oneshot(request)).await?;
        Some(served.expect("a router always answers"))
    }

    /// What an operator asks and gets.
    pub async fn asks<T: DeserializeOwned>(&self, method: &str, path: &str, body: &Value) -> Result<T, String> {
        let key = self.0.key.lock().expect("nobody panics with it").clone();
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request =
            request.header("authorization", format!("Bearer {key}")).header("content-type", "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.body(body).expect("it is a request");
        let answer = self.serve(request).await.ok_or("the server is down")?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| error.to_string());
        }
        let said = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!status.is_server_error() || status == 503, "{method} {path}: {said}");
        Err(said)
    }

    async fn has_an_operator(&self) {
        let cheap =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).expect("they are right"));
        let account = Account {
            id: UserId::new(self.0.time.now(), 1),
            username: "operator".into(),
            password_hash: cheap.hash_password(PASSWORD.as_bytes()).expect("it can be hashed").to_string(),
            password_version: 1,
            role: Role::Admin,
            created_at: self.0.time.now(),
        };
        let name = put(records::users::by_name(&account.username), 1, Vec::new(), &account.id, Expect::Absent);
        let record =
            put(records::users::key(account.id), 1, vec![keys::list("users", account.id)], &account, Expect::Absent);
        let app = self.process_mut().as_ref().expect("it has begun").app.clone();
        app.table.commit(vec![name, record], rand::random()).await.expect("the store works");
        let login = json!({ "username": "operator", "password": PASSWORD, "kind": "bearer" });
        let session: Value = self.asks("POST", "/session", &login).await.expect("the password is right");
        self.bears(&session["token"]);
        let key = json!({ "name": "simulation", "role": "admin" });
        let key: Value = self.asks("POST", "/api-keys", &key).await.expect("an admin may");
        self.bears(&key["key"]);
    }

    fn bears(&self, token: &Value) {
        *self.0.key.lock().expect("nobody panics with it") = token.as_str().expect("it is a text").into();
    }

    async fn ticks(self) {
        loop {
            sleep(TICK).await;
            let share = *self.0.lost_ticks.lock().expect("nobody panics with it");
            let process = self.process_mut().clone();
            if let Some(Process { app, killed, .. }) = process.filter(|_| dice::random() >= share) {
                let done = killed.run_until_cancelled(tick::run(&app)).await;
                assert!(done.is_none_or(|done| done.is_ok()), "the tick failed");
            }
        }
    }

    fn process_mut(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.0.process.lock().expect("nobody panics with it")
    }
}
