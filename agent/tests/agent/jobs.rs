//! Jobs over a bad line, in processes that are killed.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use muster_schemas::jobs::Outcome;
use serde_json::json;

use crate::world::{
    host::{Host, bounded, lines},
    http::Reply,
    server::{MakeReply, Server},
};

#[test]
fn a_job_runs_once_although_every_answer_about_it_is_lost() {
    let server = Server::start();
    let host = Host::joined(&server);
    let marks = host.path("marks");
    let cuts = ["session", "check-in", "token", "#accepted", "#started", "#finished", "#finished"];
    server.with(|world| world.cuts = cuts.map(Into::into).into());
    let id = server.run(&format!("echo once >> {}; echo said", marks.display()));
    let mut host = host;
    host.start();
    let result = server.result(id);
    assert_eq!((result.outcome, result.exit_code, lines(&marks)), (Outcome::Succeeded, Some(0), 1));
    assert_eq!(server.with(|world| world.output[&id].clone()), "said\n");
    server.assert_host_works();
    assert!(server.with(|world| world.cuts.is_empty()));
    assert_eq!(lines(&marks), 1);
}

#[test]
fn a_job_cut_off_by_kill_9_is_reported_interrupted_and_not_run_again() {
    for who in ["supervisor", "worker"] {
        let server = Server::start();
        let mut host = Host::running(&server);
        let marks = host.path("marks");
        let lock = host.path("alive");
        fs::write(&lock, "").unwrap();
        let (marks_path, lock_path) = (marks.display(), lock.display());
        let id = server.run(&format!("exec 3<{lock_path}; flock 3; echo once >> {marks_path}; echo up; sleep 1000"));
        server.wait("output", |world| world.output.get(&id).map(drop));
        if who == "worker" {
            host.kill_worker();
        } else {
            host.kill_supervisor();
            host.wait_for_no_worker();
            host.start();
        }
        let result = server.result(id);
        let code = result.error.map(|error| error.code);
        assert_eq!((result.outcome, code.as_deref()), (Outcome::Interrupted, Some("agent_restarted")));
        server.assert_host_works();
        assert_eq!(lines(&marks), 1);
        let file = fs::File::open(lock).unwrap();
        bounded("the job's end", move || file.lock().unwrap());
    }
}

#[test]
fn what_a_job_printed_before_a_kill_9_is_told_after_it_just_once() {
    let server = Server::start();
    let mut host = Host::running(&server);
    let (go, printed) = (host.path("go"), host.path("printed"));
    let wait = format!("while [ ! -e {} ]; do sleep 0.02; done", go.display());
    let id =
        server.run(&format!("echo told; {wait}; printf 'kept\\nkept too\\n'; touch {}; sleep 1000", printed.display()));
    server.wait("output", |world| world.output.get(&id).map(drop));
    server.with(|world| world.instead = vec![("/events", || Reply::page(502, "<html>Bad Gateway</html>"))]);
    fs::write(&go, "").unwrap();
    let spool = host.path("spool").join(id.to_string());
    bounded("output in the spool", move || while !(printed.exists() && all_of(&spool).contains("kept too")) {});
    host.kill_supervisor();
    host.wait_for_no_worker();
    server.with(|world| world.instead.clear());
    host.start();
    assert_eq!(server.result(id).outcome, Outcome::Interrupted);
    assert_eq!(server.with(|world| world.output[&id].clone()), "told\nkept\nkept too\n");
    let spooled = server.with(|world| world.sessions.last().map(|session| session.upstreams[0].spooled_bytes));
    assert!(spooled.is_some_and(|bytes| bytes > 0), "operators see what waited: {spooled:?}");
    let numbers = server.with(|world| world.sequences.iter().map(|((_, id), last)| (*id, *last)).collect::<Vec<_>>());
    let numbers = numbers.into_iter().filter_map(|(of, last)| (of == id).then_some(last)).collect::<Vec<_>>();
    assert_eq!(numbers, [5, 1], "the first process's own numbers, and the second's result");
    server.assert_host_works();
    let spool = host.path("spool");
    bounded("an empty spool", move || while fs::read_dir(&spool).unwrap().next().is_some() {});
}

