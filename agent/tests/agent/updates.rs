//! Updates of the agent: good ones, bad ones, forged ones, and kills at every step.

use std::fs;

use muster_agent::versions::pointer::{Choice, Installed, Phase, Pointer, Update};
use muster_schemas::{
    envelopes::sha256_hex,
    ids::JobId,
    jobs::{JobResult, Outcome},
    releases::{Manifest, Target, VERSION_MARK, VERSION_MARK_END},
    reports::UpdateOutcome,
};

use crate::world::{
    host::{AGENT, Host, bounded},
    http::Reply,
    releases::{good_agent, manifest, offer, script, signed, trust},
    server::{PATIENCE, Server, World},
};

const VERSION: &str = muster_agent::version::VERSION;

fn joined() -> (Server, Host) {
    let server = Server::start();
    let host = Host::joined(&server);
    trust(&host);
    (server, host)
}

fn started() -> (Server, Host) {
    let (server, mut host) = joined();
    host.start();
    server.assert_host_works();
    (server, host)
}

fn code(result: &JobResult) -> &str {
    result.error.as_ref().map_or("", |error| &error.code)
}

fn offer_good(server: &Server) -> JobId {
    let blob = good_agent();
    offer(server, signed(&manifest(VERSION, 7, &blob), 2), blob)
}

fn is_new(world: &World) -> bool {
    world.reports.last().is_some_and(|report| report.executable_sha256 == sha256_hex(&good_agent()))
}

#[test]
fn a_good_release_is_tried_committed_and_told() {
    let (server, mut host) = started();
    let id = offer_good(&server);
    let result = server.result(id);
    assert_eq!((result.outcome, code(&result)), (Outcome::Succeeded, ""));
    let told = server.wait("the commit to be told", |world| {
        world.reports.last().filter(|report| report.committed && report.last_update.is_some()).cloned()
    });
    let last = told.last_update.unwrap();
    assert_eq!((last.outcome, last.transaction, last.tries), (UpdateOutcome::Committed, id, 1));
    assert_eq!(told.executable_sha256, sha256_hex(&good_agent()));
    assert!(server.with(|world| world.reports.iter().any(|report| !report.committed)), "it was on trial first");
    server.assert_host_works();
    assert!(host.stop().success());
    host.start();
    server.assert_host_works();
    assert!(server.with(|world| is_new(world)), "a restart brings it back");
}

#[test]
fn a_broken_off_download_is_resumed_where_it_broke_off() {
    let (server, _host) = started();
    server.with(|world| world.blob_cut = Some(1_000_000));
    let id = offer_good(&server);
    assert_eq!(server.result(id).outcome, Outcome::Succeeded);
    let asked = server.with(|world| world.paths.iter().filter(|path| *path == "blob asked").count());
    assert_eq!(asked, 2);
}

#[test]
fn a_server_that_is_away_when_its_manifest_is_asked_for_is_asked_again() {
    let (server, _host) = started();
    server.with(|world| world.cuts = vec!["/manifest".into(); 2]);
    let id = offer_good(&server);
    let result = server.result(id);
    assert_eq!((result.outcome, code(&result)), (Outcome::Succeeded, ""));
}

fn asked_for_blobs(server: &Server) -> usize {
    server.with(|world| world.paths.iter().filter(|path| *path == "blob asked").count())
}

#[test]
fn a_file_that_comes_in_parts_is_put_together() {
    let (server, _host) = started();
    let part = good_agent().len() / 3 + 1;
    server.with(|world| world.blob_part = Some(part));
    let id = offer_good(&server);
    assert_eq!(server.result(id).outcome, Outcome::Succeeded);
    assert_eq!(asked_for_blobs(&server), 3);
}

#[test]
fn parts_that_bring_nothing_do_not_keep_a_host_asking() {
    let (server, _host) = started();
    server.with(|world| world.blob_part = Some(0));
    let id = offer_good(&server);
    assert_eq!((server.result(id).outcome, asked_for_blobs(&server)), (Outcome::Failed, 1));
}

