//! A server that holds every key of the real one and wishes the host ill: no effect outside the host's policy, no key read,
//! nothing filled up, and when the real server is back, the host works.

use std::{fs, net::TcpListener};

use jiff::Timestamp;
use muster_schemas::{
    commands::Command,
    ids::JobId,
    jobs::{JobResult, Outcome},
};
use serde_json::{Value, json};

use crate::world::{
    host::Host,
    http::Reply,
    releases::{manifest, offer, signed, trust},
    server::{MakeReply, Server},
};

/// The largest that the state directory becomes under attack, in bytes.
const MOST_STATE_BYTES: u64 = 8 * 1024 * 1024;

type Change = fn(&mut Command);

/// A host that allows one harmless program.
fn guarded() -> (Server, Host) {
    let server = Server::start();
    let mut host = Host::joined(&server);
    fs::write(host.path("policy.toml"), "[allow]\nrun = [\"/bin/true\"]\n").unwrap();
    trust(&host);
    host.start();
    server.assert_host_works();
    (server, host)
}

fn code(result: &JobResult) -> &str {
    result.error.as_ref().map_or("", |error| &error.code)
}

/// The host is as it was: it does what it is allowed to do, and no more than it should is on its disk.
fn is_unharmed(server: &Server, host: &Host) {
    let allowed = server.job("run", json!({ "argv": ["/bin/true"] }));
    assert_eq!(server.result(allowed).outcome, Outcome::Succeeded);
    server.assert_host_works();
    assert!(!host.path("mark").exists(), "something ran that the policy does not allow");
    let sizes = fs::read_dir(host.state.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    assert!(sizes.sum::<u64>() < MOST_STATE_BYTES);
}

#[test]
fn no_command_gets_past_the_hosts_policy() {
    let (server, host) = guarded();
    let mark = host.path("mark").display().to_string();
    let touch = format!("touch {mark}");
    let run = |spec: Value| ("run", spec);
    let many = vec!["/bin/true"; 300];
    let scripts: Vec<(&str, (&str, Value), &str)> = vec![
        ("a shell", run(json!({ "argv": ["/bin/sh", "-c", touch] })), "policy"),
        ("another program", run(json!({ "argv": ["/usr/bin/touch", mark] })), "policy"),
        ("a way around by ..", run(json!({ "argv": ["/bin/../bin/true"] })), "invalid"),
        ("a relative program", run(json!({ "argv": ["true"] })), "invalid"),
        ("no program", run(json!({ "argv": [] })), "invalid"),
        ("a NUL in it", run(json!({ "argv": ["/bin/true\u{0}x"] })), "invalid"),
        ("too many arguments", run(json!({ "argv": many })), "invalid"),
        ("a preloaded library", run(json!({ "argv": ["/bin/true"], "environment": { "LD_PRELOAD": mark } })), "policy"),
        ("another PATH", run(json!({ "argv": ["/bin/true"], "environment": { "PATH": "/tmp" } })), "invalid"),
        ("a variable that is none", run(json!({ "argv": ["/bin/true"], "environment": { "A=B": "c" } })), "invalid"),
        ("another directory", run(json!({ "argv": ["/bin/true"], "working_directory": "/tmp" })), "policy"),
        ("a relative directory", run(json!({ "argv": ["/bin/true"], "working_directory": ".." })), "invalid"),
        ("endless output", run(json!({ "argv": ["/bin/true"], "output_limit_bytes": u64::MAX })), "invalid"),
        ("a member of its own", run(json!({ "argv": ["/bin/true"], "shell": true })), "invalid"),
        ("members of other types", run(json!({ "argv": "/bin/true" })), "invalid"),
        ("a list for a spec", run(json!([["/bin/true"]])), "invalid"),
        ("an unknown kind", ("format_disk", json!({})), "unknown_kind"),
        ("a kind in capitals", ("RUN", json!({ "argv": ["/bin/true"] })), "unknown_kind"),
        ("a huge kind", (Box::leak("k".repeat(100_000).into_boxed_str()), json!({})), "unknown_kind"),
        ("a huge spec", run(json!({ "argv": ["/bin/true", "x".repeat(300_000)] })), "too_large"),
        ("a version that is a path", update("../../../../tmp/x", &"0".repeat(64)), "invalid"),
        ("a digest that is a path", update("9.9.9", "../../../../tmp/x"), "invalid"),
        ("an update that nobody announced", update("9.9.9", &"0".repeat(64)), "download"),
    ];
    for (what, (kind, spec), expected) in scripts {
        let result = server.result(server.job(kind, spec));
        assert!(matches!(result.outcome, Outcome::Rejected | Outcome::Failed), "{what}: {result:?}");
        assert_eq!((what, code(&result)), (what, expected));
    }
    is_unharmed(&server, &host);
}

fn update(version: &str, manifest_sha256: &str) -> (&'static str, Value) {
    ("self_update", json!({ "version": version, "manifest_sha256": manifest_sha256 }))
}

#[test]
fn no_number_in_a_command_locks_out_those_that_come_after_it() {
    let (server, host) = guarded();
    let scripts: [(&str, Change, &str); 5] = [
        ("the last sequence there is", |command| command.sequence = u64::MAX, "sequence"),
        ("a leap", |command| command.sequence += 1 << 40, "sequence"),
        ("the last generation there is", |command| command.generation = u64::MAX, "generation"),
        ("a long name of a resource", |command| command.resource = Some("r".repeat(10_000)), "too_large"),
        ("a start that is long over", |command| command.start_by = Timestamp::MIN, "start_by_passed"),
    ];
    for (what, change, expected) in scripts {
        let id = server.job_with("run", json!({ "argv": ["/bin/true"] }), |command| {
            command.resource = Some("a resource".into());
            change(command);
        });
        let result = server.result(id);
        assert_eq!((what, result.outcome, code(&result)), (what, Outcome::Rejected, expected));
        let honest = server.job_with("run", json!({ "argv": ["/bin/true"] }), |command| {
            command.resource = Some("a resource".into());
        });
        assert_eq!(server.result(honest).outcome, Outcome::Succeeded, "after {what}");
    }
    let longest = server.job_with("run", json!({ "argv": ["/bin/true"] }), |command| {
        (command.start_by, command.time_limit_seconds) = (Timestamp::MAX, u32::MAX);
    });
    assert_eq!(server.result(longest).outcome, Outcome::Succeeded);
    is_unharmed(&server, &host);
}

#[test]
fn a_command_told_again_in_other_words_has_no_second_effect() {
    let server = Server::start();
    let host = Host::running(&server);
    let marks = host.path("marks");
    let once = server.run(&format!("echo once >> {}", marks.display()));
    assert_eq!(server.result(once).outcome, Outcome::Succeeded);
    server.wait("word that it is forgotten here", |world| {
        world.check_ins.last().filter(|check_in| !check_in.open.contains(&once)).map(drop)
    });
    let again = json!({ "argv": ["/bin/sh", "-c", format!("echo twice >> {}", marks.display())] });
    for leap in [0, 1, 100] {
        server.with(|world| {
            world.results.remove(&once);
            let command = world.jobs.iter_mut().find(|command| command.id == once).unwrap();
            command.spec = again.clone();
            command.sequence += leap;
        });
        assert_eq!(server.result(once).outcome, Outcome::Succeeded, "as it ended then");
    }
    assert_eq!(fs::read_to_string(&marks).unwrap(), "once\n");
}

#[test]
fn floods_fill_up_nothing() {
    let (server, host) = guarded();
    let flood = |count: u32| {
        (0..count).map(|_| server.job("run", json!({ "argv": ["/bin/sh", "-c", "true"] }))).collect::<Vec<_>>()
    };
    for id in flood(600) {
        assert_eq!(server.result(id).outcome, Outcome::Rejected);
    }
    let strangers = (0..3_000_u32).map(|number| JobId::new(Timestamp::now(), (1 << 70) + u128::from(number)));
    server.with(|world| world.cancels = strangers.collect());
    server.wait("cancels", |world| (world.results.len() > 1_000).then_some(()));
    server.with(|world| world.cancels.clear());
    is_unharmed(&server, &host);
}

#[test]
fn no_answer_makes_an_agent_forget_itself() {
    let (server, host) = guarded();
    let nested = || Reply::page(200, &"[".repeat(60_000)).of_kind("application/json");
    let scripts: [(&str, &str, MakeReply); 9] = [
        ("depth", "/api/v1/agent", nested),
        ("no JSON", "/api/v1/agent", || Reply::page(200, "{\"session\":").of_kind("application/json")),
        ("another type", "/api/v1/agent", || Reply::Json(200, json!({ "session": "seven", "server_time": 7 }))),
        ("a token with a line in it", "/oauth/token", || {
            Reply::Json(200, json!({ "access_token": "a\r\nx-evil: 1", "token_type": "Bearer", "expires_in": 900 }))
        }),
        ("a token that is over at once", "/oauth/token", || {
            Reply::Json(200, json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 0 }))
        }),
        ("a token for ever", "/oauth/token", || {
            Reply::Json(200, json!({ "access_token": "a", "token_type": "Bearer", "expires_in": u32::MAX }))
        }),
        ("a long complaint", "/api/v1/agent", || {
            let detail = "x".repeat(1_000_000);
            let kind = "/problems/invalid";
            Reply::Json(422, json!({ "type": kind, "title": "x", "status": 422, "code": "invalid", "detail": detail }))
        }),
        ("an endless pause", "/api/v1/agent", || {
            Reply::problem(503, "unavailable").with_header("retry-after: 99999999999999999999")
        }),
        ("a status that is none", "/api/v1/agent", || Reply::page(999, "?")),
    ];
    for (what, path, reply) in scripts {
        let asked = server.with(|world| {
            world.instead = vec![(path, reply)];
            world.token.clear();
            world.session += 1;
            world.paths.len()
        });
        server.wait(what, |world| (world.paths.len() > asked + 6).then_some(()));
        server.with(|world| world.instead.clear());
        is_unharmed(&server, &host);
    }
}