#[test]
fn a_long_output_keeps_its_beginning_and_its_end_and_the_rest_is_counted() {
    let server = Server::start();
    let host = Host::running(&server);
    let id = server.run("seq 300000; printf 'a\\0\\377b'; echo 'ERROR: the disk is full' >&2; exit 1");
    let result = server.result(id);
    let (text, cut) = server.with(|world| (world.output[&id].clone(), world.lost[&id]));
    let printed = (1..=300_000).fold(String::new(), |text, number| text + &number.to_string() + "\n");
    assert_eq!(text.len(), 1024 * 1024);
    assert!(
        printed.starts_with(&text[..256 * 1024]) && text.contains("ERROR: the disk is full"),
        "{}",
        &text[text.len() - 99..]
    );
    assert!(text.contains("a\0\u{fffd}b"));
    assert_eq!(result.output_bytes, (printed.len() + 6 + 24) as u64, "counted as it stands in a log");
    assert_eq!((cut + 1024 * 1024, result.output_truncated), (result.output_bytes, true));
    server.assert_host_works();
    drop(host);
}

#[test]
fn that_the_end_of_a_long_output_is_gone_with_the_agent_is_told() {
    let server = Server::start();
    let mut host = Host::running(&server);
    let printed = host.path("printed");
    let id = server.run(&format!("seq 100000; touch {}; sleep 1000", printed.display()));
    server.wait("the beginning", |world| world.output.get(&id).filter(|text| text.len() == 256 * 1024).map(drop));
    bounded("all of it", move || while !printed.exists() {});
    host.kill_supervisor();
    host.wait_for_no_worker();
    host.start();
    assert_eq!(server.result(id).outcome, Outcome::Interrupted);
    assert_eq!(server.with(|world| (world.output[&id].len(), world.lost.get(&id).copied())), (256 * 1024, Some(0)));
}

fn all_of(folder: &Path) -> String {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect()
}

#[test]
fn a_worker_ends_with_its_supervisor_and_takes_its_jobs_along() {
    let server = Server::start();
    let mut host = Host::running(&server);
    let lock = host.path("alive");
    fs::write(&lock, "").unwrap();
    let id = server.run(&format!("exec 3<{0}; flock 3; echo up; sleep 1000", lock.display()));
    server.wait("output", |world| world.output.get(&id).map(drop));
    host.kill_supervisor();
    host.wait_for_no_worker();
    let file = fs::File::open(lock).unwrap();
    bounded("the job's end", move || file.lock().unwrap());
}

#[test]
fn what_was_received_before_a_kill_and_not_started_runs_once_after_it() {
    let server = Server::start();
    let mut host = Host::joined(&server);
    let marks = host.path("marks");
    // Acceptance never gets through, so that it cannot start.
    server.with(|world| world.instead = vec![("/events", || Reply::Cut)]);
    let id = server.run(&format!("echo once >> {}", marks.display()));
    host.start();
    server.wait("the job in the journal", |world| {
        world.check_ins.iter().any(|check_in| check_in.open.contains(&id)).then_some(())
    });
    assert_eq!(lines(&marks), 0);
    host.kill_supervisor();
    host.wait_for_no_worker();
    server.with(|world| world.instead.clear());
    host.start();
    assert_eq!((server.result(id).outcome, lines(&marks)), (Outcome::Succeeded, 1));
}

