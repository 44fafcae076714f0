//! What the server does per second and what a held poll costs it, measured from outside on the real binary.
//! `cargo xtask bench` runs it; the argument after `--` is the directory with `muster-server` and `muster-agent`. With `--short`
//! everything is done with fewer hosts, to see that it can be done.
//!
//! Figures that are compared are measured in turns within one run, because machines are noisy. The server limits how often one
//! host and one caller may ask: many of each take turns. A line that begins with `figure` is for `xtask`, which judges it.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people, and it may stop at anything")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people anyway")]

mod hosts;

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use muster_schemas::ids::HostId;
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

use self::hosts::{Api, Host, join_all};

const PASSWORD: &str = "a password for the bench";
const BLOCKS: usize = 5;
/// How many programs enqueue jobs, each with a rate limit of its own.
const OPERATORS: usize = 16;

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    few: usize,
    many: usize,
    deliveries: usize,
    writers: usize,
    block: Duration,
}

impl Scale {
    fn of(is_short: bool) -> Self {
        if is_short {
            Self { few: 100, many: 300, deliveries: 30, writers: 16, block: Duration::from_millis(200) }
        } else {
            Self { few: 1_000, many: 5_000, deliveries: 300, writers: 128, block: Duration::from_secs(2) }
        }
    }
}

/// A figure for `xtask`: the goal, what it is, the value, its unit, and the bound (`<= 3`), if there is one.
fn figure(goal: &str, what: &str, value: f64, unit: &str, bound: &str) {
    println!("figure\t{goal}\t{what}\t{value:.3}\t{unit}\t{bound}");
}

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

impl Process {
    /// The time that it has used the processor, in microseconds.
    fn processor_micros(&self) -> u64 {
        // In hundredths of a second, behind the name, which may hold anything but the last parenthesis.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        let times = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        times.filter_map(|time| time.parse::<u64>().ok()).sum::<u64>() * 10_000
    }
}

fn memory_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

