//! Real processes, which the tests start and wait for.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;

/// A shell that has said one line: what it was told to start is there.
fn shell(script: &str, mark: Option<&str>) -> (Child, String) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(mark) = mark {
        command.env("TEST_MARK", mark);
    }
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().into())
}

#[test]
fn everything_below_a_process_is_found_and_ended_in_whatever_session_it_is_and_the_process_itself_is_not() {
    let (mut shell, started) = shell("setsid sleep 1000 & echo $!; wait; exit 7", None);
    let row = Row::of(shell.id()).unwrap();
    let children = children_of(shell.id());
    assert_eq!(children.iter().map(|child| child.pid.to_string()).collect::<Vec<_>>(), [started]);
    assert_eq!((row.parent, row.is_zombie), (std::process::id(), false));
    end_below(shell.id(), Ending::Kill);
    assert_eq!(shell.wait().unwrap().code(), Some(7));
}

#[test]
fn a_process_that_has_ended_and_was_not_waited_for_does_not_live() {
    let (mut shell, _) = shell("echo up; exec sleep 1000", None);
    let fingerprint = Fingerprint::of(shell.id()).unwrap();
    assert!(fingerprint.lives());
    shell.kill().unwrap();
    wait_for_end(shell.id());
    assert!(!fingerprint.lives());
    assert!(Row::of(shell.id()).unwrap().is_zombie, "its number is still its own");
    shell.wait().unwrap();
}

#[test]
fn what_carries_a_mark_is_killed_and_what_carries_another_is_not() {
    let mark = format!("mine {}", std::process::id());
    let (mut marked, _) = shell("echo up; exec sleep 1000", Some(&mark));
    let (mut other, _) = shell("echo up; exec sleep 1000", Some(&format!("{mark} and more")));
    kill_marked("TEST_MARK", mark.as_ref());
    assert_eq!(signal_of(marked.wait().unwrap()), Some(9));
    assert_eq!(other.try_wait().unwrap(), None);
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_fingerprint_kills_the_process_that_it_was_taken_of_and_no_later_one() {
    let (mut shell, _) = shell("echo up; exec sleep 1000", None);
    let fingerprint = Fingerprint::of(shell.id()).unwrap();
    let earlier = Fingerprint { started: "1".into(), ..fingerprint.clone() };
    earlier.kill_left_behind();
    assert_eq!(shell.try_wait().unwrap(), None);
    fingerprint.kill_left_behind();
    assert_eq!(signal_of(shell.wait().unwrap()), Some(9));
}

#[test]
fn what_carries_the_mark_in_a_container_is_not_killed() {
    let mark = format!("contained {}", std::process::id());
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "env", &format!("TEST_MARK={mark}")]);
    command.args(["sh", "-c", "echo up; exec sleep 1000"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut line = String::new();
    let Ok(mut container) = command.spawn() else { return };
    BufReader::new(container.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.is_empty() {
        eprintln!("SKIP: a PID namespace needs root and unshare");
        return drop(container.wait());
    }
    kill_marked("TEST_MARK", mark.as_ref());
    assert_eq!(container.try_wait().unwrap(), None);
    let inside = children_of(container.id());
    assert!(inside.iter().all(|child| !child.is_zombie) && !inside.is_empty(), "{inside:?}");
    container.kill().unwrap();
    container.wait().unwrap();
}
