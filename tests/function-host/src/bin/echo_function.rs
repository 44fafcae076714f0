//! What the tests host: a function that answers with the event it was sent, or does what the event's `rawPath` says.
#![expect(clippy::unwrap_used, reason = "it serves tests only")]

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process, thread,
    time::Duration,
};

use serde_json::{Value, json};

fn main() {
    let mut api = BufReader::new(TcpStream::connect(env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap());
    if let Ok(reason) = env::var("ECHO_INIT_ERROR") {
        call(&mut api, "POST", "init/error", &json!({"errorType": "Echo", "errorMessage": reason}).to_string());
        process::exit(1);
    }
    if let Ok(status) = env::var("ECHO_EXIT") {
        process::exit(status.parse().unwrap());
    }
    if env::var("ECHO_EXIT_IF").is_ok_and(|role| env::var("MUSTER_ROLE") == Ok(role)) {
        process::exit(9);
    }
    loop {
        let (id, event) = call(&mut api, "GET", "invocation/next", "");
        let event: Value = serde_json::from_str(&event).unwrap();
        let (verb, answer) = obey(&event);
        call(&mut api, "POST", &format!("invocation/{id}/{verb}"), &answer);
    }
}

fn obey(event: &Value) -> (&'static str, String) {
    let path = event["rawPath"].as_str().unwrap_or_default();
    let (command, argument) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    match command {
        "sleep" => thread::sleep(Duration::from_millis(argument.parse().unwrap())),
        "die" => process::exit(7),
        "error" => return ("error", json!({"errorType": "Echo", "errorMessage": "as told"}).to_string()),
        "big" => return ("response", json!({"statusCode": 200, "body": "x".repeat(7_000_000)}).to_string()),
        "bytes" => {
            let (body, encoded) = (&event["body"], &event["isBase64Encoded"]);
            return ("response", json!({"statusCode": 200, "body": body, "isBase64Encoded": encoded}).to_string());
        }
        "afterwards" => drop(thread::spawn(work_on)),
        _ => {}
    }
    let headers = json!({"content-type": "application/json", "x-pid": process::id()});
    let cookies = ["one=1; HttpOnly", "two=2"];
    (
        "response",
        json!({"statusCode": 200, "headers": headers, "cookies": cookies, "body": event.to_string()}).to_string(),
    )
}

fn work_on() {
    let mut log = io::stdout();
    loop {
        writeln!(log, "still at work").unwrap();
        thread::sleep(Duration::from_millis(1));
    }
}

/// Calls the Runtime API; says the request's id, if the answer names one, and the body.
fn call(api: &mut BufReader<TcpStream>, method: &str, path: &str, body: &str) -> (String, String) {
    let length = body.len();
    let head = format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: api\r\ncontent-length: {length}\r\n\r\n");
    api.get_mut().write_all((head + body).as_bytes()).unwrap();
    let lines: Vec<_> = api.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    let header = |name| lines.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let mut body = vec![0; header("content-length:").parse().unwrap()];
    api.read_exact(&mut body).unwrap();
    (header("lambda-runtime-aws-request-id:"), String::from_utf8(body).unwrap())
}