#[test]
fn a_late_offer_of_a_job_that_was_cancelled_does_not_run() {
    let server = Server::start();
    let host = Host::joined(&server);
    let marks = host.path("marks");
    let id = server.run(&format!("echo ran >> {}", marks.display()));
    let late = server.with(|world| {
        world.cancels.push(id);
        world.jobs.pop().unwrap()
    });
    let mut host = host;
    host.start();
    let first = server.result(id);
    assert_eq!(first.outcome, Outcome::Cancelled);
    // The server forgets the result and offers the job after all, to this process and to the next.
    for _ in 0..2 {
        server.with(|world| {
            world.results.clear();
            world.cancels.clear();
            world.jobs = vec![late.clone()];
        });
        assert_eq!(server.result(id).outcome, Outcome::Cancelled);
        host.kill_supervisor();
        host.wait_for_no_worker();
        host.start();
    }
    assert_eq!(lines(&marks), 0);
}

#[test]
fn a_running_job_is_cancelled_with_everything_it_started() {
    let server = Server::start();
    let _host = Host::running(&server);
    let id = server.run("trap '' TERM; (trap '' TERM; sleep 1000) & echo up; wait; wait; sleep 1000");
    server.wait("output", |world| world.output.get(&id).map(drop));
    server.with(|world| world.cancels.push(id));
    assert_eq!(server.result(id).outcome, Outcome::Cancelled);
}

#[test]
fn what_the_policy_does_not_allow_and_what_is_late_or_unknown_is_rejected() {
    let server = Server::start();
    let mut host = Host::joined(&server);
    fs::write(host.path("policy.toml"), "[allow]\nrun = [\"/bin/true\"]\n").unwrap();
    let forbidden = server.run("true");
    let unknown = server.job("format_disk", json!({}));
    let late = server.job("run", json!({ "argv": ["/bin/true"] }));
    server.with(|world| world.jobs[2].start_by = Timestamp::now() - SignedDuration::from_secs(1));
    let foreign = server.job("run", json!({ "argv": ["/bin/true"] }));
    server.with(|world| world.jobs[3].host_id = muster_schemas::ids::HostId::new(Timestamp::now(), 99));
    let allowed = server.job("run", json!({ "argv": ["/bin/true"] }));
    host.start();
    let told = |id| {
        let result = server.result(id);
        (result.outcome, result.error.map(|error| error.code).unwrap_or_default())
    };
    assert_eq!(told(forbidden), (Outcome::Rejected, "policy".into()));
    assert_eq!(told(unknown), (Outcome::Rejected, "unknown_kind".into()));
    assert_eq!(told(late), (Outcome::Rejected, "start_by_passed".into()));
    assert_eq!(told(allowed), (Outcome::Succeeded, String::new()));
    server.assert_host_works();
    assert!(server.with(|world| !world.accepted.contains(&foreign) && !world.results.contains_key(&foreign)));
}

#[test]
fn a_superseded_session_is_replaced_and_the_work_goes_on() {
    let server = Server::start();
    let _host = Host::running(&server);
    server.assert_host_works();
    server.with(|world| world.session += 1);
    server.assert_host_works();
    let same_process = server.with(|world| {
        world.sessions.iter().all(|session| session.agent.process_id == world.sessions[0].agent.process_id)
    });
    assert!(same_process);
}

#[test]
fn a_server_that_was_put_back_may_count_its_sessions_anew() {
    let server = Server::start();
    let host = Host::running(&server);
    let gate = host.path("gate");
    let id = server.run(&format!("mkfifo {0}; echo up; read x < {0}", gate.display()));
    server.wait("output", |world| world.output.get(&id).map(drop));
    let sessions = server.with(|world| {
        world.instead = vec![("/events", || Reply::problem(409, "session_superseded"))];
        // The next one has the number of the one that is over.
        world.session -= 1;
        world.sessions.len()
    });
    fs::write(&gate, "go\n").unwrap();
    server.wait("a session", |world| (world.sessions.len() > sessions).then_some(()));
    server.with(|world| world.instead.clear());
    assert_eq!(server.result(id).outcome, Outcome::Succeeded);
}

