//! The console in a real browser, on a real server with four real hosts. What people do there is in `console/tests/real`; what
//! happens meanwhile outside of the browser is asked for here, one word to a connection.
//!
//! ```text
//! stop, start        the server goes away, and comes back with the data it had
//! join <line>        a host joins by the line that the console shows
//! publish <version>  a release whose agent hangs is published
//! ```

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use muster_broken_agent::Mode;
use serde_json::{Value, json};

use crate::harness::{
    binaries::{AGENT_2, bytes},
    body::{Body, PASSWORD, service},
    fleet::Fleet,
    host::{Host, Setup},
    machine::Machine,
    patience::until_within,
    process::Process,
    releases::broken,
};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(8);

#[test]
fn operators_do_their_work_in_the_console() {
    if Body::Functions.is_skipped("functions leave the console to an object store") {
        return;
    }
    let Some(console) = service("MUSTER_TEST_CONSOLE") else { return };
    let Some(fleet) = Fleet::start() else { return };
    let url = fleet.server.url();
    let setup = Setup { probation_seconds: 1.0, update_deadline_seconds: 4.0, ..Setup::of(&url) };
    let hosts = ["one", "two", "three", "four"].map(|name| fleet.host_with(name, &setup));
    for (name, id) in ["one", "two", "three", "four"].iter().zip(hosts.iter().map(|host| host.id)) {
        fleet.api().patch(&format!("/hosts/{id}"), &json!({ "name": name }));
    }
    fleet.publish(&fleet.publisher.release("1.1.0", 1, bytes(AGENT_2)));
    for role in ["operator", "viewer"] {
        let account = json!({ "username": role, "password": PASSWORD, "role": role });
        fleet.api().post::<Value>("/users", &account);
    }
    Outside { fleet, hosts, joined: Vec::new() }.accompanies(&console);
}

/// What is not in the browser.
struct Outside {
    fleet: Fleet,
    hosts: [Host; 4],
    joined: Vec<(Process, Machine)>,
}

impl Outside {
    /// Does what is asked for until the browser has done everything.
    fn accompanies(mut self, console: &str) {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        door.set_nonblocking(true).unwrap();
        let mut browser = self.browser(Path::new(console), &door);
        let ended = until_within(PATIENCE, "the end of what is done in the browser", || {
            match door.accept() {
                Ok((visitor, _)) => self.serve(visitor),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            browser.try_wait().unwrap()
        });
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        assert!(ended.success(), "{said}");
        drop(write!(io::stderr(), "{said}"));
    }

    fn browser(&self, console: &Path, door: &TcpListener) -> Child {
        let log = File::create(self.log()).unwrap();
        let mut playwright = Command::new("node");
        playwright.args(["node_modules/@playwright/test/cli.js", "test", "--project", "real"]).current_dir(console);
        playwright.env("MUSTER_URL", self.fleet.server.url()).env("MUSTER_PASSWORD", PASSWORD);
        playwright.env("MUSTER_OUTSIDE", door.local_addr().unwrap().port().to_string());
        playwright.env("MUSTER_WORK", self.hosts[0].work.parent().unwrap());
        playwright.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    fn log(&self) -> std::path::PathBuf {
        self.fleet.folder().join("browser.log")
    }

    fn serve(&mut self, visitor: TcpStream) {
        visitor.set_nonblocking(false).unwrap();
        let mut line = String::new();
        BufReader::new(&visitor).read_line(&mut line).unwrap();
        let answer = match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
            ("stop", _) => format!("{:?}", self.fleet.server.stop()),
            ("start", _) => {
                self.fleet.server.start_again();
                String::new()
            }
            ("join", line) => self.join(line),
            ("publish", version) => {
                let release = self.fleet.publisher.release(version, 9, broken(version, Mode::Hang));
                self.fleet.publish(&release);
                String::new()
            }
            other => panic!("nobody knows how to {other:?}"),
        };
        writeln!(&visitor, "{answer}").unwrap();
    }

    /// Who it is, or what the machine complains about, for the browser's test to show.
    fn join(&mut self, line: &str) -> String {
        let machine = Machine::new();
        match machine.types(line, &[]) {
            Ok(said) => {
                let (id, agent) = machine.becomes_host(&said);
                self.joined.push((agent, machine));
                id.to_string()
            }
            Err(complaint) => complaint,
        }
    }
}
