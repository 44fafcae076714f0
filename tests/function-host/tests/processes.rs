//! A function's processes: how many there are, what ends them, and that they stand still in between.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::{fs, time::Duration};

use harness::{echo, function, pid, state, tell, until};
use muster_function_host::{Failure, Function, Limits, Program};
use tokio::join;

const MOMENT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn two_callers_at_once_get_two_processes() {
    let function = function(Limits::default());
    let (one, other) = join!(tell(&function, "/sleep/300"), tell(&function, "/sleep/300"));
    assert_ne!(pid(&one.unwrap()), pid(&other.unwrap()));
    assert_eq!(function.cold_starts().len(), 2);
}

#[tokio::test]
async fn one_caller_after_the_other_gets_the_same_process() {
    let function = function(Limits::default());
    let (one, other) = (tell(&function, "/").await.unwrap(), tell(&function, "/").await.unwrap());
    assert_eq!(pid(&one), pid(&other));
    assert_eq!(function.cold_starts().len(), 1);
}

#[tokio::test]
async fn at_the_limit_a_caller_waits_for_its_turn() {
    let function = function(Limits { max_concurrency: 1, ..Limits::default() });
    let (one, other) = join!(tell(&function, "/sleep/100"), tell(&function, "/sleep/100"));
    assert_eq!(pid(&one.unwrap()), pid(&other.unwrap()));
}

#[tokio::test]
async fn a_caller_does_not_wait_for_its_turn_for_ever() {
    let function = function(Limits { max_concurrency: 1, turn: MOMENT, ..Limits::default() });
    let (one, other) = join!(tell(&function, "/sleep/2000"), tell(&function, "/"));
    assert!(one.is_ok());
    assert_eq!(other, Err(Failure::Throttled));
}

#[tokio::test]
async fn a_death_in_the_middle_of_an_invocation_is_told_and_healed() {
    let function = function(Limits::default());
    let before = pid(&tell(&function, "/").await.unwrap());
    assert_eq!(tell(&function, "/die").await, Err(Failure::Died("exit status: 7".into())));
    assert_ne!(pid(&tell(&function, "/").await.unwrap()), before);
}

#[tokio::test]
async fn a_process_that_died_between_two_invocations_is_not_used() {
    let function = function(Limits::default());
    let before = pid(&tell(&function, "/").await.unwrap());
    rustix::process::kill_process(rustix_pid(before), rustix::process::Signal::KILL).unwrap();
    until("the end of the process", || state(before).is_none());
    assert_ne!(pid(&tell(&function, "/").await.unwrap()), before);
}

#[tokio::test]
async fn a_process_that_reaches_the_time_limit_is_killed() {
    let function = function(Limits { time: MOMENT, ..Limits::default() });
    let before = pid(&tell(&function, "/").await.unwrap());
    assert_eq!(tell(&function, "/sleep/60000").await, Err(Failure::TimedOut));
    until("the end of the process", || state(before).is_none());
    assert_ne!(pid(&tell(&function, "/").await.unwrap()), before);
}

#[tokio::test]
async fn an_error_the_function_reports_leaves_its_process_alone() {
    let function = function(Limits::default());
    let before = pid(&tell(&function, "/").await.unwrap());
    let report = r#"{"errorType":"Echo","errorMessage":"as told"}"#;
    assert_eq!(tell(&function, "/error").await, Err(Failure::Reported(report.into())));
    assert_eq!(pid(&tell(&function, "/").await.unwrap()), before);
}

#[tokio::test]
async fn an_answer_that_is_too_large_leaves_its_process_alone() {
    let function = function(Limits::default());
    let before = pid(&tell(&function, "/").await.unwrap());
    assert_eq!(tell(&function, "/big").await, Err(Failure::AnswerTooLarge));
    assert_eq!(pid(&tell(&function, "/").await.unwrap()), before);
}

#[tokio::test]
async fn why_a_process_did_not_start_is_kept() {
    let moment = Limits { initialization: MOMENT, ..Limits::default() };
    let program = |binary: &str| Program { binary: binary.into(), ..echo(&[]) };
    for (program, reason) in [
        (echo(&[("ECHO_INIT_ERROR", "no table")]), r#"{"errorType":"Echo","errorMessage":"no table"}"#),
        (echo(&[("ECHO_EXIT", "3")]), "it ended before its first next, exit status: 3"),
        (program("/does/not/exist"), "/does/not/exist: No such file or directory (os error 2)"),
        (program("/usr/bin/yes"), "no first next within 200ms"),
    ] {
        let function = Function::new(program, moment.clone());
        assert_eq!(tell(&function, "/").await, Err(Failure::NotInitialized(reason.into())));
        assert!(function.last_init_error().unwrap().ends_with(reason));
        assert_eq!(function.cold_starts(), []);
    }
}

#[tokio::test]
async fn nothing_is_done_after_the_answer() {
    let program = echo(&[]);
    let log = program.log.clone().unwrap();
    let function = Function::new(program, Limits::default());
    let process = pid(&tell(&function, "/afterwards").await.unwrap());
    until("the process to stand still", || state(process) == Some('T'));
    let before = fs::read(&log).unwrap().len();
    tokio::time::sleep(MOMENT).await;
    assert_eq!(fs::read(&log).unwrap().len(), before);

    assert_eq!(pid(&tell(&function, "/sleep/50").await.unwrap()), process);
    assert!(fs::read(&log).unwrap().len() > before, "what was begun goes on with the next invocation");
}

#[tokio::test]
async fn a_process_that_is_not_to_be_frozen_works_on() {
    let program = echo(&[]);
    let log = program.log.clone().unwrap();
    let function = Function::new(program, Limits { frozen_between: false, ..Limits::default() });
    tell(&function, "/afterwards").await.unwrap();
    until("work after the answer", || fs::read(&log).unwrap().len() > 1000);
}

#[tokio::test]
async fn a_process_finds_only_what_it_was_given() {
    let program = Program { binary: "/usr/bin/env".into(), ..echo(&[("MUSTER_ROLE", "api")]) };
    let log = program.log.clone().unwrap();
    tell(&Function::new(program, Limits::default()), "/").await.unwrap_err();
    let text = fs::read_to_string(log).unwrap();
    let mut names: Vec<_> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !name.starts_with("AWS_LAMBDA_"));
    names.sort_unstable();
    assert_eq!(names, ["MUSTER_ROLE", "PATH"]);
}

#[tokio::test]
async fn processes_end_with_their_function_even_in_the_middle_of_an_invocation() {
    let function = function(Limits::default());
    let (idle, busy) = join!(tell(&function, "/sleep/50"), tell(&function, "/sleep/100"));
    let pids = [pid(&idle.unwrap()), pid(&busy.unwrap())];
    let waits = tell(&function, "/sleep/60000");
    let stops = async {
        tokio::time::sleep(MOMENT).await;
        function.stop();
    };
    assert_eq!(join!(waits, stops).0, Err(Failure::Stopped));
    until("the end of both", || pids.iter().all(|pid| state(*pid).is_none()));
    assert_eq!(tell(&function, "/").await, Err(Failure::Stopped));
}

fn rustix_pid(pid: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(pid.cast_signed()).unwrap()
}
