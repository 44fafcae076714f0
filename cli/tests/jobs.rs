//! End-to-end tests of `muster jobs`: waiting, following, exit codes. A scripted server stands in for the real one.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

const HOST: &str = "host_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const JOBS: [&str; 2] = ["job_00000000000000000000000001", "job_00000000000000000000000002"];

/// What the server says to a request.
enum Said {
    Json(u16, Value),
    /// The whole log of a job.
    Log(&'static str),
    /// Some of it, and where it goes on.
    Part(&'static str, u64),
    /// Nothing, for as long as the client waits.
    Nothing,
}

/// A server that answers each request by its first line.
fn server(answers: impl Fn(&str) -> Said + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let answers = Arc::new(answers);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = answers.clone();
            thread::spawn(move || serve(stream, &*answers));
        }
    });
    url
}

fn serve(mut stream: TcpStream, answers: &dyn Fn(&str) -> Said) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let (status, head, body) = match answers(text.lines().next().unwrap_or_default()) {
        Said::Json(status, body) => (status, "content-type: application/json\r\n".to_owned(), body.to_string()),
        Said::Part(log, next) => {
            (200, format!("muster-log-next: {next}\r\nmuster-log-complete: false\r\n"), log.into())
        }
        Said::Log(log) => (200, format!("muster-log-next: {}\r\nmuster-log-complete: true\r\n", log.len()), log.into()),
        // The client goes away first.
        Said::Nothing => return drop(stream.read(&mut buffer)),
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} X\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    // A client that is gone is no matter.
    drop(stream.write_all(answer.as_bytes()));
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

fn job(id: &str, state: &str, more: &Value) -> Value {
    let at = "2026-01-01T00:00:00Z";
    let mut job = json!({
        "id": id, "host_id": HOST, "sequence": 1, "kind": "run", "spec": { "argv": ["/bin/sh"] }, "state": state,
        "created_by": "user:ada", "created_at": at, "start_by": at, "time_limit_seconds": 60,
        "cancel_requested": false, "log_bytes": 0, "revision": 1,
    });
    job.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    job
}

fn failed(id: &str, exit_code: i32) -> Value {
    let error = json!({ "code": "exit_code", "message": "so" });
    let at = "2026-01-01T00:00:00Z";
    job(
        id,
        "failed",
        &json!({ "result":
        { "outcome": "failed", "exit_code": exit_code, "finished_at": at, "error": error, "output_bytes": 8 } }),
    )
}

/// A server with so many jobs, each of which is soon over with this exit code and this log.
fn with_jobs(count: usize, exit_code: i32, log: &'static str) -> String {
    server(move |request| match request {
        post if post.starts_with("POST /api/v1/jobs ") => {
            let items = JOBS[..count].iter().map(|id| job(id, "queued", &json!({}))).collect::<Vec<_>>();
            Said::Json(202, json!({ "items": items, "refused": [] }))
        }
        get if get.contains("/log") => Said::Log(log),
        get => match JOBS.iter().find(|id| get.contains(*id)) {
            Some(id) => Said::Json(200, failed(id, exit_code)),
            None => Said::Json(200, json!({})),
        },
    })
}

