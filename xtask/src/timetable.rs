//! Where the time goes: steps and test suites with their seconds, also when one of them has failed.

use std::{
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{Result, commands::say};

/// What Linux tells programs times in.
const TICKS_PER_SECOND: u64 = 100;
/// How many of the suites are shown.
const SLOWEST: usize = 20;

/// Times as they are taken; steps may be side by side.
pub struct Timetable {
    started: Instant,
    busy_before: Duration,
    steps: Mutex<Vec<Step>>,
    suites: Mutex<Vec<(Duration, usize, String)>>,
}

struct Step {
    name: String,
    from: Duration,
    took: Duration,
    failed: bool,
}

impl Timetable {
    /// From now on.
    pub fn start() -> Self {
        let (steps, suites) = (Mutex::default(), Mutex::default());
        Self { started: Instant::now(), busy_before: busy(), steps, suites }
    }

    /// Takes a step.
    pub fn step<T>(&self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        say(&format!("\n━━ {name}"));
        let from = Instant::now();
        let done = step();
        self.took(name, from, done.is_err());
        done.map_err(|reason| format!("{name}: {reason}"))
    }

    /// A step that was taken beside others has ended.
    pub fn took(&self, name: &str, from: Instant, failed: bool) {
        let took = from.elapsed();
        say(&format!("━━ {name} {:.1} s", took.as_secs_f64()));
        lock(&self.steps).push(Step { name: name.into(), from: from.duration_since(self.started), took, failed });
    }

    /// A suite of so many tests has ended.
    pub fn suite(&self, name: &str, from: Instant, tests: usize) {
        lock(&self.suites).push((from.elapsed(), tests, name.into()));
    }

    /// Shows them.
    pub fn show(&self) {
        let mut steps = std::mem::take(&mut *lock(&self.steps));
        steps.sort_by_key(|step| step.from);
        say("\n    from   seconds  step");
        for Step { name, from, took, failed } in steps {
            let failed = if failed { ", failed" } else { "" };
            say(&format!("{:8.1}  {:8.1}  {name}{failed}", from.as_secs_f64(), took.as_secs_f64()));
        }
        let mut suites = std::mem::take(&mut *lock(&self.suites));
        suites.sort_by(|one, other| other.cmp(one));
        if !suites.is_empty() {
            say(&format!("\n seconds   tests  the slowest of {} suites", suites.len()));
        }
        for (took, tests, name) in suites.into_iter().take(SLOWEST) {
            say(&format!("{:8.1}  {tests:6}  {name}", took.as_secs_f64()));
        }
        let (all, busy) = (self.started.elapsed(), busy().saturating_sub(self.busy_before));
        say(&format!("\n{:.0} s, in which programs computed for {:.0} s.", all.as_secs_f64(), busy.as_secs_f64()));
    }
}

/// How long programs have computed that this one has started and that have ended.
fn busy() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold anything; behind it the children's times are the 14th and 15th field.
    let fields = text.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect::<Vec<_>>()).unwrap_or_default();
    let ticks =
        fields.get(13..15).unwrap_or_default().iter().filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
