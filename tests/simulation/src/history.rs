//! What really happened on the hosts, as nobody inside the simulation can know it, and whether the server's word agrees.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use muster_agent::{
    jobs::results::{ended, ended_with},
    runners::{Programs, Task},
};
use muster_schemas::{
    ids::JobId,
    jobs::{JobResult, JobState, JobView, Outcome, RunSpec},
};
use muster_server::clock::Clock;
use tokio::time::sleep;

use crate::server::Server;

/// How far a host's idea of the server's time may be off: as long as an answer travels.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// What happened. Cheap to clone: the same history.
#[derive(Clone, Default)]
pub struct History(Arc<Mutex<BTreeMap<JobId, Truth>>>);

/// What happened to one job.
#[derive(Debug, Clone, Default)]
struct Truth {
    starts: Vec<Timestamp>,
    completed: u32,
    /// The last final state that the server told, and after how many restores.
    told: Option<(JobState, u32)>,
    /// Whether it ran on a copy of its host.
    on_copy: bool,
    /// How many restores there had been when it started.
    restores_at_start: u32,
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's name, as the design has it.
    pub invariant: &'static str,
    /// What broke it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// How often the server's store was put back to a backup.
pub type Restores = Arc<std::sync::atomic::AtomicU32>;

impl History {
    /// How many programs have run to their ends.
    pub fn completed(&self) -> u64 {
        self.truths().values().map(|truth| u64::from(truth.completed)).sum()
    }

    /// Whether a job ran on a copy of its host.
    pub fn was_on_a_copy(&self, id: JobId) -> bool {
        self.truths().get(&id).is_some_and(|truth| truth.on_copy)
    }

    /// Every job that started more than once.
    pub fn doubles(&self) -> Vec<Violation> {
        let truths = self.truths();
        let doubled = truths.iter().filter(|(_, truth)| truth.starts.len() > 1);
        doubled.map(|(id, truth)| violation("AtMostOnce", format!("{id} started at {:?}", truth.starts))).collect()
    }

    /// Whether what the server says of a job is true, and no other than before. `known_limit` counts jobs that a restored
    /// server ended before their host could tell it that they ran.
    pub fn agrees_with(&self, job: &JobView, restores: u32, known_limit: &mut u32) -> Result<(), Violation> {
        let mut truths = self.truths();
        let truth = truths.entry(job.id).or_default();
        if let Some((told, at)) = truth.told
            && told != job.state
            && at == restores
        {
            return Err(violation("FinalStable", format!("{} was {told:?} and is {:?}", job.id, job.state)));
        }
        if job.state.is_final() {
            truth.told = Some((job.state, restores));
        }
        let late = truth.starts.iter().find(|at| **at > job.start_by + CLOCK_SLACK);
        if let Some(late) = late {
            return Err(violation("NoLateStart", format!("{} started at {late}, latest {}", job.id, job.start_by)));
        }
        let (started, completed) = (!truth.starts.is_empty(), truth.completed > 0);
        let true_word = match job.state {
            JobState::Succeeded => completed,
            JobState::Cancelled => !completed,
            JobState::Superseded | JobState::Expired | JobState::Rejected => !started,
            JobState::Failed => started,
            // Interrupted says no more than that it may have run: leave to start was given, and the process died.
            _ => true,
        };
        if true_word {
            return Ok(());
        }
        if restores > truth.restores_at_start && matches!(job.state, JobState::Cancelled | JobState::Expired) {
            *known_limit += 1;
            return Ok(());
        }
        Err(violation("Truthful", format!("{} is {:?}, and {truth:?}", job.id, job.state)))
    }

    fn truths(&self) -> MutexGuard<'_, BTreeMap<JobId, Truth>> {
        self.0.lock().expect("nobody panics with it")
    }
}

fn violation(invariant: &'static str, what: String) -> Violation {
    Violation { invariant, what }
}

/// What runs programs on a simulated host: `argv[1]` says how many seconds one takes, `argv[2]` how it exits.
#[derive(Clone)]
pub struct Machine {
    /// Where it is written down.
    pub history: History,
    /// Whose clock the start is compared with.
    pub server: Server,
    /// How many restores there have been.
    pub restores: Restores,
    /// Whether it is a copy of the host, which will be gone one day.
    pub is_copy: bool,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}

impl Programs for Machine {
    fn run<'a>(&'a self, spec: &'a RunSpec, task: &'a Task) -> BoxFuture<'a, JobResult> {
        Box::pin(async move {
            let number = |place: usize| spec.argv.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
            {
                let mut truths = self.history.truths();
                let truth = truths.entry(task.id).or_default();
                truth.starts.push(self.server.time().now());
                truth.on_copy |= self.is_copy;
                truth.restores_at_start = self.restores.load(std::sync::atomic::Ordering::Relaxed);
            }
            tokio::select! {
                biased;
                () = task.stop.cancelled() => ended(Outcome::Cancelled),
                () = sleep(task.time_limit) => ended_with(Outcome::Failed, "time_limit", "too slow"),
                () = sleep(Duration::from_secs_f64(number(1))) => {
                    self.history.truths().entry(task.id).or_default().completed += 1;
                    match number(2) {
                        0.0 => JobResult { exit_code: Some(0), ..ended(Outcome::Succeeded) },
                        _ => JobResult { exit_code: Some(1), ..ended_with(Outcome::Failed, "exit_code", "as it was told") },
                    }
                }
            }
        })
    }

    fn kill_all(&self) {}
}
