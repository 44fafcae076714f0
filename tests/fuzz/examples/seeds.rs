//! Writes what each corpus begins with: golden samples put into the shape that a target takes, and edges made by hand.
//!
//! `cargo run -p muster-fuzz --example seeds`

use std::{fs, io, path::Path};

use muster_fuzz::{known_signed, roots};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    for (target, seeds) in seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), seed)?;
        }
    }
    Ok(())
}

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/samples").join(name).with_extension("json");
    let text = fs::read_to_string(path).expect("there is such a sample");
    serde_json::from_str(&text).expect("a sample is JSON")
}

fn seeds() -> Vec<(&'static str, Vec<String>)> {
    vec![
        ("check_in", check_ins()),
        ("commands", commands()),
        ("config", configs()),
        ("cursor", cursors()),
        ("envelope", known_signed().iter().map(|envelope| json!(envelope).to_string()).collect()),
        ("events", events()),
        ("fleet_update", fleet_updates()),
        ("journal", journals()),
        ("manifest", vec![sample("manifest").to_string()]),
        ("messages", messages()),
        ("outbox", outboxes()),
        ("spool", spools()),
        ("pointer", pointers()),
        ("policy", policies()),
        ("root", root_pairs()),
    ]
}

const AT: [&str; 4] =
    ["2026-03-02T12:00:00Z", "2026-03-02T12:10:00Z", "2026-03-02T13:00:00Z", "9999-12-30T22:00:00.999999999Z"];

fn job_request() -> Value {
    let mut request = sample("job_request");
    request["selector"] = Value::Null;
    request["spec"]["output_limit_bytes"] = json!(100);
    request
}

fn check_ins() -> Vec<String> {
    let mut check_in = sample("check_in_request");
    check_in["session"] = json!(1);
    let mut second = sample("session_request");
    second["agent"]["process_id"] = json!("prc_00000000000000000000000000");
    let story = json!([
        { "at": AT[0], "session": sample("session_request") },
        { "at": AT[0], "check_in": check_in },
        { "at": AT[1], "job": job_request() },
        { "at": AT[1], "check_in": check_in },
        { "at": AT[2], "session": second },
        { "at": AT[2], "session": sample("session_request") },
        { "at": AT[2], "readmit": "looked" },
        { "at": AT[3], "session": second },
        { "at": AT[3], "retire": true },
        { "at": AT[3], "check_in": check_in },
    ]);
    let cancels = json!([
        { "at": AT[1], "job": job_request() },
        { "at": AT[1], "cancel": "job_01KJQ796QG0000000000000001" },
        { "at": AT[2], "remove": "job_01KJQ796QG0000000000000001" },
        { "at": AT[2], "quarantine": "wrong bytes" },
        { "at": AT[2], "retire": false },
    ]);
    let mut not_begun = check_in.clone();
    not_begun["session"] = json!(99);
    let ahead = json!([
        { "at": AT[0], "session": sample("session_request") },
        { "at": AT[0], "check_in": not_begun },
        { "at": AT[0], "check_in": check_in },
    ]);
    vec![story.to_string(), cancels.to_string(), ahead.to_string()]
}

fn commands() -> Vec<String> {
    let mut twice = sample("check_in_response");
    let mut other = sample("command");
    other["id"] = json!("job_01KJQ6PSG0DRSNYJN0TRKP6Y1W");
    other["sequence"] = json!(43);
    other["spec"] =
        json!({ "argv": ["/usr/bin/uptime"], "environment": { "LC_ALL": "C" }, "working_directory": "/srv" });
    twice["jobs"] = json!([sample("command"), sample("command"), other]);
    vec![sample("check_in_response").to_string(), twice.to_string()]
}

