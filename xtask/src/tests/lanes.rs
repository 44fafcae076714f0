//! Lanes: suites that wait beside suites that compute, each lane one suite at a time.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::suites::{Kind, Suite};
use crate::{
    Result,
    beside::end,
    commands::{say, short, target},
    timetable::Timetable,
};

/// How often a suite is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs all of them, and tells each that failed: one run then shows all that there is to mend.
pub fn run(suites: Vec<Suite>, times: &Timetable) -> Result {
    let (waiting, computing) = suites.into_iter().partition(|suite| suite.kind == Kind::Waits);
    let mut computed = Ok(());
    let waited = beside(waiting, times, |lane| {
        computed = lane.all(computing);
        Ok(())
    });
    match (waited, computed) {
        (Err(one), Err(other)) => Err(format!("{one}\n{other}")),
        (waited, computed) => waited.and(computed),
    }
}

/// Runs these, and meanwhile whatever else is done. The first step that fails ends all; after tests that fail, all goes on.
pub fn beside(suites: Vec<Suite>, times: &Timetable, else_done: impl FnOnce(&Lane) -> Result) -> Result {
    let logs = target().join("test-logs");
    fs::create_dir_all(&logs).map_err(|error| format!("cannot make {}: {error}", logs.display()))?;
    let lane = Lane { logs, times, failed: AtomicBool::new(false) };
    let (there, here) = thread::scope(|scope| {
        let there = scope.spawn(|| lane.all(suites));
        let here = lane.noted(else_done(&lane));
        (there.join().unwrap_or_else(|_| Err("the lane beside is lost".into())), here)
    });
    // One that was ended because of the other says less.
    match (there, here) {
        (Err(one), Err(other)) if one == ENDED => Err(other),
        (there, here) => there.and(here),
    }
}

/// What all lanes know.
pub struct Lane<'a> {
    logs: PathBuf,
    times: &'a Timetable,
    failed: AtomicBool,
}

impl Lane<'_> {
    /// Takes a step in this lane, unless another one has failed.
    pub fn step(&self, name: &str, step: impl FnOnce() -> Result) -> Result {
        if self.failed.load(Ordering::SeqCst) { Err(ENDED.into()) } else { self.times.step(name, step) }
    }

    /// Runs these, one after the other.
    pub fn all(&self, suites: Vec<Suite>) -> Result {
        let mut failures = Vec::new();
        for suite in suites {
            if suite.kind == Kind::Step {
                self.noted(self.one(suite))?;
            } else if let Err(failure) = self.one(suite) {
                let is_over = failure == ENDED;
                failures.push(failure);
                if is_over {
                    break;
                }
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
    }

    fn noted(&self, done: Result) -> Result {
        self.failed.fetch_or(done.is_err(), Ordering::SeqCst);
        done
    }

    fn one(&self, suite: Suite) -> Result {
        let Suite { name, kind, mut command } = suite;
        let log = self.logs.join(format!("{}.log", name.replace([' ', ','], "-")));
        let lost = |error: std::io::Error| format!("{name}: {error}");
        let file = File::create(&log).map_err(lost)?;
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(file.try_clone().map_err(lost)?).stderr(file).spawn();
        let ended = self.ended(child.map_err(lost)?);
        let text = fs::read_to_string(&log).unwrap_or_default();
        match kind {
            Kind::Step => self.times.took(&name, started, ended != Some(true)),
            Kind::Computes | Kind::Waits => self.times.suite(&name, started, passed(&text)),
        }
        match ended {
            Some(true) => {
                say(&good(&name, kind, &text, started.elapsed()));
                Ok(())
            }
            Some(false) => {
                say(&format!("\nFAILED {name}\n{text}"));
                Err(format!("{name} failed; {}", short(&log)))
            }
            None => Err(ENDED.into()),
        }
    }

    /// Whether it succeeded; none if it was ended because of another one.
    fn ended(&self, mut child: Child) -> Option<bool> {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status.success()),
                Ok(None) if self.failed.load(Ordering::SeqCst) => {
                    end(&mut child);
                    return None;
                }
                Ok(None) => thread::sleep(GLANCE),
                Err(_) => return Some(false),
            }
        }
    }
}

/// What is told of a program that ended well: what it skipped, and all that a step has said.
fn good(name: &str, kind: Kind, text: &str, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if kind == Kind::Step {
        return format!("ok   {name} in {seconds:.1} s\n{text}");
    }
    let skipped = text.lines().filter(|line| line.starts_with("SKIP")).map(|line| format!("\n     {line}"));
    format!("ok   {name}: {} tests in {seconds:.1} s{}", passed(text), skipped.collect::<String>())
}

/// What a suite says that was ended because another one has failed.
const ENDED: &str = "ended, because another suite failed";

/// How many tests have passed, by the last line of each run.
fn passed(text: &str) -> usize {
    let results = text.lines().filter_map(|line| line.strip_prefix("test result: "));
    let passed = |line: &str| {
        line.split("; ").find_map(|part| part.strip_suffix(" passed")?.rsplit(' ').next()?.parse::<usize>().ok())
    };
    results.filter_map(passed).sum()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn suite(name: &str, kind: Kind, script: &str) -> Suite {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Suite { name: format!("lanes test {name}"), kind, command }
    }

    #[test]
    fn one_lane_waits_while_the_other_computes() {
        let times = Timetable::start();
        let pipe = target().join("lanes-test-pipe");
        drop(fs::remove_file(&pipe));
        assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|made| made.success()));
        let (reads, writes) = (format!("read line < {}", pipe.display()), format!("echo line > {}", pipe.display()));
        assert_eq!(
            run(vec![suite("reads", Kind::Waits, &reads), suite("writes", Kind::Computes, &writes)], &times),
            Ok(())
        );
    }

    #[test]
    fn after_tests_that_fail_the_others_run_and_each_failure_is_told() {
        let times = Timetable::start();
        let ran = target().join("lanes-test-ran");
        drop(fs::remove_file(&ran));
        let suites = vec![
            suite("waits", Kind::Waits, "exit 1"),
            suite("computes", Kind::Computes, "exit 1"),
            suite("follows", Kind::Computes, &format!("touch {}", ran.display())),
        ];
        let told = run(suites, &times).expect_err("two have failed");
        let names = told.lines().map(|line| line.split(" failed").next()).collect::<Vec<_>>();
        assert_eq!(names, [Some("lanes test waits"), Some("lanes test computes")], "{told}");
        assert!(ran.exists());
    }

    #[test]
    fn a_step_that_fails_ends_what_runs_beside_it_and_is_what_is_told() {
        let times = Timetable::start();
        let steps = vec![suite("fails", Kind::Step, "exit 1")];
        let told = beside(steps, &times, |lane| lane.all(vec![suite("waits", Kind::Waits, "exec sleep 600")]));
        assert!(told.is_err_and(|told| told.starts_with("lanes test fails failed")));
    }

    #[test]
    fn passed_tests_are_counted() {
        let text = "\nrunning 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 0 ignored\n";
        assert_eq!((passed(text), passed("")), (2, 0));
    }
}