#[test]
fn a_captive_portal_and_a_refused_token_are_survived() {
    let server = Server::start();
    let _host = Host::running(&server);
    server.assert_host_works();
    let portal = || Reply::page(200, "<html>Log in</html>");
    // What only the server may say, said by a page.
    let retired = || Reply::page(410, r#"{"type":"","title":"","status":410,"code":"host_retired"}"#);
    let refused = || Reply::problem(401, "unauthorized");
    for instead in [portal as MakeReply, retired, refused] {
        let seen = server.with(|world| {
            world.instead = vec![("/api/v1/agent", instead)];
            world.session += 1;
            world.paths.len()
        });
        server.wait("some attempts", |world| (world.paths.len() > seen + 5).then_some(()));
        server.with(|world| world.instead.clear());
        server.assert_host_works();
    }
}

#[test]
fn a_token_that_is_not_valid_any_more_is_replaced() {
    let server = Server::start();
    let _host = Host::running(&server);
    server.assert_host_works();
    server.with(|world| world.token = "revoked".into());
    server.assert_host_works();
}

#[test]
fn a_retired_host_stops_for_good() {
    let server = Server::start();
    let mut host = Host::running(&server);
    server.assert_host_works();
    server.with(|world| {
        world.instead = vec![("check-in", || Reply::problem(410, "host_retired"))];
        world.session += 1;
    });
    assert!(host.wait_for_end().success());
    server.with(|world| world.instead.clear());
    let sessions = server.with(|world| world.sessions.len());
    host.start();
    assert!(host.wait_for_end().success());
    assert_eq!(server.with(|world| world.sessions.len()), sessions);
}

#[test]
fn a_stopped_agent_cuts_jobs_off_and_says_so_later() {
    let server = Server::start();
    let mut host = Host::running(&server);
    let id = server.run("sleep 1000");
    server.wait("a start", |world| world.started.contains(&id).then_some(()));
    assert!(host.stop().success());
    host.start();
    let result = server.result(id);
    assert_eq!((result.outcome, result.error.unwrap().code.as_str()), (Outcome::Interrupted, "agent_stopped"));
}

#[test]
fn enrolment_asked_again_uses_the_same_key_and_prints_no_secret() {
    let server = Server::start();
    let host = Host::joined(&server);
    let key = |host: &Host| fs::read_to_string(host.path("identity.json")).unwrap();
    let before = key(&host);
    let again = host.command("enroll").args(["--server", &server.url(), "--token", "secret-text"]).output().unwrap();
    assert_eq!(key(&host), before);
    let printed = [again.stdout, again.stderr].concat();
    assert!(!String::from_utf8_lossy(&printed).contains("secret-text"));
    let elsewhere = host.command("enroll").args(["--server", "http://127.0.0.1:1", "--token", "x"]).output().unwrap();
    assert!(!elsewhere.status.success());
    let plain = host.command("enroll").args(["--server", "http://192.0.2.1", "--token", "x"]).output().unwrap();
    assert!(!plain.status.success());
}

#[test]
fn the_token_of_the_environment_has_a_name_of_its_own_and_the_old_one_counts_only_for_what_is_one() {
    let server = Server::start();
    let says = |name: &str, token: &str| {
        let host = Host::installed();
        let output = host.command("enroll").args(["--server", &server.url()]).env(name, token).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(says("MUSTER_ENROLLMENT_TOKEN", "secret-text"), (true, String::new()));
    let (joined, said) = says("MUSTER_TOKEN", "met_secret-text");
    assert!(joined && said.contains("MUSTER_ENROLLMENT_TOKEN") && !said.contains("met_"), "{said}");
    let (joined, said) = says("MUSTER_TOKEN", "mst_secret-text");
    assert!(!joined && said.contains("MUSTER_ENROLLMENT_TOKEN") && !said.contains("mst_"), "{said}");
}