fn configs() -> Vec<String> {
    let full = "wait_seconds = 25\nprobation_seconds = 0.5\nca_file = \"/etc/ca.pem\"\n[resilience.retry]\nmax_retries = 3\n\
                jitter = \"equal\"\nmultiplier = 1.5\ninitial_delay_seconds = 1\nmax_delay_seconds = 60\n\
                [resilience.circuit_breaker]\nfailure_threshold = 5\nopen_seconds = 30\nhalf_open_max_calls = 3\n\
                [resilience.health_check]\nenabled = false\ninterval_seconds = 30\ntimeout_seconds = 5\n";
    let edges = "[resilience.retry]\nmax_retries = 1000\ninitial_delay_seconds = 86400\nmax_delay_seconds = 0\n\
                 jitter = \"none\"\nmultiplier = 10\n[resilience.health_check]\ntimeout_seconds = 0.1\n";
    let variables = "MUSTER_AGENT_PROBATION_SECONDS=1e3\nMUSTER_AGENT_OPEN_SECONDS=NaN\nMUSTER_AGENT_WAIT_SECONDS=300\n\
                     MUSTER_AGENT_MAX_DELAY_SECONDS=inf\nMUSTER_AGENT_INITIAL_DELAY_SECONDS=-0\n";
    let section = |name: &str, line: &str| format!("[resilience.{name}]\n{line}\n");
    let beyond = [
        section("retry", "max_retries = 1001"),
        section("retry", "multiplier = 10.5"),
        section("retry", "max_delay_seconds = 86401"),
        section("circuit_breaker", "failure_threshold = 1001"),
        section("health_check", "timeout_seconds = 0.09"),
        "wait_seconds = 301\n".into(),
        "probation_seconds = -0.1\n".into(),
    ];
    let within =
        [full.into(), edges.into(), variables.into(), "MUSTER_AGENT_DRAIN_SECONDS=86400\nwait_seconds = 300\n".into()];
    within.into_iter().chain(beyond).collect()
}