#[tokio::main]
async fn main() {
    let scale = Scale::of(env::args().any(|argument| argument == "--short"));
    let Scale { few: few_hosts, many: many_hosts, .. } = scale;
    let binaries = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let binaries = PathBuf::from(binaries.expect("the argument is the directory of the binaries"));
    let directory = tempfile::tempdir().unwrap();
    let (server, admin) = starts(&binaries, directory.path()).await;
    println!("load average          {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    let alone = server.memory_kib();
    let hosts = join_all(&admin, many_hosts).await;
    let operators = operators(&admin).await;

    throughput(&server, &admin, &hosts, scale).await;
    durable(&operators, &hosts, scale).await;

    let (delivered, mut deliveries) = mpsc::unbounded_channel();
    let before = server.memory_kib();
    let mut holding = JoinSet::new();
    for host in &hosts[..few_hosts] {
        holding.spawn(host.clone().holds(delivered.clone()));
    }
    settle(&admin, many_hosts).await;
    let few = server.memory_kib();
    delivery(&operators, &hosts[..few_hosts], &mut deliveries, scale).await;
    let after_few = server.memory_kib();
    for host in &hosts[few_hosts..] {
        holding.spawn(host.clone().holds(delivered.clone()));
    }
    settle(&admin, many_hosts).await;
    let many = server.memory_kib();
    println!(
        "memory, server        {alone} KiB alone, {before} KiB with {many_hosts} hosts, {few} KiB with {few_hosts} held, {many} KiB with {many_hosts} held"
    );
    let each = (many.saturating_sub(after_few)) as f64 / (many_hosts - few_hosts) as f64;
    println!("memory per held poll  {each:.1} KiB (slope from {few_hosts} to {many_hosts})");
    figure("P2", "memory of a held poll, plain", each, "KiB", "<= 3");
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
    let client = reqwest::Client::builder().pool_max_idle_per_host(5_000).no_proxy().build().unwrap();
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

/// Callers of the API, each with an API key.
async fn operators(admin: &Api) -> Vec<Api> {
    let mut operators = Vec::new();
    for number in 0..OPERATORS {
        let created =
            admin.post("/api/v1/api-keys", &json!({"name": format!("bench {number}"), "role": "operator"})).await;
        operators.push(Api { token: created["key"].as_str().unwrap().into(), ..admin.clone() });
    }
    operators
}

/// Hello and idle check-ins in turns, from 16 connections: each check-in is another host's.
async fn throughput(server: &Process, admin: &Api, hosts: &[Host], scale: Scale) {
    let (mut hello, mut check_in, mut micros) = (Vec::new(), Vec::new(), Vec::new());
    let (hosts, turn) = (Arc::new(hosts.to_vec()), Arc::new(AtomicUsize::new(0)));
    for _ in 0..BLOCKS {
        let api = admin.clone();
        hello.push(
            per_second(16, scale.block, move || {
                let api = api.clone();
                async move { api.hello().await }
            })
            .await,
        );
        let (hosts, turn) = (Arc::clone(&hosts), Arc::clone(&turn));
        let before = (server.processor_micros(), turn.load(Ordering::Relaxed));
        let counted = Arc::clone(&turn);
        check_in.push(
            per_second(16, scale.block, move || {
                let host = hosts[turn.fetch_add(1, Ordering::Relaxed) % hosts.len()].clone();
                async move { drop(host.checks_in(0, &[]).await) }
            })
            .await,
        );
        let asked = counted.load(Ordering::Relaxed) - before.1;
        micros.push((server.processor_micros() - before.0) as f64 / asked as f64);
    }
    let (hello, check_in, micros) = (median(hello), median(check_in), median(micros));
    println!("hello                 {hello:.0}/s");
    println!(
        "idle check-in         {check_in:.0}/s ({:.2} of hello; the generator runs on the same machine)",
        check_in / hello
    );
    println!("idle check-in         {micros:.0} µs of the server's processor time");
    figure("P5", "idle check-ins for one hello (time)", hello / check_in, "×", "<= 3.5");
    figure("P5", "processor time of an idle check-in", micros, "µs", "");
}

/// Durable enqueues, alone and by many writers.
async fn durable(operators: &[Api], hosts: &[Host], scale: Scale) {
    let mut rates = Vec::new();
    for (writers, each) in [(1, 70), (scale.writers, 40)] {
        let begun = Instant::now();
        let mut writing = JoinSet::new();
        // Other hosts each time: a mailbox takes a hundred open jobs.
        for (host, operator) in
            hosts[hosts.len() - 2 * writers..hosts.len() - writers].iter().zip(operators.iter().cycle())
        {
            let (operator, id) = (operator.clone(), host.id);
            writing.spawn(async move {
                for _ in 0..each {
                    enqueue(&operator, id).await;
                }
            });
        }
        writing.join_all().await;
        let rate = (writers * each) as f64 / begun.elapsed().as_secs_f64();
        println!("durable enqueues      {rate:.0}/s by {writers} writers");
        rates.push(rate);
    }
    figure("P12", "durable enqueues of many writers for one of one", rates[1] / rates[0], "×", "");
}

async fn enqueue(admin: &Api, host: HostId) -> String {
    let body = json!({"host_ids": [host], "kind": "inspect", "if_offline": "queue"});
    let created = admin.post("/api/v1/jobs", &body).await;
    created["items"][0]["id"].as_str().unwrap().to_owned()
}

/// From before the enqueue until the host has the job, with a hello in turns.
async fn delivery(
    operators: &[Api],
    hosts: &[Host],
    deliveries: &mut mpsc::UnboundedReceiver<(String, Instant)>,
    scale: Scale,
) {
    let (mut took, mut hello) = (Vec::new(), Vec::new());
    for (place, operator) in (0..scale.deliveries).zip(operators.iter().cycle()) {
        let begun = Instant::now();
        operator.hello().await;
        hello.push(begun.elapsed());
        let begun = Instant::now();
        let id = enqueue(operator, hosts[place % hosts.len()].id).await;
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
    figure("P3", "delivery for a hello, p50", at(&took, 50) / at(&hello, 50), "×", "<= 2");
    figure("P3", "delivery for a hello, p99", at(&took, 99) / at(&hello, 99), "×", "<= 3");
}

/// The real agent: its memory idle and after 100 jobs, supervisor included.
async fn agent(binaries: &Path, admin: &Api, directory: &Path) {
    let token = admin.post("/api/v1/enrollment-tokens", &json!({})).await;
    let state = directory.join("agent");
    let names = ["muster-agent", "muster-agent-1"].map(|name| binaries.join(name));
    let program = names.into_iter().find(|name| name.exists()).expect("an agent is there");
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
    let after = agent.memory_kib();
    println!("memory, agent         {idle} KiB after one job, {after} KiB after 101 (supervisor and worker)");
    figure("P6", "memory of the agent, both processes", after as f64 / 1_024.0, "MiB", "<= 6");
    figure("P6", "growth of the agent by 100 jobs", after.saturating_sub(idle) as f64 / 1_024.0, "MiB", "<= 1");
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
async fn settle(admin: &Api, hosts: usize) {
    for _ in 0..hosts {
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
