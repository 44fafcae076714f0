//! A host behind the router, with the agent on it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use muster_schemas::{ids::HostId, upstreams::FailureKind};
use muster_tests::processes::{
    binaries::{AGENT_1, binary},
    patience::until_so,
    process::{Process, command},
};

use super::namespace::Namespace;

/// How the agent waits and tries again, unless a test says otherwise: as ever, in seconds instead of minutes.
const AGENT: &str = "\
wait_seconds = 20
[resilience.retry]
initial_delay_seconds = 0.1
max_delay_seconds = 0.5
[resilience.circuit_breaker]
failure_threshold = 2
open_seconds = 0.2
[resilience.health_check]
interval_seconds = 0.2
";

/// How long a line is quiet when a poll is held; between two that are not held there is a second.
const QUIET: Duration = Duration::from_millis(1500);

/// What a host knows of its surroundings.
#[derive(Clone)]
pub struct Setup {
    /// Where the server is.
    pub server: String,
    /// Whose certificates it believes, PEM.
    pub authorities: String,
    /// Variables of the agent's.
    pub environment: Vec<(&'static str, String)>,
    /// What stands in `/etc/resolv.conf`, as the agent sees it. Nothing: what the machine says.
    pub resolv_conf: Option<String>,
}

/// A host.
pub struct Agent {
    /// Who it is to the server.
    pub id: HostId,
    /// Its network.
    pub network: Namespace,
    /// Where its jobs work.
    pub work: PathBuf,
    folder: PathBuf,
    setup: Setup,
    supervisor: Option<Process>,
}

impl Agent {
    /// Joins, and starts.
    pub fn join(network: Namespace, folder: &Path, setup: Setup, token: &str) -> Self {
        let said = enroll(&network, folder, &setup, token).unwrap();
        let id = said.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        let work = folder.join("work");
        fs::create_dir(&work).unwrap();
        let mut agent = Self { id, network, work, folder: folder.into(), setup, supervisor: None };
        agent.start();
        agent
    }

    /// Ends it, and starts it in other surroundings.
    pub fn restart(&mut self, change: impl FnOnce(&mut Setup)) {
        assert!(self.supervisor.take().unwrap().stop().success());
        change(&mut self.setup);
        self.start();
    }

    fn start(&mut self) {
        prepare(&self.folder, &self.setup);
        let line = line(&self.folder, &self.setup, &["run"]);
        let line: Vec<_> = line.iter().map(String::as_str).collect();
        let environment: Vec<_> = self.setup.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let log = self.folder.join("agent.log");
        let start = || Process::start(Path::new(line[0]), &line[1..], &self.folder, &log, &environment);
        self.supervisor = Some(self.network.inside(start));
    }

    /// What a job has written to a file; empty when there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work.join(name)).unwrap_or_default()
    }

    /// Whether the job that makes this file has run.
    pub fn effect(&self) -> bool {
        self.work.join("effect").exists()
    }

    /// Waits until a job has made a file.
    pub fn wait_for_file(&self, name: &str) {
        until_so(&format!("the file {name}"), || self.work.join(name).exists());
    }

    /// Makes a file that a job waits for.
    pub fn put(&self, name: &str) {
        fs::write(self.work.join(name), "").unwrap();
    }

    /// Waits until its line is quiet: it is in a poll that is held.
    pub fn rests(&self) {
        let segments = || self.network.inside(segments);
        let (mut last, mut since) = (segments(), Instant::now());
        until_so("a quiet line", || {
            let now = segments();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            since.elapsed() > QUIET
        });
    }

    /// Whether it has said after `seen` bytes of its log that a check-in failed like this, and that its circuit is open: one
    /// failure alone opens none, and may be the only one when the way is free again at once.
    pub fn tells_of(&self, kind: FailureKind, seen: usize) -> bool {
        let word = match kind {
            FailureKind::Name => "dns error",
            FailureKind::Certificate => "certificate",
            FailureKind::ProxyAuthentication => "proxy auth",
            _ => "refused",
        };
        let log = self.log();
        let said = &log[seen..];
        said.contains("circuit open after")
            && said.lines().any(|line| line.contains("Check-in failed") && line.contains(word))
    }

    /// What the agent has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default()
    }
}

/// How many TCP segments have come and gone in the network of this thread.
fn segments() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let values = text.lines().filter(|line| line.starts_with("Tcp:")).nth(1).unwrap();
    // As many come as go, and some of either kind are sent again.
    values.split(' ').skip(10).take(2).map(|value| value.parse::<u64>().unwrap()).sum()
}

/// Runs `muster-agent enroll`: what it says, or what it complains about.
pub fn enroll(network: &Namespace, folder: &Path, setup: &Setup, token: &str) -> Result<String, String> {
    fs::create_dir_all(folder.join("state")).unwrap();
    prepare(folder, setup);
    let line = line(folder, setup, &["enroll", "--server", &setup.server, "--token", token]);
    let line: Vec<_> = line.iter().map(String::as_str).collect();
    let mut command = command(Path::new(line[0]), &line[1..], folder);
    command.envs(setup.environment.iter().map(|(name, value)| (*name, value))).stdin(Stdio::null());
    let output = network.inside(|| command.output()).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Writes the files that the agent reads.
fn prepare(folder: &Path, setup: &Setup) {
    let state = folder.join("state");
    fs::write(folder.join("authorities.pem"), &setup.authorities).unwrap();
    let agent = format!("ca_file = \"{}\"\n{AGENT}", folder.join("authorities.pem").display());
    fs::write(state.join("agent.toml"), agent).unwrap();
    fs::write(state.join("policy.toml"), "[allow]\nrun = \"*\"\n").unwrap();
    if let Some(text) = &setup.resolv_conf {
        fs::write(folder.join("resolv.conf"), text).unwrap();
    }
}

/// The agent's command line; in a mount namespace of its own where it shall see files of its own.
fn line(folder: &Path, setup: &Setup, arguments: &[&str]) -> Vec<String> {
    let (agent, state) = (binary(AGENT_1).display().to_string(), folder.join("state").display().to_string());
    let plain = [&[agent.as_str()], arguments, &["--state", &state]].concat();
    let resolv_conf = folder.join("resolv.conf").display().to_string();
    let mount = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let private = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", mount, &resolv_conf];
    let around: &[&str] = if setup.resolv_conf.is_some() { &private } else { &[] };
    around.iter().chain(&plain).map(ToString::to_string).collect()
}