#[test]
fn where_the_object_store_cannot_be_reached_the_server_sends_the_file_itself() {
    let (server, _host) = started();
    // Nobody listens there.
    server.with(|world| world.blob_elsewhere = Some("http://127.0.0.1:1/bucket/blob".into()));
    let id = offer_good(&server);
    assert_eq!(server.result(id).outcome, Outcome::Succeeded);
    assert_eq!(asked_for_blobs(&server), 2, "once elsewhere, once through the server");
}

#[test]
fn what_is_not_signed_for_this_host_is_refused_before_it_is_executed() {
    let (server, host) = started();
    let mark = host.path("executed");
    let blob = format!("#!/bin/sh\necho ran >> {}\n", mark.display()).into_bytes();
    let good = || manifest("9.9.9", 7, &blob);
    let target = |target: Target| Manifest { targets: vec![target], ..good() };
    let of = |os: &str, arch: &str| Target { os: os.into(), arch: arch.into(), ..good().targets[0].clone() };
    let mut unsigned = signed(&good(), 2);
    unsigned.signatures.clear();
    let flipped = |bit: usize| {
        let mut bytes = blob.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    let size = |size: u64| signed(&target(Target { size, ..good().targets[0].clone() }), 2);
    let cases = [
        ("unsigned", unsigned, blob.clone(), "signature"),
        ("another key", signed(&good(), 3), blob.clone(), "signature"),
        ("the root key", signed(&good(), 1), blob.clone(), "signature"),
        ("another system", signed(&target(of("windows", std::env::consts::ARCH)), 2), blob.clone(), "platform"),
        ("another processor", signed(&target(of("linux", "riscv64")), 2), blob.clone(), "platform"),
        ("another product", signed(&Manifest { product: "other".into(), ..good() }, 2), blob.clone(), "platform"),
        ("truncated", signed(&good(), 2), blob[..blob.len() - 1].to_vec(), "size"),
        ("one byte over", signed(&good(), 2), [&blob[..], b"x"].concat(), "size"),
        ("a smaller signed size", size(blob.len() as u64 - 1), blob.clone(), "size"),
        ("the first bit", signed(&good(), 2), flipped(0), "digest"),
        ("the last bit", signed(&good(), 2), flipped(blob.len() * 8 - 1), "digest"),
        ("an older manifest", signed(&Manifest { manifest_version: 6, ..good() }, 2), blob.clone(), "rollback"),
        ("revoked", signed(&Manifest { revoked: vec!["9.9.9".into()], ..good() }, 2), blob.clone(), "revoked"),
    ];
    for (what, envelope, bytes, expected) in cases {
        let id = offer(&server, envelope, bytes);
        let result = server.result(id);
        assert_eq!((what, result.outcome, code(&result)), (what, Outcome::Failed, expected));
        assert!(!result.error.unwrap().message.is_empty());
        let told = |world: &mut World| world.reports.last()?.last_update.clone().filter(|last| last.transaction == id);
        assert_eq!(server.wait("the refusal to be told", told).outcome, UpdateOutcome::Refused);
    }
    server.assert_host_works();
    assert!(!mark.exists());
    assert_eq!(Pointer::load(host.state.path()).unwrap(), Pointer::default());
}

#[test]
fn without_a_root_of_trust_nothing_is_updated() {
    let server = Server::start();
    let _host = Host::running(&server);
    let id = offer_good(&server);
    assert_eq!(code(&server.result(id)), "no_trust_root");
    server.assert_host_works();
}

#[test]
fn a_preflight_that_fails_or_says_another_version_is_refused() {
    let (server, _host) = started();
    for blob in [
        b"#!/bin/sh\nexit 3\n".to_vec(),
        script("9.9.8", "exit 0"),
        b"#!/bin/sh\nyes\n".to_vec(),
        b"not a program at all".to_vec(),
    ] {
        let id = offer(&server, signed(&manifest("9.9.9", 7, &blob), 2), blob);
        assert_eq!(code(&server.result(id)), "preflight");
        server.assert_host_works();
    }
}

#[test]
fn a_bad_version_is_undone_with_the_reason_and_its_last_words() {
    let (server, mut host) = joined();
    host.deadline_seconds = "3";
    host.start();
    for (work, reason, words) in [
        (
            "echo first >&2; seq 100000 >&2; echo 'I give up' >&2; exit 1",
            "it ended before it was committed",
            "I give up",
        ),
        ("exit 0", "it ended before it was committed", ""),
        ("kill -SEGV $$", "it ended before it was committed", ""),
        ("echo ready 1.0.0; exec sleep 1000", "it reports version", ""),
        ("echo ready 9.9.9; echo contact; echo 'I hang' >&2; exec sleep 1000", "answered by the server", "I hang"),
        ("echo commit; echo contact; exec sleep 1000", "answered by the server", ""),
        ("yes; exec sleep 1000", "it was not answered by the server in time; the old version was", ""),
    ] {
        let blob = script("9.9.9", work);
        let id = offer(&server, signed(&manifest("9.9.9", 7, &blob), 2), blob);
        let result = server.result(id);
        assert_eq!((work, result.outcome, code(&result)), (work, Outcome::Failed, "rolled_back"));
        let message = result.error.unwrap().message;
        assert!(message.contains(reason) && message.contains(words) && message.len() <= 4096, "{work}: {message}");
        server.assert_host_works();
        assert_eq!(Pointer::load(host.state.path()).unwrap(), Pointer::default());
    }
}

#[test]
fn when_nobody_is_answered_nothing_is_concluded() {
    let (server, mut host) = joined();
    (host.contact_seconds, host.deadline_seconds) = ("0.5", "10");
    host.start();
    server.assert_host_works();
    server.with(|world| world.silent_from = Some(sha256_hex(&good_agent())));
    let id = offer_good(&server);
    wait_for(&server, &host, "nothing is concluded", |_, host| {
        fs::read_to_string(host.path("update.json")).is_ok_and(|text| text.contains("inconclusive"))
    });
    server.with(|world| (world.silent, world.silent_from) = (false, None));
    let result = server.result(id);
    assert_eq!((result.outcome, code(&result)), (Outcome::Failed, "inconclusive"));
    server.assert_host_works();
}

#[test]
fn an_installed_version_that_was_changed_is_not_started() {
    let (server, mut host) = started();
    assert_eq!(server.result(offer_good(&server)).outcome, Outcome::Succeeded);
    host.kill_supervisor();
    host.wait_for_no_worker();
    let Choice::Installed(installed) = Pointer::load(host.state.path()).unwrap().committed else { unreachable!() };
    let binary = installed.binary(host.state.path()).unwrap();
    let mut bytes = fs::read(&binary).unwrap();
    bytes.extend_from_slice(b"!");
    fs::write(&binary, bytes).unwrap();
    host.start();
    server.assert_host_works();
    let running = server.with(|world| world.reports.last().unwrap().executable_sha256.clone());
    assert_eq!(running, sha256_hex(&fs::read(&*AGENT).unwrap()), "the factory's version runs");
}

#[test]
fn a_crash_between_the_commit_and_its_record_is_settled_by_the_commit() {
    let (server, mut host) = started();
    let id = offer_good(&server);
    assert_eq!(server.result(id).outcome, Outcome::Succeeded);
    host.kill_supervisor();
    host.wait_for_no_worker();
    let mut update = Update::load(host.state.path()).unwrap().unwrap();
    update.phase = Phase::OnTrial;
    update.save(host.state.path()).unwrap();
    host.start();
    server.assert_host_works();
    let settled = Update::load(host.state.path()).unwrap().unwrap();
    assert_eq!((settled.phase, settled.tries), (Phase::Committed, 1));
    assert!(server.with(|world| is_new(world)));
}

#[test]
fn damaged_records_of_updates_stop_neither_the_agent_nor_the_next_update() {
    let (server, mut host) = joined();
    for name in ["current.json", "update.json"] {
        fs::write(host.path(name), "{").unwrap();
    }
    host.start();
    server.assert_host_works();
    assert_eq!(server.result(offer_good(&server)).outcome, Outcome::Succeeded);
}

#[test]
fn a_typing_error_in_the_settings_undoes_no_committed_version() {
    let (server, host) = started();
    assert_eq!(server.result(offer_good(&server)).outcome, Outcome::Succeeded);
    server.wait("the commit to be told", |world| world.reports.last().filter(|report| report.committed).map(drop));
    let committed = Pointer::load(host.state.path()).unwrap();
    fs::write(host.path("agent.toml"), "typing error").unwrap();
    let mut ends = 0;
    let mut last = None;
    host.kill_worker();
    while ends < 5 {
        let worker = host.worker();
        ends += u32::from(worker.is_none() && last.is_some());
        last = worker;
        std::thread::yield_now();
    }
    fs::write(host.path("agent.toml"), "").unwrap();
    server.assert_host_works();
    assert_eq!(Pointer::load(host.state.path()).unwrap(), committed);
}

#[test]
fn a_server_that_never_stops_sending_is_cut_off_at_the_first_byte_too_many() {
    let (server, _host) = started();
    server.with(|world| world.instead = vec![("/blobs/", endless)]);
    let id = offer(&server, signed(&manifest("9.9.9", 7, b"short"), 2), Vec::new());
    assert_eq!(code(&server.result(id)), "size");
}

fn endless() -> Reply {
    let (kind, headers) = ("application/octet-stream", String::new());
    Reply::Raw { status: 200, kind, headers, body: b"short and more".to_vec(), claimed: 1 << 40 }
}

#[test]
fn a_committed_version_that_ends_five_times_is_undone() {
    let (server, host) = started();
    let id = offer_good(&server);
    assert_eq!(server.result(id).outcome, Outcome::Succeeded);
    server.wait("the commit to be told", |world| world.reports.last().filter(|report| report.committed).map(drop));
    for _ in 0..5 {
        let sessions = server.with(|world| world.sessions.len());
        host.kill_worker();
        server.wait("another start", |world| (world.sessions.len() > sessions).then_some(()));
    }
    let report = server.with(|world| world.reports.last().cloned()).unwrap();
    let last = report.last_update.unwrap();
    assert_eq!((last.outcome, last.transaction), (UpdateOutcome::RolledBack, id));
    assert_eq!(Pointer::load(host.state.path()).unwrap(), Pointer::default());
    assert!(!server.with(|world| is_new(world)));
}

#[test]
fn a_version_that_is_deaf_to_everything_does_not_outlive_its_supervisor_for_long() {
    let (server, mut host) = joined();
    host.deadline_seconds = "3";
    host.start();
    let lock = host.path("alive");
    fs::write(&lock, "").unwrap();
    let work = format!("trap '' TERM HUP; exec 3<{}; flock 3; touch {0}.up; exec sleep 1000", lock.display());
    let blob = script("9.9.9", &work);
    let id = offer(&server, signed(&manifest("9.9.9", 7, &blob), 2), blob);
    wait_for(&server, &host, "it is up", |_, host| host.path("alive.up").exists());
    host.kill_supervisor();
    host.start();
    assert_eq!(code(&server.result(id)), "rolled_back");
    server.assert_host_works();
    let file = fs::File::open(lock).unwrap();
    bounded("its end", move || file.lock().unwrap());
}

/// Whether a step is reached.
type Reached = fn(&mut World, &Host) -> bool;

/// What a test can see of an update's way, in order.
const STEPS: [(&str, Reached); 6] = [
    ("the manifest was asked for", |world, _| world.paths.iter().any(|path| path.ends_with("/manifest"))),
    ("the file was asked for", |world, _| world.paths.iter().any(|path| path == "blob asked")),
    ("it is installed", |_, host| fs::read_dir(host.path("versions")).is_ok_and(|found| found.count() > 0)),
    ("it is armed", |_, host| host.path("update.json").exists()),
    ("it has started", |world, _| is_new(world)),
    ("it is committed", |_, host| host.path("current.json").exists()),
];

#[test]
fn a_kill_at_any_step_leaves_exactly_one_good_version() {
    for (step, reached) in STEPS {
        for who in ["worker", "supervisor"] {
            let (server, mut host) = started();
            let id = offer_good(&server);
            wait_for(&server, &host, step, reached);
            if who == "worker" {
                host.kill_worker();
            } else {
                host.kill_supervisor();
                host.wait_for_no_worker();
                host.start();
            }
            let result = server.result(id);
            let fate = (result.outcome, code(&result).to_owned());
            server.assert_host_works();
            let committed = Pointer::load(host.state.path()).unwrap().committed;
            let good = Choice::Installed(Installed { version: VERSION.into(), sha256: sha256_hex(&good_agent()) });
            match fate {
                (Outcome::Succeeded, _) => assert_eq!(committed, good, "{who} killed when {step}"),
                (Outcome::Failed, code) => {
                    assert!(["no_attempt", "rolled_back"].contains(&code.as_str()), "{who} killed when {step}: {code}");
                    assert_eq!(committed, Choice::Factory, "{who} killed when {step}");
                }
                other => panic!("{who} killed when {step}: {other:?}"),
            }
            assert!(host.stop().success());
            host.start();
            server.assert_host_works();
        }
    }
}

/// Files change without a word: looked at whenever the server hears something, and in between.
fn wait_for(server: &Server, host: &Host, step: &str, reached: Reached) {
    let until = std::time::Instant::now() + PATIENCE;
    while !server.with(|world| reached(world, host)) {
        assert!(std::time::Instant::now() < until, "waited in vain until {step}");
        std::thread::yield_now();
    }
}

#[test]
fn the_agents_file_says_which_version_it_is_without_being_run() {
    let file = std::fs::read(env!("CARGO_BIN_EXE_muster-agent")).unwrap();
    let lines = file.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(VERSION_MARK.as_bytes()));
    let versions = lines.filter_map(|line| line.strip_suffix(VERSION_MARK_END.as_bytes()));
    assert_eq!(versions.collect::<Vec<_>>(), [VERSION.as_bytes()]);
    let asked = std::process::Command::new(env!("CARGO_BIN_EXE_muster-agent")).arg("--version").output().unwrap();
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(said.starts_with(&format!("muster-agent {VERSION} (")), "{said}");
}

