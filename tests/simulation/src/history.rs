//! What really happened on the hosts, as nobody inside the simulation can know it, and whether the server's word agrees.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::future::{self, BoxFuture};
use jiff::{SignedDuration, Timestamp};
use muster_agent::{
    programs::{self, End, Output, Program, Ran},
    sys::disks::Sizes,
};
use muster_schemas::{
    ids::JobId,
    jobs::{JobResult, JobState, JobView, Outcome},
};
use muster_server::clock::Clock;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{server::Server, time::elapsed};

/// How far a host's idea of the server's time may be off: as long as an answer travels.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// What happened. Cheap to clone: the same history.
#[derive(Clone, Default)]
pub struct History(Arc<Mutex<BTreeMap<JobId, Truth>>>);

/// What happened to one job.
#[derive(Debug, Clone, Default)]
struct Truth {
    starts: Vec<(Timestamp, Duration)>,
    /// How the program ended, by the machine itself.
    said: Option<(Outcome, Option<i32>)>,
    /// The last final state that the server told, how, and when.
    told: Option<(JobState, Option<JobResult>, Duration)>,
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

/// When the store was put back: when its backup had been taken, and when it was put back.
#[derive(Default)]
pub struct Restores(Vec<(Duration, Duration)>);

impl Restores {
    /// The store was put back to a backup of that time.
    pub fn happened(&mut self, backup: Duration) {
        self.0.push((backup, elapsed()));
    }

    /// Whether what was stored at this time was forgotten: a backup from before it was put back after it.
    fn forgot(&self, at: Duration, slack: Duration) -> bool {
        self.0.iter().any(|(backup, back)| *backup <= at && at <= *back + slack)
    }
}

impl History {
    /// How many programs have run to their ends.
    pub fn completed(&self) -> u64 {
        let ended = |truth: &&Truth| matches!(truth.said, Some((Outcome::Succeeded | Outcome::Failed, Some(_))));
        self.truths().values().filter(ended).count() as u64
    }

    /// Whether the program of a job has started.
    pub fn has_started(&self, id: JobId) -> bool {
        self.truths().get(&id).is_some_and(|truth| !truth.starts.is_empty())
    }

    /// Whether the server says of a job that has started just how it is: running, or over as the machine said.
    pub fn is_known_to(&self, job: &JobView) -> bool {
        let said = self.truths().get(&job.id).and_then(|truth| truth.said);
        let result = job.result.as_ref().map(|result| (result.outcome, result.exit_code));
        if said.is_none() { job.state == JobState::Running } else { job.state.is_final() && said == result }
    }

    /// Every job that started more than once.
    pub fn doubles(&self) -> Vec<Violation> {
        let truths = self.truths();
        let doubled = truths.iter().filter(|(_, truth)| truth.starts.len() > 1);
        doubled.map(|(id, truth)| violation("AtMostOnce", format!("{id} started at {:?}", truth.starts))).collect()
    }

    /// Whether what the server says of a job is true, and no other than before. `known_limit` counts jobs that a restored
    /// server ended before their host could tell it that they ran. With copies of hosts, a process that was given leave may
    /// be overtaken by another one's word.
    pub fn agrees_with(
        &self,
        job: &JobView,
        restores: &Restores,
        copies: bool,
        known_limit: &mut u32,
    ) -> Result<(), Violation> {
        let mut truths = self.truths();
        let truth = truths.entry(job.id).or_default();
        if let Some((told, result, at)) = &truth.told
            && (*told != job.state || *result != job.result)
            && !restores.forgot(*at, Duration::ZERO)
        {
            return Err(violation("FinalStable", format!("{} was {told:?} and is {:?}", job.id, job.state)));
        }
        if job.state.is_final() {
            truth.told = Some((job.state, job.result.clone(), elapsed()));
        }
        let late = truth.starts.iter().find(|(at, _)| *at > job.start_by + CLOCK_SLACK);
        if let Some((late, _)) = late {
            return Err(violation("NoLateStart", format!("{} started at {late}, latest {}", job.id, job.start_by)));
        }
        let started = !truth.starts.is_empty();
        let exit_code = job.result.as_ref().and_then(|result| result.exit_code);
        let (invariant, true_word) = match job.state {
            JobState::Succeeded => ("Truthful", truth.said == Some((Outcome::Succeeded, exit_code))),
            JobState::Failed => ("Truthful", truth.said == Some((Outcome::Failed, exit_code))),
            JobState::Cancelled => ("Truthful", !started || truth.said == Some((Outcome::Cancelled, None))),
            JobState::Expired | JobState::Rejected => ("Truthful", !started),
            // What the machine has said is on its disk in the same moment.
            JobState::Interrupted => ("NoDivergence", truth.said.is_none() || copies),
            _ => ("Truthful", true),
        };
        if true_word {
            return Ok(());
        }
        let unknown = truth.starts.iter().any(|(_, at)| restores.forgot(*at, Duration::from_secs(1)));
        if unknown && matches!(job.state, JobState::Cancelled | JobState::Expired) {
            *known_limit += 1;
            return Ok(());
        }
        Err(violation(invariant, format!("{} is {:?}, and {truth:?}", job.id, job.state)))
    }

