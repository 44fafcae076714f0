//! Record of the programs that run now, so that none outlives the agent: kept in memory, and in a file for the agent after one
//! that was killed.
//!
//! The file is a best effort: a program without a note goes on, and its job is still reported as cut off.

#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    cgroups::Cgroup,
    disks::Disks,
    files::{create_private, read_json, with_suffix},
    processes::{Ending, Fingerprint, end_group, kill_marked},
};

/// The variable that marks what a job has started, with the job's id.
pub const JOB_MARK: &str = "MUSTER_JOB_ID";

/// How long everything may take to be gone when all is killed.
const KILL_PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The note of running programs, with the mark of its state directory: a copy of the directory does not end another agent's.
#[derive(Debug, Serialize, Deserialize)]
struct Note<T> {
    place: String,
    groups: T,
    #[serde(default)]
    jobs: Vec<String>,
}

/// The programs that run now.
#[derive(Debug, Default)]
pub struct Groups {
    running: Mutex<BTreeMap<u32, Running>>,
    is_over: AtomicBool,
    note: Option<(PathBuf, String)>,
    /// What starts programs, and keeps together what they start. Absent: programs are started as they are.
    pub shim: Option<Arc<Shim>>,
    /// The file systems of this machine.
    pub disks: Disks,
}

/// What starts programs.
#[derive(Debug)]
pub struct Shim {
    /// The agent's own file.
    pub binary: PathBuf,
    /// Where a group for each job can be made.
    pub cgroup: Option<Cgroup>,
}

#[derive(Debug)]
struct Running {
    job: String,
    fingerprint: Option<Fingerprint>,
    control: Option<Control>,
}

/// The way to a shim. When it is closed, the shim kills everything that it has started.
#[cfg(unix)]
pub type Control = UnixStream;
/// There are no shims here.
#[cfg(not(unix))]
pub type Control = ();

impl Groups {
    /// Kills what an agent before this one left behind, and notes from now on. `mark` is that of the state directory.
    pub fn take_over(note: PathBuf, mark: String, shim: Option<Shim>) -> Self {
        if let Ok(Some(Note { place, groups, jobs })) = read_json::<Note<Vec<Fingerprint>>>(&note)
            && place == mark
        {
            groups.iter().for_each(Fingerprint::kill_left_behind);
            for job in &jobs {
                kill_marked(JOB_MARK, job.as_ref());
            }
        }
        if let Some(cgroup) = shim.as_ref().and_then(|shim| shim.cgroup.as_ref()) {
            cgroup.remove_left_behind();
        }
        Self {
            running: Mutex::default(),
            is_over: AtomicBool::new(false),
            note: Some((note, mark)),
            shim: shim.map(Arc::new),
            disks: Disks::default(),
        }
    }

    /// Remembers what runs for a job until the guard is dropped.
    pub fn enter(&self, leader: u32, job: String, control: Option<Control>) -> Entered<'_> {
        let running = Running { job, fingerprint: Fingerprint::of(leader), control };
        self.change(|all| all.insert(leader, running));
        Entered { groups: self, leader }
    }

    /// Kills everything that runs, and waits a little until it is gone.
    pub fn kill_all(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for (leader, Running { control, .. }) in &*running {
            match control {
                #[cfg(unix)]
                Some(control) => drop(control.shutdown(std::net::Shutdown::Write)),
                #[cfg(not(unix))]
                Some(()) => {}
                None => end_group(*leader, Ending::Kill),
            }
        }
        let until = Instant::now() + KILL_PATIENCE;
        let fingerprints: Vec<_> = running.values().filter_map(|running| running.fingerprint.clone()).collect();
        drop(running);
        while fingerprints.iter().any(Fingerprint::lives) && Instant::now() < until {
            thread::sleep(LOOK_AGAIN);
        }
        fingerprints.iter().for_each(Fingerprint::kill_left_behind);
    }

    /// Whether all was killed: a program that has ended since then may not have done so by itself.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Whether this is the process of a program that runs.
    pub fn knows(&self, leader: u32) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&leader)
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<u32, Running>) -> T) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        let Some((note, mark)) = &self.note else { return };
        let groups: Vec<_> = running.values().filter_map(|running| running.fingerprint.as_ref()).collect();
        let jobs = running.values().map(|running| running.job.clone()).collect();
        if let Ok(bytes) = serde_json::to_vec(&Note { place: mark.clone(), groups, jobs }) {
            // It has to outlive this process, not the machine: no sync. Whole, though: a kill in between must not lose it.
            let temporary = with_suffix(note, ".tmp");
            let written = create_private(&temporary).and_then(|mut file| file.write_all(&bytes));
            let _ = written.and_then(|()| fs::rename(&temporary, note));
        }
    }
}

/// A program that is remembered.
#[derive(Debug)]
pub struct Entered<'a> {
    groups: &'a Groups,
    leader: u32,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.groups.change(|running| running.remove(&self.leader));
    }
}