#[test]
fn a_job_that_an_update_cuts_off_says_so_and_names_the_update() {
    let (server, mut host) = joined();
    host.environment = vec![("MUSTER_AGENT_DRAIN_SECONDS", "0.2".into())];
    host.start();
    let job = server.run("sleep 1000");
    server.wait("a start", |world| world.started.contains(&job).then_some(()));
    let update = offer_good(&server);
    let result = server.result(job);
    let told = result.error.as_ref().map_or("", |error| &error.message);
    assert_eq!((result.outcome, code(&result)), (Outcome::Interrupted, "agent_stopped"));
    assert!(told.contains(&format!("the update of the agent to {VERSION} waited 0.2 s")), "{told}");
    assert_eq!(server.result(update).outcome, Outcome::Succeeded);
}

#[test]
fn an_update_waits_for_a_running_job_unless_it_is_told_how_long() {
    let (server, host) = started();
    let go = host.path("go");
    let job = server.run(&format!("while [ ! -e {} ]; do sleep 0.05; done", go.display()));
    server.wait("a start", |world| world.started.contains(&job).then_some(()));
    let update = offer_good(&server);
    let state = host.state.path().to_owned();
    bounded("an armed update", move || {
        while !Update::load(&state).unwrap().is_some_and(|update| update.phase == Phase::Armed) {}
    });
    fs::write(go, "").unwrap();
    assert_eq!(server.result(job).outcome, Outcome::Succeeded);
    assert_eq!(server.result(update).outcome, Outcome::Succeeded);
}

#[test]
fn a_stop_while_an_update_waits_for_jobs_asks_them_to_end_and_lets_them() {
    let (server, mut host) = started();
    let asked = host.path("asked");
    let script = format!("trap 'echo asked > {}; exit 3' TERM; while :; do sleep 0.05; done", asked.display());
    let job = server.run(&script);
    server.wait("a start", |world| world.started.contains(&job).then_some(()));
    offer_good(&server);
    let state = host.state.path().to_owned();
    bounded("an armed update", move || {
        while !Update::load(&state).unwrap().is_some_and(|update| update.phase == Phase::Armed) {}
    });
    assert!(host.stop().success());
    assert_eq!(fs::read_to_string(asked).unwrap(), "asked\n");
}
