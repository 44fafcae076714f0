//! The echo function, a caller of HTTP that changes nothing on the way, and patience.
#![expect(dead_code, reason = "each test file uses a part")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use muster_function_host::{ENDPOINT_TIMEOUT, Failure, Front, Function, Limits, Program};
use serde_json::{Value, json};

pub const ECHO: &str = env!("CARGO_BIN_EXE_echo-function");

/// The echo function with these variables in its environment.
pub fn echo(environment: &[(&str, &str)]) -> Program {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Program { binary: ECHO.into(), environment, log: Some(log_file()) }
}

/// A file of its own for each log.
pub fn log_file() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("function-host-{}-{}.log", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

pub fn function(limits: Limits) -> Arc<Function> {
    Arc::new(Function::new(echo(&[]), limits))
}

/// Has the echo function do something; its answer in JSON.
pub async fn tell(function: &Function, command: &str) -> Result<Value, Failure> {
    let event = json!({ "rawPath": command }).to_string();
    function.invoke(event.into()).await.map(|answer| serde_json::from_slice(&answer).unwrap())
}

/// The process that gave an answer.
pub fn pid(answer: &Value) -> u32 {
    answer["headers"]["x-pid"].as_u64().unwrap().try_into().unwrap()
}

pub async fn front(function: Arc<Function>) -> Front {
    Front::start("127.0.0.1:0".parse().unwrap(), function, ENDPOINT_TIMEOUT).await.unwrap()
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends a request as it is written here, on a connection of its own.
pub async fn send(address: SocketAddr, line: &str, headers: &[&str], body: &[u8]) -> Answer {
    let headers: String = headers.iter().flat_map(|header| [*header, "\r\n"]).collect();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: api.example.org\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    let request = [head.as_bytes(), body].concat();
    let exchange = move || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(&request).unwrap();
        let mut response = Vec::new();
        connection.read_to_end(&mut response).unwrap();
        response
    };
    parse(&tokio::task::spawn_blocking(exchange).await.unwrap())
}

fn parse(response: &[u8]) -> Answer {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = str::from_utf8(&response[..end]).unwrap();
    let (first, lines) = head.split_once("\r\n").unwrap();
    let headers = lines.lines().map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status: first[9..12].parse().unwrap(), headers, body: response[end + 4..].to_vec() }
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < patience, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A process's state as the kernel names it; nothing if there is no such process, or only its remains.
pub fn state(pid: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next().filter(|state| *state != 'Z')
}
