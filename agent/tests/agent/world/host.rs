//! The host: a state directory, a supervisor, and the power to kill.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::{LazyLock, mpsc},
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::{NamedTempFile, TempDir};

use super::server::{PATIENCE, Server};

/// The agent as it was when the tests began: a build beside them may replace the file.
pub static AGENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (agent, copy) = (directory.join("agent"), directory.join(format!("agent-{}", std::process::id())));
    fs::copy(env!("CARGO_BIN_EXE_muster-agent"), &copy).unwrap();
    fs::rename(copy, &agent).unwrap();
    agent
});

pub struct Host {
    pub state: TempDir,
    pub contact_seconds: &'static str,
    pub deadline_seconds: &'static str,
    /// What its processes have in their environment beside the agent's settings.
    pub environment: Vec<(&'static str, OsString)>,
    supervisor: Option<Child>,
    log: NamedTempFile,
}

impl Host {
    /// A machine that allows everything, and has not joined.
    pub fn installed() -> Self {
        let host = Self {
            state: tempfile::tempdir().unwrap(),
            contact_seconds: "60",
            deadline_seconds: "60",
            environment: Vec::new(),
            supervisor: None,
            log: NamedTempFile::new().unwrap(),
        };
        fs::write(host.path("policy.toml"), "[allow]\nrun = \"*\"\n").unwrap();
        host
    }

    /// A host that has joined, and does not run yet.
    pub fn joined(server: &Server) -> Self {
        let host = Self::installed();
        let enrolled =
            host.command("enroll").args(["--server", &server.url(), "--token", "secret-text"]).output().unwrap();
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        host
    }

    pub fn running(server: &Server) -> Self {
        let mut host = Self::joined(server);
        host.start();
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&*AGENT);
        command
            .arg(name)
            .arg("--state")
            .arg(self.state.path())
            .env("MUSTER_AGENT_INITIAL_DELAY_SECONDS", "0.02")
            .env("MUSTER_AGENT_MAX_DELAY_SECONDS", "0.2")
            .env("MUSTER_AGENT_OPEN_SECONDS", "0.05")
            .env("MUSTER_AGENT_PROBATION_SECONDS", "0.3")
            .env("MUSTER_AGENT_UPDATE_DEADLINE_SECONDS", self.deadline_seconds)
            .env("MUSTER_AGENT_CONTACT_SECONDS", self.contact_seconds)
            .env("MUSTER_AGENT_WAIT_SECONDS", "1");
        command
    }

    pub fn start(&mut self) {
        let mut command = self.command("run");
        if !self.environment.is_empty() {
            // A group of its own, which can be killed as a whole.
            command.envs(self.environment.clone()).process_group(0);
        }
        if std::env::var_os("SHOW_AGENT").is_none() {
            command.stderr(File::options().append(true).open(self.log.path()).unwrap());
        }
        self.supervisor = Some(command.spawn().unwrap());
    }

    /// What its processes have logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// Sends SIGHUP to the supervisor.
    pub fn hang_up(&self) {
        let supervisor = self.supervisor.as_ref().unwrap().id();
        kill_process(Pid::from_raw(i32::try_from(supervisor).unwrap()).unwrap(), Signal::HUP).unwrap();
    }

    pub fn kill_supervisor(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.kill().unwrap();
            supervisor.wait().unwrap();
        }
    }

    /// Whether the supervisor has ended.
    pub fn has_ended(&mut self) -> bool {
        self.supervisor.as_mut().is_none_or(|supervisor| supervisor.try_wait().unwrap().is_some())
    }

    /// Kills the worker, if there is one right now.
    pub fn kill_worker(&self) {
        if let Some(worker) = self.worker() {
            let _ = kill_process(worker, Signal::KILL);
        }
    }

    pub fn worker(&self) -> Option<Pid> {
        let supervisor = self.supervisor.as_ref()?.id();
        let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).ok()?;
        Pid::from_raw(children.split(' ').next()?.parse().ok()?)
    }

    /// Waits until no worker holds the state: the kernel says so, however it ended.
    pub fn wait_for_no_worker(&self) {
        // None was ever there.
        let Ok(file) = fs::File::open(self.path("worker.lock")) else { return };
        bounded("the worker's end", move || file.lock().unwrap());
    }

    /// Asks the supervisor to end, and waits for it.
    pub fn stop(&mut self) -> ExitStatus {
        let supervisor = self.supervisor.as_ref().unwrap().id();
        let _ = kill_process(Pid::from_raw(i32::try_from(supervisor).unwrap()).unwrap(), Signal::TERM);
        self.wait_for_end()
    }

    pub fn wait_for_end(&mut self) -> ExitStatus {
        let mut supervisor = self.supervisor.take().unwrap();
        bounded("the supervisor's end", move || supervisor.wait().unwrap())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill_supervisor();
    }
}

pub fn bounded<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(work()));
    receive.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Looks again and again until something is so.
pub fn until(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::yield_now();
    }
}

pub fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}
