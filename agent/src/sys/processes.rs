//! Process table: who has started whom, and how processes are ended without ever ending another one.
//!
//! A number is given to another process once its owner is gone and waited for. So a signal is sent by a number only to a group
//! whose leader is known to be there; else to a process that is held by a descriptor while it is looked at once more.

use std::{collections::BTreeMap, ffi::OsStr, fs, path::PathBuf, process::ExitStatus};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::machine::{boot_id, read_line};

/// The signal that ends a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM: it may clean up.
    Ask,
    /// SIGKILL.
    Kill,
}

#[cfg(unix)]
impl Ending {
    fn signal(self) -> rustix::process::Signal {
        match self {
            Self::Ask => rustix::process::Signal::TERM,
            Self::Kill => rustix::process::Signal::KILL,
        }
    }
}

/// The signal that ended a process; `None` when it ended otherwise.
pub fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    {
        std::os::unix::process::ExitStatusExt::signal(&status)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        None
    }
}

/// Puts the command into a process group of its own.
pub fn in_own_group(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    command.process_group(0);
    command
}

/// Ends the process group of a leader that was not waited for yet: until then the group's number is no other's.
pub fn end_group(leader: u32, ending: Ending) {
    #[cfg(unix)]
    if let Some(pid) = numbered(leader) {
        // The one error left is "no such process".
        let _ = rustix::process::kill_process_group(pid, ending.signal());
    }
    #[cfg(not(unix))]
    let _ = (leader, ending);
}

/// Blocks until a child has ended, and leaves it to be waited for.
pub fn wait_for_end(child: u32) {
    #[cfg(unix)]
    if let Some(pid) = numbered(child) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        // An error says that it was waited for already, or that the wait was interrupted.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
    }
    #[cfg(not(unix))]
    let _ = child;
}

#[cfg(unix)]
fn numbered(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
}

/// Signals a process, if `is_it` says so of whoever has the number while nobody else can get it.
#[cfg(target_os = "linux")]
fn end_process(pid: u32, ending: Ending, is_it: impl Fn() -> bool) {
    use rustix::{
        io::Errno,
        process::{PidfdFlags, kill_process, pidfd_open, pidfd_send_signal},
    };
    let Some(number) = numbered(pid) else { return };
    // An error of a signal says that the process is gone, or that it is not ours to end.
    match pidfd_open(number, PidfdFlags::empty()) {
        Ok(held) if is_it() => drop(pidfd_send_signal(held, ending.signal())),
        // Kernels before 5.3.
        Err(Errno::NOSYS) if is_it() => drop(kill_process(number, ending.signal())),
        Ok(_) | Err(_) => {}
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn end_process(pid: u32, ending: Ending, is_it: impl Fn() -> bool) {
    if let Some(number) = numbered(pid).filter(|_| is_it()) {
        let _ = rustix::process::kill_process(number, ending.signal());
    }
}

#[cfg(not(unix))]
fn end_process(_pid: u32, _ending: Ending, _is_it: impl Fn() -> bool) {}

/// A process as the kernel's table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub pid: u32,
    /// The number of the process that has started it, or has taken it over.
    pub parent: u32,
    /// Whether it has ended and nobody has waited for it.
    pub is_zombie: bool,
    /// When it started, in ticks since the boot.
    started: String,
}

impl Row {
    fn of(pid: u32) -> Option<Self> {
        let stat = read_line(&format!("/proc/{pid}/stat"));
        // The name before the last bracket may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let is_zombie = matches!(fields.next()?, "Z" | "X");
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.to_owned();
        Some(Self { pid, parent, is_zombie, started })
    }

    /// Whether both are of the same process.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.pid, &self.started) == (other.pid, &other.started)
    }

    fn end(&self, ending: Ending) {
        end_process(self.pid, ending, || Self::of(self.pid).is_some_and(|now| now.started == self.started));
    }
}

/// The numbers of all processes; none where the table is that of another PID namespace: there they mean other processes.
fn numbers() -> Vec<u32> {
    let own = fs::read_link("/proc/self").ok().and_then(|own| own.to_str()?.parse::<u32>().ok());
    if own != Some(std::process::id()) {
        return Vec::new();
    }
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The children of a process.
pub fn children_of(parent: u32) -> Vec<Row> {
    numbers().into_iter().filter_map(Row::of).filter(|row| row.parent == parent).collect()
}

/// Everything that a process has started, and that this has started, parents first.
fn below(root: u32) -> Vec<Row> {
    let mut families: BTreeMap<u32, Vec<Row>> = BTreeMap::new();
    for row in numbers().into_iter().filter_map(Row::of) {
        families.entry(row.parent).or_default().push(row);
    }
    let mut found = families.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|row| row.pid) {
        found.extend(families.remove(&parent).unwrap_or_default());
        next += 1;
    }
    found
}

/// Ends everything that a process has started, and that this has started; but for the process itself.
pub fn end_below(root: u32, ending: Ending) {
    for row in below(root).iter().filter(|row| !row.is_zombie) {
        row.end(ending);
    }
}

/// Kills a child of this process with everything that it has started.
pub fn kill_tree(child: &Row) {
    end_below(child.pid, Ending::Kill);
    child.end(Ending::Kill);
}

/// Kills every process of this PID namespace that was started with this variable in its environment, where the platform tells.
pub fn kill_marked(name: &str, value: &OsStr) {
    let mark = [name.as_bytes(), b"=", value.as_encoded_bytes()].concat();
    let (own, own_namespace) = (std::process::id(), namespace("self"));
    for pid in numbers().into_iter().filter(|pid| *pid != own) {
        let is_marked = || {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == mark) && namespace(&pid.to_string()) == own_namespace
        };
        if is_marked() {
            end_process(pid, Ending::Kill, is_marked);
        }
    }
}

/// The PID namespace of a process: what runs in a container may be called the same.
fn namespace(pid: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

/// Distinguishes a process from a later one with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pid: u32,
    started: String,
    boot_id: String,
}

impl Fingerprint {
    /// A process that lives now; `None` where the platform cannot tell.
    pub fn of(pid: u32) -> Option<Self> {
        let Row { pid, started, .. } = Row::of(pid)?;
        Some(Self { pid, started, boot_id: boot_id() })
    }

    /// Whether it is there, and not only as what nobody has waited for.
    pub fn lives(&self) -> bool {
        Row::of(self.pid).is_some_and(|row| row.started == self.started && !row.is_zombie) && self.boot_id == boot_id()
    }

    /// Kills it, if it is still the same process, with its group and everything that it has started.
    pub fn kill_left_behind(&self) {
        if numbers().is_empty() || !self.lives() {
            return;
        }
        end_below(self.pid, Ending::Kill);
        // It is there, so the group is its own.
        end_group(self.pid, Ending::Kill);
        end_process(self.pid, Ending::Kill, || self.lives());
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
