//! What the server does per second and what a held poll costs it, measured from outside on the real binary.
//! `cargo xtask bench` runs it; the argument after `--` is the directory with `muster-server` and `muster-agent`.
//!
//! Figures that are compared are measured in turns within one run, because machines are noisy.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people, and it may stop at anything")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people anyway")]

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE},
    envelopes::public_key,
    ids::HostId,
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

const PASSWORD: &str = "a password for the bench";
/// PKCS #8, version 1: a fixed head before the 32 bytes of an Ed25519 key.
const PKCS8_HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const FEW: usize = 1_000;
const MANY: usize = 5_000;
const DELIVERIES: usize = 300;
const BLOCKS: usize = 5;
const BLOCK: Duration = Duration::from_secs(2);

/// A process that is ended with the bench.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    /// Its resident memory in KiB, its children's included.
    fn memory_kib(&self) -> u64 {
        let own = memory_kib(self.0.id());
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.0.id())).unwrap_or_default();
        own + children.split_whitespace().filter_map(|id| id.parse().ok()).map(memory_kib).sum::<u64>()
    }
}

fn memory_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// A caller of the API.
#[derive(Clone)]
struct Api {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.json::<Value>().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn hello(&self) {
        self.client.get(format!("{}/api/v1/health", self.url)).send().await.unwrap().bytes().await.unwrap();
    }
}

/// A host that speaks the protocol and does nothing.
#[derive(Clone)]
struct Host {
    id: HostId,
    session: u64,
    api: Api,
}

impl Host {
    async fn joins(admin: &Api, token: &str) -> Self {
        let key = SigningKey::from_bytes(&rand::random());
        let public_key = public_key(&key).to_string();
        let facts = json!({"hostname": "bench", "os": "linux", "architecture": "x86_64"});
        let body = json!({"enrollment_token": token, "public_key": public_key, "facts": facts});
        let joined = admin.post("/api/v1/agent/enroll", &body).await;
        let id = joined["host_id"].as_str().unwrap().parse::<HostId>().unwrap();
        let now = jiff::Timestamp::now().as_second();
        let (aud, jti) = (joined["audience"].as_str().unwrap().to_owned(), rand::random::<u64>().to_string());
        let claims = AssertionClaims { iss: id, sub: id, aud, iat: now, exp: now + 60, jti };
        let der = [&PKCS8_HEAD[..], &key.to_bytes()[..]].concat();
        let key = EncodingKey::from_ed_der(&der);
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &key).unwrap();
        let form =
            [("grant_type", GRANT_TYPE), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)];
        let request = admin.client.post(format!("{}/oauth/token", admin.url));
        let form = form.map(|(name, value)| format!("{name}={value}")).join("&");
        let token = request.body(form).send().await.unwrap().json::<Value>().await.unwrap();
        let api = Api { token: token["access_token"].as_str().unwrap().into(), ..admin.clone() };
        let process = muster_schemas::ids::ProcessId::new(jiff::Timestamp::now(), rand::random());
        let agent = json!({"version": "1.0.0", "executable_sha256": "0".repeat(64), "process_id": process});
        let body = json!({"protocol": 1, "agent": agent, "facts": facts});
        let session = api.post("/api/v1/agent/session", &body).await;
        Self { id, session: session["session"].as_u64().unwrap(), api }
    }

    async fn checks_in(&self, wait_seconds: u16, open: &[String]) -> Value {
        let body = json!({"session": self.session, "wait_seconds": wait_seconds, "open": open});
        self.api.post("/api/v1/agent/check-in", &body).await
    }

    /// Holds a poll for ever, and says when a job has come.
    async fn holds(self, delivered: mpsc::UnboundedSender<(String, Instant)>) {
        let mut open = Vec::new();
        loop {
            let answer = self.checks_in(280, &open).await;
            for job in answer["jobs"].as_array().unwrap() {
                let id = job["id"].as_str().unwrap().to_owned();
                drop(delivered.send((id.clone(), Instant::now())));
                open.push(id);
            }
        }
    }
}

