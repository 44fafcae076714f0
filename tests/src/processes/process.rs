//! Processes: started in a group of their own, spoken to by their id, and never left behind.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::patience::{until, until_so};

/// A process that ends with its test.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program in `folder`, by which [`sweep`] finds it and whatever it starts. Its output goes to the end of a file.
    pub fn start(program: &Path, arguments: &[&str], folder: &Path, log: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = command(program, arguments, folder);
        let out = OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
        command.envs(environment.iter().copied());
        Self { child: command.spawn().unwrap(), log: log.to_owned() }
    }

    /// Its id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// How it has ended; `None` while it goes on.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let what = format!("the end of the process that writes {}", self.log.display());
        until(&what, || self.has_ended())
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A program with nothing of our own environment that would mean something to it.
pub fn command(program: &Path, arguments: &[&str], folder: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| means_something(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).process_group(0);
    command
}

fn means_something(name: &str) -> bool {
    name.starts_with("MUSTER_") || name.to_ascii_lowercase().ends_with("_proxy")
}

/// The processes that `parent` has started and that live.
pub fn children(parent: Pid) -> Vec<Pid> {
    pids().filter(|pid| stat(*pid).is_some_and(|(state, of)| state != 'Z' && of == parent.as_raw_pid())).collect()
}

/// Whether a process lives; one that only waits to be buried does not.
pub fn lives(pid: Pid) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// Kills every process that works in `folder` or below it, until there is none.
pub fn sweep(folder: &Path) {
    let inside = |pid: &Pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|path| path.starts_with(folder));
    until_so("no process is left behind", || {
        let left: Vec<_> = pids().filter(inside).collect();
        for pid in &left {
            // One that has ended meanwhile is as good.
            let _ = kill_process(*pid, Signal::KILL);
        }
        left.is_empty()
    });
}

fn pids() -> impl Iterator<Item = Pid> {
    let names = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.parse().ok().and_then(Pid::from_raw))
}

/// A process's state and its parent's id.
fn stat(pid: Pid) -> Option<(char, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
