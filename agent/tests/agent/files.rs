//! Files that people change while the agent runs: what they say comes into force by itself, what is broken changes nothing, and
//! `status` tells what the running agent goes by.

use std::fs;

use muster_schemas::jobs::Outcome;
use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::world::{
    host::{Host, until},
    http::Reply,
    server::{MakeReply, Server, World},
};

const ECHO: &str = "[allow]\nrun = [\"/bin/echo\"]\ninspect = false\n";

fn status(host: &Host) -> String {
    String::from_utf8(host.command("status").output().unwrap().stdout).unwrap()
}

/// What the host has told last of the kinds of jobs that it allows.
fn capabilities(world: &World) -> Option<Vec<String>> {
    let told = world.check_ins.iter().rev().find_map(|check_in| check_in.facts.as_ref());
    let first = || world.sessions.last().map(|session| &session.facts);
    told.or_else(first).map(|facts| facts.capabilities.clone())
}

fn works(server: &Server, program: &str) -> (Outcome, String) {
    let result = server.result(server.job("run", json!({ "argv": [program] })));
    (result.outcome, result.error.map(|error| error.message).unwrap_or_default())
}

#[test]
fn a_policy_that_is_made_stricter_counts_for_the_next_job_and_is_what_status_tells() {
    let server = Server::start();
    let host = Host::running(&server);
    assert_eq!(works(&server, "/bin/true").0, Outcome::Succeeded);
    fs::write(host.path("policy.toml"), ECHO).unwrap();
    assert_eq!(works(&server, "/bin/true").0, Outcome::Rejected);
    assert_eq!(works(&server, "/bin/echo").0, Outcome::Succeeded);
    // What it is able to do beside kinds of jobs stands there, too.
    let named =
        |world: &World, kind: &str| capabilities(world).is_some_and(|kinds| kinds.iter().any(|known| known == kind));
    server.wait("word of it", |world| (named(world, "run") && !named(world, "inspect")).then_some(()));
    until("status tells of it", || status(&host).contains("run: /bin/echo;"));
    assert!(host.log().contains("policy.toml has changed, and is in force: run: /bin/echo"), "{}", host.log());
}

#[test]
fn a_policy_that_is_broken_changes_nothing_and_one_that_is_gone_allows_no_program() {
    let server = Server::start();
    let host = Host::joined(&server);
    fs::write(host.path("policy.toml"), ECHO).unwrap();
    let mut host = host;
    host.start();
    assert_eq!(works(&server, "/bin/echo").0, Outcome::Succeeded);
    fs::write(host.path("policy.toml"), "[allow]\nrun = /bin/true").unwrap();
    assert_eq!(works(&server, "/bin/echo").0, Outcome::Succeeded);
    let (outcome, why) = works(&server, "/bin/true");
    assert!(outcome == Outcome::Rejected && why.contains("policy.toml cannot be used: "), "{why}");
    let told = status(&host);
    assert!(told.contains("run: /bin/echo;") && told.contains("what was in force before stays in force"), "{told}");
    assert!(host.log().contains("cannot be used, so what was in force stays in force: "), "{}", host.log());
    fs::remove_file(host.path("policy.toml")).unwrap();
    assert_eq!(works(&server, "/bin/echo").0, Outcome::Rejected);
    until("status tells of it", || status(&host).contains("run: no program;"));
}

#[test]
fn sighup_reads_the_files_again_and_ends_nobody() {
    let server = Server::start();
    let mut host = Host::running(&server);
    server.wait("a check-in", |world| (!world.check_ins.is_empty()).then_some(()));
    let worker = host.worker().unwrap();
    fs::write(host.path("agent.toml"), "wait_seconds = 7\n[resilience.retry]\nmax_retries = 3\n").unwrap();
    host.hang_up();
    until("the configuration is in force", || host.log().contains("agent.toml has changed, and is in force"));
    fs::write(host.path("agent.toml"), "wait_second = 7\n").unwrap();
    kill_process(worker, Signal::HUP).unwrap();
    until("the complaint", || host.log().contains("agent.toml has changed and cannot be used"));
    assert!(host.log().contains("SIGHUP: reading the files again") && host.log().contains("wait_second"));
    assert!(status(&host).contains("agent.toml cannot be used"), "{}", status(&host));
    server.assert_host_works();
    assert_eq!((host.worker(), host.has_ended()), (Some(worker), false));
}

#[test]
fn a_host_that_is_pointed_to_another_url_of_its_server_calls_it_there_without_a_restart() {
    let server = Server::start();
    let host = Host::running(&server);
    server.wait("a check-in", |world| (!world.check_ins.is_empty()).then_some(()));
    let nowhere = host.command("point-to").arg("http://127.0.0.1:1").output().unwrap();
    let complaint = String::from_utf8(nowhere.stderr).unwrap();
    assert!(complaint.contains("nothing was changed") && !nowhere.status.success(), "{complaint}");
    let url = server.url().replace("127.0.0.1", "localhost");
    let pointed = host.command("point-to").arg(&url).output().unwrap();
    assert!(pointed.status.success(), "{}", String::from_utf8_lossy(&pointed.stderr));
    host.hang_up();
    until("it has moved", || host.log().contains(&format!("This host was pointed to {url}")));
    server.assert_host_works();
}

#[test]
fn a_host_follows_its_server_to_the_url_that_it_is_told_of_once_that_answers() {
    let server = Server::start();
    let host = Host::joined(&server);
    let url = server.url().replace("127.0.0.1", "localhost");
    server.with(|world| world.relocation = Some(json!({ "to": url, "from": [server.url()] })));
    let mut host = host;
    host.start();
    until("it has moved", || host.log().contains(&format!("to {url}, and this host calls it there from now on")));
    assert!(fs::read_to_string(host.path("identity.json")).unwrap().contains(&url));
    server.assert_host_works();
    assert!(status(&host).contains(&url));
}

#[test]
fn calls_that_succeed_again_leave_one_line_that_says_so_although_no_circuit_had_opened() {
    let server = Server::start();
    let host = Host::running(&server);
    server.assert_host_works();
    breaks(&server, || Reply::page(502, "<html>Bad Gateway</html>"));
    until("the line", || host.log().contains("api: recovered after "));
    server.assert_host_works();
    assert_eq!(host.log().matches("api: recovered after ").count(), 1, "{}", host.log());
    assert!(!host.log().contains("circuit open"), "{}", host.log());
    // Who asks for a pause is no failure of the upstream, and the check-ins have failed all the same.
    breaks(&server, || Reply::problem(503, "unavailable").with_header("retry-after: 0"));
    until("the line", || host.log().contains("Check-ins: recovered after "));
    server.assert_host_works();
}

/// Some check-ins are answered with this, and those after them as ever.
fn breaks(server: &Server, reply: MakeReply) {
    server.with(|world| {
        world.instead = vec![("check-in", reply)];
        // Who is held now is sent away.
        world.session += 1;
        world.paths.clear();
    });
    let check_ins = |world: &World| world.paths.iter().filter(|path| path.contains("check-in")).count();
    server.wait("failures", |world| (check_ins(world) >= 3).then_some(()));
    server.with(|world| world.instead.clear());
}