#[test]
fn a_clock_of_the_far_future_or_past_locks_nobody_out() {
    let (server, host) = guarded();
    let scripts: [MakeReply; 2] = [
        || Reply::Json(200, json!({ "session": u64::MAX, "server_time": "9999-12-30T22:00:00Z" })),
        || Reply::Json(200, json!({ "session": 0, "server_time": "-009999-01-02T01:59:59Z" })),
    ];
    for reply in scripts {
        let sessions = server.with(|world| {
            world.instead = vec![("/agent/session", reply)];
            world.token.clear();
            world.session += 1;
            world.paths.iter().filter(|path| path.contains("/session")).count()
        });
        server.wait("a session", |world| {
            (world.paths.iter().filter(|path| path.contains("/session")).count() > sessions + 1).then_some(())
        });
        server.with(|world| world.instead.clear());
        is_unharmed(&server, &host);
    }
}

#[test]
fn nobody_else_is_sent_what_is_for_the_server() {
    let (server, host) = guarded();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    server.with(|world| world.redirect_to = Some(format!("http://localhost:{port}/")));
    for path in ["/api/v1/agent/check-in", "/oauth/token"] {
        let asked = server.with(|world| {
            world.redirect = Some(path);
            world.token.clear();
            world.session += 1;
            world.paths.len()
        });
        server.wait("some calls", |world| (world.paths.len() > asked + 5).then_some(()));
    }
    server.with(|world| world.redirect = None);
    assert!(elsewhere.accept().is_err(), "somebody was sent there");
    for place in ["file:///etc/passwd", "http://192.0.2.1/blob", "ftp://localhost/blob", "gopher://x"] {
        server.with(|world| world.blob_elsewhere = Some(place.into()));
        let blob = b"#!/bin/sh\nexit 1\n".to_vec();
        let id = offer(&server, signed(&manifest("9.9.9", 7, &blob), 2), blob);
        assert_eq!(code(&server.result(id)), "preflight", "it came through the server: {place}");
    }
    is_unharmed(&server, &host);
}

#[test]
fn no_answer_of_a_host_holds_its_key() {
    let (server, host) = guarded();
    let identity: Value = serde_json::from_slice(&fs::read(host.path("identity.json")).unwrap()).unwrap();
    let key = identity["key"].as_str().unwrap().to_owned();
    let id = server.job("inspect", json!({}));
    let result = json!(server.result(id)).to_string();
    let asked = server.with(|world| format!("{:?}{:?}{:?}", world.sessions, world.check_ins, world.paths));
    assert!(key.len() > 30 && !result.contains(&key) && !asked.contains(&key));
}
