//! Process groups: what a job starts is ended as a whole, its children's children included.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use tokio::process::Command;

/// How firmly a group is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Asked: it may clean up.
    Ask,
    /// Killed.
    Kill,
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

/// The process groups that run now, so that none outlives the agent.
#[derive(Debug, Default)]
pub struct Groups(Mutex<BTreeSet<u32>>);

impl Groups {
    /// Remembers a group until the guard is dropped.
    pub fn enter(&self, leader: u32) -> Entered<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(leader);
        Entered { groups: self, leader }
    }

    /// Kills every group that runs.
    pub fn kill_all(&self) {
        for leader in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            end_group(*leader, Ending::Kill);
        }
    }
}

/// A group that is remembered.
#[derive(Debug)]
pub struct Entered<'a> {
    groups: &'a Groups,
    leader: u32,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.groups.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.leader);
    }
}