#[tokio::main]
async fn main() {
    let binaries = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let binaries = PathBuf::from(binaries.expect("the argument is the directory of the binaries"));
    let directory = tempfile::tempdir().unwrap();
    let (server, admin) = starts(&binaries, directory.path()).await;
    println!("load average          {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    let alone = server.memory_kib();
    let hosts = join_all(&admin, MANY).await;

    throughput(&admin, &hosts[0]).await;
    durable(&admin, &hosts).await;

    let (delivered, mut deliveries) = mpsc::unbounded_channel();
    let before = server.memory_kib();
    let mut holding = JoinSet::new();
    for host in &hosts[..FEW] {
        holding.spawn(host.clone().holds(delivered.clone()));
    }
    settle(&admin).await;
    let few = server.memory_kib();
    delivery(&admin, &hosts[..FEW], &mut deliveries).await;
    let after_few = server.memory_kib();
    for host in &hosts[FEW..] {
        holding.spawn(host.clone().holds(delivered.clone()));
    }
    settle(&admin).await;
    let many = server.memory_kib();
    println!(
        "memory, server        {alone} KiB alone, {before} KiB with {MANY} hosts, {few} KiB with {FEW} held, {many} KiB with {MANY} held"
    );
    println!(
        "memory per held poll  {:.1} KiB (slope from {FEW} to {MANY})",
        (many.saturating_sub(after_few)) as f64 / (MANY - FEW) as f64
    );
    drop(holding);
    agent(&binaries, &admin, directory.path()).await;
}

async fn starts(binaries: &Path, directory: &Path) -> (Process, Api) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(binaries.join("muster-server"));
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(directory.join("data"));
    command.env("MUSTER_ADMIN_PASSWORD", PASSWORD).stderr(Stdio::null());
    let server = Process(command.spawn().expect("muster-server is there"));
    let client = reqwest::Client::builder().pool_max_idle_per_host(MANY).no_proxy().build().unwrap();
    let api = Api { client, url, token: String::new() };
    let health = format!("{}/api/v1/health", api.url);
    while api.client.get(&health).send().await.is_err() {
        tokio::task::yield_now().await;
    }
    let login = json!({"username": "admin", "password": PASSWORD, "kind": "bearer"});
    let session = api.post("/api/v1/session", &login).await;
    let token = session["token"].as_str().unwrap().to_owned();
    (server, Api { token, ..api })
}

/// Joins so many hosts, by many tokens side by side: a token is one record.
async fn join_all(admin: &Api, count: usize) -> Vec<Host> {
    const SEATS: usize = 50;
    let begun = Instant::now();
    let mut joining = JoinSet::new();
    for _ in 0..count / SEATS {
        let admin = admin.clone();
        joining.spawn(async move {
            let token = admin.post("/api/v1/enrollment-tokens", &json!({"seats": SEATS})).await;
            let mut hosts = Vec::new();
            for _ in 0..SEATS {
                hosts.push(Host::joins(&admin, token["token"].as_str().unwrap()).await);
            }
            hosts
        });
    }
    let hosts = joining.join_all().await.concat();
    let seconds = begun.elapsed().as_secs_f64();
    println!("joins                 {:.0} hosts/s (enrolment, access token and session each)", count as f64 / seconds);
    hosts
}

/// Hello and idle check-ins in turns, from 16 connections.
async fn throughput(admin: &Api, host: &Host) {
    let (mut hello, mut check_in) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        let api = admin.clone();
        hello.push(
            per_second(16, BLOCK, move || {
                let api = api.clone();
                async move { api.hello().await }
            })
            .await,
        );
        let host = host.clone();
        check_in.push(
            per_second(16, BLOCK, move || {
                let host = host.clone();
                async move { drop(host.checks_in(0, &[]).await) }
            })
            .await,
        );
    }
    let (hello, check_in) = (median(hello), median(check_in));
    println!("hello                 {hello:.0}/s");
    println!(
        "idle check-in         {check_in:.0}/s ({:.2} of hello; the generator runs on the same machine)",
        check_in / hello
    );
}

/// Durable enqueues, alone and by 128 writers.
async fn durable(admin: &Api, hosts: &[Host]) {
    for (writers, each) in [(1, 70), (128, 40)] {
        let begun = Instant::now();
        let mut writing = JoinSet::new();
        // Other hosts each time: a mailbox takes a hundred open jobs.
        for host in &hosts[hosts.len() - 2 * writers..hosts.len() - writers] {
            let (admin, id) = (admin.clone(), host.id);
            writing.spawn(async move {
                for _ in 0..each {
                    enqueue(&admin, id).await;
                }
            });
        }
        writing.join_all().await;
        let rate = (writers * each) as f64 / begun.elapsed().as_secs_f64();
        println!("durable enqueues      {rate:.0}/s by {writers} writers");
    }
}

