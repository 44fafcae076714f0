//! Agents beside each other and in containers: what is another one's is left alone, and what nobody else waits for is waited for.
#![cfg(target_os = "linux")]

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
};

use muster_agent::sys::processes::{Row, children_of};

use crate::world::{
    host::{AGENT, Host, bounded},
    server::Server,
};

/// A process that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs an agent from a directory in which its state directory is called `state`, as in every other one.
fn run_from(directory: &Path, host: &Host) -> Running {
    symlink(host.state.path(), directory.join("state")).unwrap();
    let mut command = Command::new(&*AGENT);
    command.args(["run", "--state", "state"]).current_dir(directory).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

fn worker_of(supervisor: u32) -> Option<Row> {
    children_of(supervisor).into_iter().find(|child| !child.is_zombie)
}

#[test]
fn an_agent_does_not_end_another_one_whose_state_directory_is_called_the_same() {
    let (one, other) = (Server::start(), Server::start());
    let (first_host, second_host) = (Host::joined(&one), Host::joined(&other));
    let (first_place, second_place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = run_from(first_place.path(), &first_host);
    one.assert_host_works();
    let worker = worker_of(first.0.id()).unwrap();
    let _second = run_from(second_place.path(), &second_host);
    other.assert_host_works();
    one.assert_host_works();
    assert_eq!(worker_of(first.0.id()), Some(worker));
}

#[test]
fn as_process_1_of_a_container_the_agent_waits_for_everybodys_orphans() {
    let server = Server::start();
    let host = Host::joined(&server);
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(&*AGENT);
    command.args(["run", "--state"]).arg(host.state.path()).stderr(Stdio::null());
    let Ok(mut container) = command.spawn().map(Running) else { return };
    let pid = container.0.id();
    let init = loop {
        if let Some(init) = worker_of(pid) {
            break init.pid;
        }
        if container.0.try_wait().unwrap().is_some() {
            eprintln!("SKIP: a PID namespace needs root and unshare");
            return;
        }
    };
    server.assert_host_works();
    let mut enter = Command::new("nsenter");
    enter.args(["--target", &init.to_string(), "--pid", "sh", "-c", "(sleep 0.1 &)"]);
    assert!(enter.status().unwrap().success());
    let orphan = move || children_of(init).into_iter().find(|child| child.is_zombie);
    let orphan_pid = bounded("an orphan that has ended", move || {
        loop {
            if let Some(orphan) = orphan() {
                return orphan.pid;
            }
        }
    });
    bounded("its end", move || while children_of(init).iter().any(|child| child.pid == orphan_pid) {});
    server.assert_host_works();
}