/// As the table gives them out, and as nobody does.
fn cursors() -> Vec<String> {
    let cursor = |parts: [&str; 5]| base64url(json!(parts).to_string().as_bytes());
    let log = "log#00000000000000000002";
    let job = "job_00000000000000000000000006";
    vec![
        cursor(["", "job#one", log, "job#one", log]),
        cursor(["list", "jobs", job, "job#one", "log#00000000000000000003"]),
        cursor(["", "job#one", log, "job#two", log]),
        cursor(["", "job#one", "log#", "job#one", log]),
        cursor(["list", "jobs", job, "job#two", "zzz"]),
        cursor(["list", "jobs", "", "", ""]),
        "not a cursor\n====\n".into(),
    ]
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |bytes: &[u8]| {
        let number = (0..3).fold(0, |number, place| number << 8 | usize::from(*bytes.get(place).unwrap_or(&0)));
        (0..=bytes.len()).map(|place| char::from(LETTERS[number >> (18 - 6 * place) & 63])).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

fn events() -> Vec<String> {
    let told = |process: &str, events: Value| json!({ "session": 1, "process_id": process, "events": events });
    let finished = json!([{ "sequence": 4, "at": AT[1], "type": "finished",
        "result": { "outcome": "cancelled", "finished_at": AT[1] } }]);
    let starting =
        json!([{ "sequence": 1, "at": AT[1], "type": "accepted" }, { "sequence": 2, "at": AT[1], "type": "starting" }]);
    let whole = json!({ "job": job_request(), "happens": [
        { "at": AT[0], "offer": 1 },
        { "at": AT[1], "events": sample("events_request") },
        { "at": AT[1], "events": sample("events_request") },
        { "at": AT[1], "cancel": null },
        { "at": AT[3], "tick": null },
    ]});
    let two_processes = json!({ "job": job_request(), "happens": [
        { "at": AT[0], "offer": 1 },
        { "at": AT[1], "events": told("prc_00000000000000000000000000", starting.clone()) },
        { "at": AT[1], "events": told("prc_00000000000000000000000001", starting) },
        { "at": AT[1], "events": told("prc_00000000000000000000000000", finished.clone()) },
    ]});
    let lost = json!({ "job": job_request(), "happens": [
        { "at": AT[0], "offer": 1 },
        { "at": AT[1], "cancel": null },
        { "at": AT[3], "tick": null },
        { "at": AT[3], "events": told("prc_00000000000000000000000000", finished.clone()) },
        { "at": AT[3], "host_retired": null },
    ]});
    let mut otherwise = finished.clone();
    otherwise[0]["sequence"] = json!(5);
    otherwise[0]["result"]["outcome"] = json!("succeeded");
    let told_otherwise = json!({ "job": job_request(), "happens": [
        { "at": AT[0], "offer": 1 },
        { "at": AT[1], "events": told("prc_00000000000000000000000000", finished.clone()) },
        { "at": AT[1], "events": told("prc_00000000000000000000000000", otherwise) },
    ]});
    let never_offered = |what: &str| {
        json!({ "job": job_request(), "happens": [{ "at": AT[3], what: null }, { "at": AT[3], "offer": 1 }] })
            .to_string()
    };
    let ends = ["tick", "recall", "host_retired", "cancel"].map(never_offered);
    [whole, two_processes, told_otherwise, lost].iter().map(Value::to_string).chain(ends).collect()
}

fn fleet_updates() -> Vec<String> {
    let mut request = sample("fleet_update_request");
    request["host_ids"] = json!([]);
    let report = sample("check_in_request")["agent"].clone();
    let candidate = json!({ "host_id": "host_01KJQ6PSG0DRSNYJN0TRKP6Y1T", "state": "active", "online": true,
        "capabilities": ["self_update"], "update_open": false,
        "has_room": true, "yanked": null, "agent": report, "os": "linux", "architecture": "x86_64",
        "executable_sha256": "cc", "attempts": 0 });
    let mut offline = candidate.clone();
    offline["online"] = json!(false);
    let night = "2026-03-02T23:00:00Z";
    let host = "host_01KJQ6PSG0DRSNYJN0TRKP6Y1T";
    let good = json!({ "request": request, "hosts": [30, 10], "happens": [
        { "at": night, "admit": candidate },
        { "at": night, "outcome": [0, "Succeeded"] },
        { "at": night, "tick": null },
        { "at": "2026-03-03T00:00:00Z", "admit": candidate },
        { "at": "2026-03-03T00:00:00Z", "admit": offline },
        { "at": "2026-03-03T00:00:00Z", "pause": null },
        { "at": "2026-03-03T00:00:00Z", "resume": "" },
        { "at": "2026-03-03T00:00:00Z", "outcome": [0, { "Failed": { "why": "x", "again": true } }] },
        { "at": "2026-03-03T00:10:00Z", "admit": candidate },
        { "at": "2026-03-03T00:10:00Z", "outcome": [0, { "Failed": { "why": "x", "again": true } }] },
        { "at": "2026-03-03T00:10:00Z", "retry_failed": "mended" },
        { "at": AT[3], "tick": null },
        { "at": AT[3], "cancel": "enough" },
    ]});
    let lost = json!({ "request": { "version": "1.1.0" }, "hosts": [2, 0], "happens": [
        { "at": AT[0], "admit": candidate },
        { "at": AT[1], "outcome": [0, { "Lost": host }] },
        { "at": AT[1], "resume": "go on" },
        { "at": AT[1], "outcome": [0, { "WrittenOff": { "host_id": host, "again": true } }] },
        { "at": AT[1], "resume": "go on" },
        { "at": AT[2], "admit": candidate },
        { "at": AT[2], "outcome": [0, "TakenBack"] },
        { "at": AT[2], "admit": candidate },
        { "at": AT[2], "outcome": [0, "Inconclusive"] },
        { "at": AT[2], "outcome": [0, { "Offline": host }] },
    ]});
    let many = json!({ "request": { "version": "1.1.0", "waves": [10], "max_in_flight": 2 }, "hosts": [20, 0], "happens": [
        { "at": AT[0], "admit": candidate },
        { "at": AT[0], "admit": candidate },
        { "at": AT[0], "admit": candidate },
        { "at": AT[0], "pause": null },
        { "at": AT[0], "admit": candidate },
    ]});
    vec![good.to_string(), lost.to_string(), many.to_string()]
}

fn journals() -> Vec<String> {
    let id = "job_01KJQ6PSG0DRSNYJN0TRKP6Y1V";
    let result = sample("events_request")["events"][3]["result"].clone();
    let line = |entry: Value| format!("!{entry}\n");
    let received = line(json!({ "entry": "received", "command": sample("command") }));
    let started = line(json!({ "entry": "started", "id": id, "at": AT[0] }));
    let finished = line(json!({ "entry": "finished", "id": id, "result": result }));
    let acknowledged = line(json!({ "entry": "acknowledged", "id": id }));
    let recalled = line(json!({ "entry": "recalled", "id": id }));
    let cancelled = line(json!({ "entry": "cancelled", "id": id, "at": AT[0] }));
    let base = line(json!({ "entry": "base", "floor": 7, "generations": { "agent": { "generation": 7, "job": id } },
        "tombstones": [id], "remembered": [[id, result]], "forgotten": id }));
    let newer = "!{\"entry\":\"from_the_future\"}\n!not JSON\n".to_owned();
    vec![
        [&*received, &started, &finished, &acknowledged, &recalled].concat(),
        [&*base, &received, &started].concat(),
        [&*cancelled, &received, &newer, &received[..40]].concat(),
        [&*received, "0123456789abcdef {\"entry\":\"started\"}\n", &received].concat(),
        "\n\n\0".into(),
    ]
}

/// Every golden sample by its name, and records that only a store has.
fn messages() -> Vec<String> {
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let mut command = sample("command");
    command["spec"] = json!({ "deep": deep, "number": 0.1, "large": 1e300 });
    let job = "job_01KJQ6PSG0DRSNYJN0TRKP6Y1V";
    let records = [
        json!({ "command": command }),
        json!({ "change": { "Job": [job, { "Supersede": { "by": job } }] } }),
        json!({ "change": { "Mailbox": ["host_01KJQ6PSG0DRSNYJN0TRKP6Y1T", { "Cancel": job }] } }),
        json!({ "fleet_update_request": { "version": "1", "waves": ["100%", 1], "max_in_flight": "1%" } }),
    ];
    let named = |name: String| json!({ name.clone(): sample(&name) });
    samples().into_iter().map(named).chain(records).map(|message| message.to_string()).collect()
}

fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/samples");
    let entries = fs::read_dir(folder).expect("there are samples").filter_map(Result::ok);
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

fn spools() -> Vec<String> {
    let text = |text: &str| format!("!{{\"text\":\"{text}\"}}\n");
    let (one, lost) = (text("one "), "!{\"lost\":70000}\n");
    vec![
        String::new(),
        format!("{one}{}", text("two")),
        format!("{one}{lost}"),
        format!("{one}0123456789abcdef {{\"text\":\"forged\"}}\n"),
        format!("{one}{{\"text\":\"cut o"),
        format!("!{{\"picture\":1}}\n{one}"),
        "!{\"lost\":18446744073709551615}\n".into(),
    ]
}

fn outboxes() -> Vec<String> {
    vec![
        "hello\n!stored 1\nworld\n".into(),
        "!long\n!stored 0\n!long\n!stored 3\nend".into(),
        "\u{0}\u{1b}[0m\r\n\"\\\u{1f980}\n!stored 18446744073709551615\n".into(),
    ]
}

fn pointers() -> Vec<String> {
    let installed = json!({ "version": "1.1.0", "sha256": "a".repeat(64) });
    let update = |phase: &str| {
        json!({ "transaction": "job_01KJQ6PSG0DRSNYJN0TRKP6Y1V", "from": "1.0.0", "to": installed, "phase": phase,
            "tries_left": 3, "tries": 0, "code": "", "reason": "", "log_tail": "" })
        .to_string()
    };
    let current = json!({ "committed": { "installed": installed }, "previous": "factory" }).to_string();
    let outside =
        json!({ "committed": { "installed": { "version": "1/../..", "sha256": "a".repeat(64) } } }).to_string();
    let phases = ["armed", "on_trial", "unproven", "committed", "rolled_back", "inconclusive", "refused", "newer"];
    phases.map(update).into_iter().chain([current, outside, "ready 1.1.0\ncontact\ncommit\n".into()]).collect()
}

fn policies() -> Vec<String> {
    let run =
        r#"{"kind":"run","spec":{"argv":["/usr/bin/uptime"],"environment":{"LC_ALL":"C"},"working_directory":"/srv"}}"#;
    let listed = "[allow]\nrun = [\"/usr/bin/uptime\"]\nworking_directories = [\"/srv\"]\ninspect = false\n";
    let own = "[allow]\nrun = [\"/usr/bin/uptime\"]\nenvironment = [\"*\"]\nself_update = false\n";
    vec![
        format!("{listed}\n---\n{run}"),
        format!("{own}\n---\n{run}"),
        format!("[allow]\nrun = \"*\"\n\n---\n{run}"),
        "[allow]\nrun = \"all\"\n".into(),
        "allow.run = []\n".into(),
        String::new(),
    ]
}

fn root_pairs() -> Vec<String> {
    roots().iter().map(Value::to_string).collect()
}
