//! A host: a state directory, and the supervisor that a service manager would have started.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use muster_schemas::ids::HostId;
use rustix::{
    fs::OFlags,
    process::{Pid, Signal, kill_process},
};
use serde_json::Value;

use super::{
    binaries::{AGENT_1, binary},
    patience::{until, until_so},
    process::{Process, children, command},
};

/// What is in `agent.toml`, `policy.toml` and on the command line of `enroll`.
#[derive(Clone)]
pub struct Setup<'a> {
    /// Where the server is, as this host sees it.
    pub server: &'a str,
    /// `policy.toml`.
    pub policy: &'a str,
    /// How long a new version must live before it may be committed.
    pub probation_seconds: f64,
    /// How long it has for that.
    pub update_deadline_seconds: f64,
    /// Certificates to believe instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The agent that it joins with.
    pub agent: PathBuf,
}

impl<'a> Setup<'a> {
    /// How hosts are set up unless a test says otherwise: every program may be run.
    pub fn of(server: &'a str) -> Self {
        let policy = "[allow]\nrun = \"*\"\n";
        let agent = binary(AGENT_1);
        Self { server, policy, probation_seconds: 1.0, update_deadline_seconds: 15.0, ca_file: None, agent }
    }
}

/// A host.
pub struct Host {
    /// Who it is to the server.
    pub id: HostId,
    /// The agent's state directory.
    pub state: PathBuf,
    /// Where its jobs work.
    pub work: PathBuf,
    /// The agent that it joined with, and that a service manager starts.
    pub agent: PathBuf,
    supervisor: Option<Process>,
}

impl Host {
    /// Joins, and starts.
    pub fn join(folder: &Path, setup: &Setup, token: &str, trust_root: &Path) -> Self {
        let (state, work) = (folder.join("state"), folder.join("work"));
        fs::create_dir_all(&work).unwrap();
        fs::create_dir_all(&state).unwrap();
        let Setup { server, policy, probation_seconds, update_deadline_seconds, ca_file, agent: program } = setup;
        let ca_file = ca_file.as_ref().map(|path| format!("ca_file = \"{}\"\n", path.display())).unwrap_or_default();
        let agent = format!(
            "{ca_file}wait_seconds = 30\nprobation_seconds = {probation_seconds}\n\
             update_deadline_seconds = {update_deadline_seconds}\ndrain_seconds = 5\n\
             [resilience.retry]\ninitial_delay_seconds = 0.1\nmax_delay_seconds = 0.5\n"
        );
        fs::write(state.join("agent.toml"), agent).unwrap();
        fs::write(state.join("policy.toml"), policy).unwrap();
        let (root, directory) = (trust_root.to_str().unwrap(), state.to_str().unwrap());
        let arguments = ["--server", server, "--token", token, "--trust-root", root, "--state", directory];
        let said = enroll_by(program, &arguments, folder);
        let id = said.unwrap().split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        let mut host = Self { id, state, work, agent: program.clone(), supervisor: None };
        host.start();
        host
    }

    /// Starts the supervisor.
    pub fn start(&mut self) {
        let folder = self.state.parent().unwrap();
        let arguments = ["run", "--state", self.state.to_str().unwrap()];
        let supervisor = Process::start(&self.agent, &arguments, folder, &folder.join("agent.log"), &[]);
        assert!(self.supervisor.replace(supervisor).is_none(), "the supervisor was started already");
    }

    /// Asks the supervisor to end, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.supervisor.take().unwrap().stop()
    }

    /// Kills the supervisor as a power cut would; its worker notices.
    pub fn kill_supervisor(&mut self) {
        self.supervisor.take().unwrap().kill();
    }

    /// Kills the worker, if there is one just now.
    pub fn kill_worker(&self) {
        for pid in self.workers() {
            // It may end by itself in between.
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// The supervisor.
    pub fn supervisor(&self) -> &Process {
        self.supervisor.as_ref().unwrap()
    }

    /// Its workers: one, or none for a moment.
    pub fn workers(&self) -> Vec<Pid> {
        self.supervisor.as_ref().map(|supervisor| children(supervisor.pid())).unwrap_or_default()
    }

    /// A copy of the state directory, beside the original, as a copied virtual machine would have it.
    pub fn copy(&self, name: &str) -> Self {
        let folder = self.state.parent().unwrap().with_file_name(name);
        fs::create_dir(&folder).unwrap();
        let copied = std::process::Command::new("cp").arg("-a").arg(&self.state).arg(&folder).status();
        assert!(copied.unwrap().success());
        Self {
            id: self.id,
            state: folder.join("state"),
            work: self.work.clone(),
            agent: self.agent.clone(),
            supervisor: None,
        }
    }

    /// What a job has written to a file; empty when there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work.join(name)).unwrap_or_default()
    }

    /// Waits until a job has made a file.
    pub fn wait_for_file(&self, name: &str) {
        until_so(&format!("the file {name}"), || self.work.join(name).exists());
    }

    /// Lets a job go on that reads from a pipe it has made.
    pub fn open_gate(&self, name: &str) {
        self.wait_for_file(name);
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        // Without a reader this fails, and does not hang.
        let open = || OpenOptions::new().write(true).custom_flags(nonblocking).open(self.work.join(name)).ok();
        let mut gate = until(&format!("somebody at the gate {name}"), open);
        gate.write_all(b"go on\n").unwrap();
    }

    /// A file of the state directory as JSON; null when there is none.
    pub fn state_file(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.state.join(name)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// How far the last update is; empty when there was none.
    pub fn phase(&self) -> String {
        self.state_file("update.json")["phase"].as_str().unwrap_or_default().into()
    }

    /// Which version a restart brings back.
    pub fn committed(&self) -> String {
        let current = self.state_file("current.json");
        current["committed"]["installed"]["version"].as_str().unwrap_or("factory").into()
    }

    /// The executable that the worker runs.
    pub fn running(&self) -> PathBuf {
        until("a worker", || fs::read_link(format!("/proc/{}/exe", self.workers().first()?)).ok())
    }

    /// What the agent has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.state.with_file_name("agent.log")).unwrap_or_default()
    }
}

/// Runs `muster-agent enroll`: what it says, or what it complains about.
pub fn enroll(arguments: &[&str], folder: &Path) -> Result<String, String> {
    enroll_by(&binary(AGENT_1), arguments, folder)
}

fn enroll_by(agent: &Path, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let mut command = command(agent, &[&["enroll"], arguments].concat(), folder);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
