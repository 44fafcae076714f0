//! Process groups: a job's processes are killed as a whole, including all descendants.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{
    files::{create_private, read_json, with_suffix},
    machine::{boot_id, read_line},
};

/// The signal that ends a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM: it may clean up.
    Ask,
    /// SIGKILL.
    Kill,
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

/// Ends the process group that `leader` leads. That it is gone already is fine.
pub fn end_group(leader: u32, ending: Ending) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(leader).ok().and_then(rustix::process::Pid::from_raw) {
        let signal = match ending {
            Ending::Ask => rustix::process::Signal::TERM,
            Ending::Kill => rustix::process::Signal::KILL,
        };
        // The one error left is "no such process".
        let _ = rustix::process::kill_process_group(pid, signal);
    }
    #[cfg(not(unix))]
    let _ = (leader, ending);
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
        let stat = read_line(&format!("/proc/{pid}/stat"));
        // The name before the last bracket may hold anything; the start time is the 20th field after it.
        let started = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.to_owned();
        Some(Self { pid, started, boot_id: boot_id() })
    }

    /// Kills the process group that it leads, if it is still the same process.
    pub fn kill_left_behind(&self) {
        if Self::of(self.pid).as_ref() == Some(self) {
            end_group(self.pid, Ending::Kill);
        }
    }
}

/// Kills every process that was started with this variable in its environment, where the platform tells.
pub fn kill_marked(name: &str, value: &OsStr) {
    let mark = [name.as_bytes(), b"=", value.as_encoded_bytes()].concat();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes {
        let pid = process.file_name().to_str().and_then(|name| name.parse().ok());
        let is_marked = || {
            fs::read(process.path().join("environ"))
                .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == mark))
        };
        if let Some(pid) = pid.filter(|_| is_marked()) {
            end_process(pid);
        }
    }
}

/// Kills one process. That it is gone already is fine.
fn end_process(pid: u32) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = pid;
}

/// The record of running groups, with its path: so a copy of a state directory does not end another agent's programs.
#[derive(Debug, Serialize, Deserialize)]
struct Note<T> {
    place: PathBuf,
    groups: T,
}

/// The process groups that run now, so that none outlives the agent: noted in a file as well, for the agent after one that was
/// killed. The note is a best effort: a group without one goes on, and its job is still reported as cut off.
#[derive(Debug, Default)]
pub struct Groups {
    running: Mutex<BTreeMap<u32, Option<Fingerprint>>>,
    note: Option<PathBuf>,
}

impl Groups {
    /// Kills what an agent before this one left behind, and notes from now on.
    pub fn take_over(note: PathBuf) -> Self {
        if let Ok(Some(Note { place, groups })) = read_json::<Note<Vec<Fingerprint>>>(&note)
            && place == whole(&note)
        {
            groups.iter().for_each(Fingerprint::kill_left_behind);
        }
        Self { running: Mutex::default(), note: Some(note) }
    }

    /// Remembers a group until the guard is dropped, and then kills what is left of it.
    pub fn enter(&self, leader: u32) -> Entered<'_> {
        self.change(|running| running.insert(leader, Fingerprint::of(leader)));
        Entered { groups: self, leader }
    }

    /// Kills every group that runs.
    pub fn kill_all(&self) {
        for leader in self.running.lock().unwrap_or_else(PoisonError::into_inner).keys() {
            end_group(*leader, Ending::Kill);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<u32, Option<Fingerprint>>) -> T) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        let Some(note) = &self.note else { return };
        let groups: Vec<_> = running.values().flatten().collect();
        if let Ok(bytes) = serde_json::to_vec(&Note { place: whole(note), groups }) {
            // It has to outlive this process, not the machine: no sync. Whole, though: a kill in between must not lose it.
            let temporary = with_suffix(note, ".tmp");
            let written = create_private(&temporary).and_then(|mut file| file.write_all(&bytes));
            let _ = written.and_then(|()| fs::rename(&temporary, note));
        }
    }
}

/// A file's path, whichever way its directory was named.
fn whole(path: &Path) -> PathBuf {
    let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok());
    directory.unwrap_or_default().join(path.file_name().unwrap_or_default())
}

/// A group that is remembered.
#[derive(Debug)]
pub struct Entered<'a> {
    groups: &'a Groups,
    leader: u32,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        end_group(self.leader, Ending::Kill);
        self.groups.change(|running| running.remove(&self.leader));
    }
}
