//! The program: what it prints, what it serves, and that nothing outlives it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use harness::{ECHO, log_file, send, state, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const HOST: &str = env!("CARGO_BIN_EXE_muster-function-host");

fn serve(arguments: &[&str]) -> (Child, SocketAddr) {
    let mut command = Command::new(HOST);
    command.args(["--listen", "127.0.0.1:0", "--binary", ECHO]).args(arguments).stdout(Stdio::piped());
    let mut host = command.spawn().unwrap();
    let line = BufReader::new(host.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    (host, line.strip_prefix("listening on http://").unwrap().parse().unwrap())
}

async fn process(address: SocketAddr) -> u32 {
    send(address, "GET /", &[], b"").await.all("x-pid")[0].parse().unwrap()
}

#[test]
fn it_measures_cold_starts() {
    let output = Command::new(HOST).args(["--measure", "5", "--binary", ECHO]).output().unwrap();
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["count"], 5);
    assert!(line["min_ms"].as_f64().unwrap() > 0.0, "{line}");
}

#[test]
fn it_says_why_a_program_cannot_be_measured() {
    let output =
        Command::new(HOST).args(["--measure", "5", "--binary", ECHO, "--env", "ECHO_EXIT=3"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("exit status: 3"));
}

#[tokio::test]
async fn told_to_end_it_ends_with_all_its_processes() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut host, address) = serve(&[]);
        let process = process(address).await;
        kill_process(Pid::from_child(&host), signal).unwrap();
        assert!(host.wait().unwrap().success());
        until("the end of the process", || state(process).is_none());
    }
}

#[tokio::test]
async fn even_when_it_is_killed_no_frozen_process_is_left_behind() {
    let (mut host, address) = serve(&[]);
    let process = process(address).await;
    until("the process to stand still", || state(process) == Some('T'));
    host.kill().unwrap();
    host.wait().unwrap();
    until("the end of the process", || state(process).is_none());
}

#[tokio::test]
async fn the_front_and_the_tick_have_their_roles() {
    let log = log_file();
    let (mut host, _) = serve(&["--tick-every", "0.01", "--env", "ECHO_EXIT_IF=tick", "--log", log.to_str().unwrap()]);
    until("a tick that ended", || fs::read_to_string(&log).unwrap_or_default().contains("exit status: 9"));
    kill_process(Pid::from_child(&host), Signal::TERM).unwrap();
    host.wait().unwrap();
}