    fn truths(&self) -> MutexGuard<'_, BTreeMap<JobId, Truth>> {
        self.0.lock().expect("nobody panics with it")
    }
}

fn violation(invariant: &'static str, what: String) -> Violation {
    Violation { invariant, what }
}

/// The program that asks a simulated machine to restart.
const RESTARTER: &str = "/simulated/reboot";

/// A simulated machine. The first argument of a program says how many seconds it takes, the second how it exits.
pub struct Machine {
    /// Where it is written down.
    history: History,
    /// Whose clock the start is compared with.
    server: Server,
    power: Mutex<Power>,
}

/// Whether a machine is on, so to speak.
#[derive(Default)]
struct Power {
    /// How often it has restarted.
    boots: u64,
    /// By which jobs it was asked to restart.
    asked: Vec<JobId>,
    /// Whether it will have none of that.
    refuses: bool,
}

impl Machine {
    /// One that was just switched on.
    pub fn new(history: History, server: Server) -> Self {
        Self { history, server, power: Mutex::default() }
    }

    /// By which jobs it was asked to restart.
    pub fn asked(&self) -> Vec<JobId> {
        self.power(|power| power.asked.clone())
    }

    /// It restarts.
    pub fn boots(&self) {
        self.power(|power| power.boots += 1);
    }

    /// From now on it does not restart when it is asked to.
    pub fn refuses(&self) {
        self.power(|power| power.refuses = true);
    }

    fn restart(&self, job: JobId) -> Ran {
        let refuses = self.power(|power| {
            power.asked.push(job);
            power.refuses
        });
        let exit_code = Some(refuses.into());
        Ran { end: End::Itself, exit_code, signal: None, output_bytes: 0, output_truncated: false }
    }

    fn power<T>(&self, work: impl FnOnce(&mut Power) -> T) -> T {
        work(&mut self.power.lock().expect("nobody panics with it"))
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}

impl programs::Machine for Machine {
    fn run<'a>(&'a self, program: &'a Program, stop: &'a CancellationToken, _: Output<'a>) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            let Program { job, path, arguments, time_limit, .. } = program;
            if path == Path::new(RESTARTER) {
                return self.restart(*job);
            }
            let number = |place: usize| arguments.get(place)?.to_str()?.parse::<f64>().ok();
            let start = (self.server.time().now(), elapsed());
            self.history.truths().entry(*job).or_default().starts.push(start);
            let (end, outcome, exit_code) = tokio::select! {
                biased;
                () = stop.cancelled() => (End::Stopped, Outcome::Cancelled, None),
                () = sleep(*time_limit) => (End::TimeLimit, Outcome::Failed, None),
                () = sleep(Duration::from_secs_f64(number(0).unwrap_or(0.0))) => match number(1) {
                    None | Some(0.0) => (End::Itself, Outcome::Succeeded, Some(0)),
                    Some(_) => (End::Itself, Outcome::Failed, Some(1)),
                },
            };
            self.history.truths().entry(*job).or_default().said = Some((outcome, exit_code));
            Ran { end, exit_code, signal: None, output_bytes: 0, output_truncated: false }
        })
    }

    fn kill_all(&self) {}

    fn disk_sizes(&self, _: Vec<String>) -> BoxFuture<'_, Sizes> {
        Box::pin(future::ready(Sizes::new()))
    }

    fn boot_id(&self) -> String {
        format!("boot {}", self.power(|power| power.boots))
    }

    fn restarter(&self) -> Option<(PathBuf, Vec<OsString>)> {
        Some((RESTARTER.into(), Vec::new()))
    }
}