fn muster(server: &str, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(line.split_whitespace()).env_clear().env("MUSTER_SERVER", server).env("MUSTER_API_KEY", "mst_x");
    command.env("MUSTER_CONFIG", "/nonexistent/config.toml").stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("muster can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_exit_code_of_one_job_is_that_of_its_program() {
    for (line, log) in [("jobs run --host H --wait", ""), ("jobs run --host H -f", "x\n")] {
        let line = format!("{} -- /bin/sh", line.replace('H', HOST));
        let (code, stdout, stderr) = output(&mut muster(&with_jobs(1, 7, "x\n"), &line));
        assert_eq!((code, stdout.as_str()), (Some(7), log), "{line}: {stderr}");
    }
    let (code, ..) = output(&mut muster(&with_jobs(1, 255, ""), &format!("jobs show {} --wait", JOBS[0])));
    assert_eq!(code, Some(255));
}

#[test]
fn of_several_jobs_one_that_failed_makes_the_exit_code_1() {
    let line = "jobs run --all-hosts --wait -- /bin/sh";
    assert_eq!(output(&mut muster(&with_jobs(2, 7, ""), line)).0, Some(1));
    assert_eq!(output(&mut muster(&with_jobs(2, 7, "x\n"), "jobs run --all-hosts -f -- /bin/sh")).0, Some(1));
}

#[test]
fn a_pipe_that_nobody_reads_stops_the_printing_and_not_the_waiting() {
    let line = format!("jobs run --host {HOST} -f --wait -- /bin/sh");
    let mut command = muster(&with_jobs(1, 7, "started\nmore\n"), &line);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("muster can be started");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
}

#[test]
fn a_log_that_cannot_be_read_does_not_decide_about_the_exit_code() {
    let server = server(|request| match request {
        post if post.starts_with("POST") => Said::Json(202, json!({ "items": [job(JOBS[0], "queued", &json!({}))] })),
        get if get.contains("/log") => Said::Json(
            404,
            json!({ "type": "/problems/not_found", "title": "Not found",
            "status": 404, "code": "not_found" }),
        ),
        _ => Said::Json(200, failed(JOBS[0], 9)),
    });
    let (code, _, stderr) = output(&mut muster(&server, &format!("jobs run --host {HOST} -f -- /bin/sh")));
    assert_eq!(code, Some(9), "{stderr}");
    assert!(stderr.contains("is not printed any further: Not found"), "{stderr}");
}

#[test]
fn a_timeout_is_kept_to_the_second_although_the_server_holds_every_poll() {
    for follow in ["", "-f"] {
        let waits = json!({ "waiting_on": "the next check-in" });
        let server = server(move |request| match request {
            post if post.starts_with("POST") => Said::Json(202, json!({ "items": [job(JOBS[0], "queued", &waits)] })),
            _ => Said::Nothing,
        });
        let begun = Instant::now();
        let line = format!("jobs run --host {HOST} {follow} --wait --timeout 4s -- /bin/sh");
        let (code, _, stderr) = output(&mut muster(&server, &line));
        assert_eq!(code, Some(3), "{stderr}");
        assert!(begun.elapsed() >= Duration::from_secs(4) && begun.elapsed() < Duration::from_secs(8), "{stderr}");
        assert!(stderr.contains("Waiting for the next check-in."), "what it waits for is told: {stderr}");
    }
}

#[test]
fn what_the_server_finds_wrong_with_a_command_is_a_usage_error() {
    let server = server(|_| {
        let detail = "spec.argv: must begin with the absolute path of a program";
        Said::Json(
            422,
            json!({ "type": "/problems/invalid", "title": "The request breaks a rule", "status": 422,
            "detail": detail, "code": "invalid", "field": "spec.argv" }),
        )
    });
    assert_eq!(output(&mut muster(&server, &format!("jobs run --host {HOST} -- sh"))).0, Some(2));
}

#[test]
fn what_a_host_has_printed_reaches_the_terminal_as_text_unless_everything_is_wanted() {
    let log = "\u{1b}]0;evil\u{7}\u{1b}[2J\u{1b}[31mred\u{1b}[0m\r\nx\rgood\n";
    let server = with_jobs(1, 0, log);
    let (code, stdout, _) = output(&mut muster(&server, &format!("jobs log {}", JOBS[0])));
    assert_eq!((code, stdout.as_str()), (Some(0), "^[]0;evil^G^[[2J\u{1b}[31mred\u{1b}[0m\nx\ngood\n"));
    let (_, stdout, _) = output(&mut muster(&server, &format!("jobs log --raw {}", JOBS[0])));
    assert_eq!(stdout, log);
    let several = output(&mut muster(&with_jobs(2, 0, log), "jobs run --all-hosts -f -- /bin/sh")).1;
    assert!(several.lines().all(|line| line.starts_with("host_") && !line.contains(['\r', '\u{7}'])), "{several}");
}

#[test]
fn a_log_with_timestamps_goes_on_where_it_was_without_counting_them() {
    let server = server(|request| match request {
        get if get.contains("/log?timestamps=true&after=0&") => Said::Part("2026-01-01T00:00:00Z one\n", 4),
        get if get.contains("/log?timestamps=true&after=4&") => Said::Log("- two\n"),
        _ => Said::Json(200, failed(JOBS[0], 1)),
    });
    let (code, stdout, stderr) = output(&mut muster(&server, &format!("jobs log -f --timestamps {}", JOBS[0])));
    assert_eq!((code, stdout.as_str()), (Some(0), "2026-01-01T00:00:00Z one\n- two\n"), "{stderr}");
}

#[test]
fn a_log_that_is_cut_is_told_of_wherever_it_is_printed() {
    let result = json!({ "outcome": "succeeded", "finished_at": "2026-01-01T00:00:00Z", "output_bytes": 3_000_000,
        "output_truncated": true });
    let cut = json!({ "log_bytes": 1_048_700, "output_cut_bytes": 1_951_424, "result": result });
    let server = server(move |request| match request {
        post if post.starts_with("POST") => Said::Json(202, json!({ "items": [job(JOBS[0], "queued", &json!({}))] })),
        get if get.contains("/log") => Said::Log("x\n"),
        _ => Said::Json(200, job(JOBS[0], "succeeded", &cut)),
    });
    let told = "1048576 of 3000000 bytes of output are kept, and 1951424 are missing (limit: 1048576 bytes)";
    for line in ["jobs log J", "jobs log -f J", "jobs show J", "jobs run --host H -f -- /bin/sh"] {
        let line = line.replace('J', JOBS[0]).replace('H', HOST);
        let (code, stdout, stderr) = output(&mut muster(&server, &line));
        assert_eq!(code, Some(0), "{stderr}");
        assert!(format!("{stdout}{stderr}").contains(told), "{line}: {stdout}{stderr}");
    }
}