async fn enqueue(admin: &Api, host: HostId) -> String {
    let body = json!({"host_ids": [host], "kind": "inspect", "if_offline": "queue"});
    let created = admin.post("/api/v1/jobs", &body).await;
    created["items"][0]["id"].as_str().unwrap().to_owned()
}

/// From before the enqueue until the host has the job, with a hello in turns.
async fn delivery(admin: &Api, hosts: &[Host], deliveries: &mut mpsc::UnboundedReceiver<(String, Instant)>) {
    let (mut took, mut hello) = (Vec::new(), Vec::new());
    for place in 0..DELIVERIES {
        let begun = Instant::now();
        admin.hello().await;
        hello.push(begun.elapsed());
        let begun = Instant::now();
        let id = enqueue(admin, hosts[place % hosts.len()].id).await;
        loop {
            let (delivered, at) = deliveries.recv().await.unwrap();
            if delivered == id {
                took.push(at - begun);
                break;
            }
        }
    }
    took.sort();
    hello.sort();
    let at = |sorted: &[Duration], share: usize| sorted[(sorted.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
    println!(
        "enqueue to delivery   p50 {:.2} ms, p99 {:.2} ms with {} held (hello p50 {:.2} ms, p99 {:.2} ms)",
        at(&took, 50),
        at(&took, 99),
        hosts.len(),
        at(&hello, 50),
        at(&hello, 99)
    );
}

/// The real agent: its memory idle and after 100 jobs, supervisor included.
async fn agent(binaries: &Path, admin: &Api, directory: &Path) {
    let token = admin.post("/api/v1/enrollment-tokens", &json!({})).await;
    let state = directory.join("agent");
    let program = binaries.join("muster-agent");
    let enroll = Command::new(&program)
        .args(["enroll", "--server", &admin.url, "--token", token["token"].as_str().unwrap(), "--state"])
        .arg(&state)
        .output()
        .unwrap();
    assert!(enroll.status.success(), "{}", String::from_utf8_lossy(&enroll.stderr));
    fs::write(state.join("policy.toml"), "[allow]\nrun = \"*\"\n").unwrap();
    let id = String::from_utf8_lossy(&enroll.stdout).split_whitespace().find_map(|word| word.parse::<HostId>().ok());
    let id = id.expect("enroll says the host's id");
    let agent =
        Process(Command::new(&program).arg("run").arg("--state").arg(&state).stderr(Stdio::null()).spawn().unwrap());
    runs(admin, id).await;
    let idle = agent.memory_kib();
    for _ in 0..100 {
        runs(admin, id).await;
    }
    println!(
        "memory, agent         {idle} KiB after one job, {} KiB after 101 (supervisor and worker)",
        agent.memory_kib()
    );
}

async fn runs(admin: &Api, host: HostId) {
    let spec = json!({"argv": ["/bin/echo", "hello"]});
    let body = json!({"host_ids": [host], "kind": "run", "spec": spec, "if_offline": "queue"});
    let created = admin.post("/api/v1/jobs", &body).await;
    let path = format!("{}/api/v1/jobs/{}", admin.url, created["items"][0]["id"].as_str().unwrap());
    loop {
        let answer = admin.client.get(format!("{path}?wait=30")).bearer_auth(&admin.token).send().await.unwrap();
        let job = answer.json::<Value>().await.unwrap();
        if job["state"] == "succeeded" {
            return;
        }
        assert!(job["waiting_on"].is_string(), "{job}");
    }
}

/// Until the server has answered a hello behind everything that was sent before.
async fn settle(admin: &Api) {
    for _ in 0..MANY {
        admin.hello().await;
    }
}

async fn per_second<F, W>(connections: usize, span: Duration, work: F) -> f64
where
    F: Fn() -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send,
{
    let (work, begun) = (Arc::new(work), Instant::now());
    let mut working = JoinSet::new();
    for _ in 0..connections {
        let work = Arc::clone(&work);
        working.spawn(async move {
            let mut count = 0_u64;
            while begun.elapsed() < span {
                work().await;
                count += 1;
            }
            count
        });
    }
    let count = working.join_all().await.iter().sum::<u64>();
    count as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
