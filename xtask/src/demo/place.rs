//! Where the demo lives: a folder that is made anew each time, and the commands that are typed in it.

use std::{
    env, fs,
    io::{self, IsTerminal, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use muster_broken_agent::{Behaviour, Mode};

use super::processes::PAUSE;
use crate::{
    Result,
    commands::{output, say, short, target, typed},
    fleet, signals,
};

/// The bad release.
pub const BROKEN_VERSION: &str = "1.2.0";

/// A place with a server's address in it.
pub struct Place {
    /// Everything is in here.
    pub folder: PathBuf,
    /// Where the server listens.
    pub address: String,
    /// The admin's password.
    pub password: String,
}

impl Place {
    /// Clears the folder, and puts the programs and the releases into it.
    pub fn new() -> Result<Self> {
        let folder = target().join("demo");
        let failed = |error: io::Error| format!("cannot prepare {}: {error}", short(&folder));
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        for name in ["bin", "hosts", "releases/1.1.0", &format!("releases/{BROKEN_VERSION}")] {
            fs::create_dir_all(folder.join(name)).map_err(failed)?;
        }
        let programs = [
            ("muster-server", "bin/muster-server"),
            ("muster", "bin/muster"),
            ("muster-agent-1", "bin/muster-agent"),
            ("muster-agent-2", "releases/1.1.0/muster-agent"),
        ];
        for (binary, name) in programs {
            fs::copy(fleet::DEMO.binary(binary), folder.join(name)).map_err(failed)?;
        }
        let broken = Behaviour { version: BROKEN_VERSION.into(), mode: Mode::Crash };
        let program = fs::read(fleet::DEMO.binary("muster-broken-agent")).map_err(failed)?;
        let release = folder.join("releases").join(BROKEN_VERSION).join("muster-agent");
        fs::write(release, broken.release(&program)).map_err(failed)?;
        Ok(Self { address: free_address().map_err(failed)?, password: password().map_err(failed)?, folder })
    }

    /// The server's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a host's state folder: an agent that is quick to prove itself, on a host that allows every program.
    pub fn host(&self, name: &str) -> Result {
        let folder = self.folder.join("hosts").join(name);
        // Short polls, because a new version proves itself by an answered one.
        let agent = "wait_seconds = 5\nprobation_seconds = 3\n\n[resilience.retry]\ninitial_delay_seconds = 0.5\nmax_delay_seconds = 5\n";
        let files = [("agent.toml", agent), ("policy.toml", "[allow]\nrun = \"*\"\n")];
        let made = fs::create_dir_all(&folder);
        let written = made.and_then(|()| files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text)));
        written.map_err(|error| format!("cannot prepare {}: {error}", short(&folder)))
    }

    /// A program in this place, with nothing of our own environment that would mean something to it.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(program));
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(&self.folder).env("MUSTER_CONFIG", self.folder.join("config.toml"));
        command
    }

    /// Types a command, shows what it says, and returns its exit code.
    pub fn code(&self, program: &str, arguments: &[&str]) -> Result<Option<i32>> {
        let mut command = self.command(program, arguments);
        show(&command);
        let failed = |error| format!("cannot run {program}: {error}");
        let mut child = command.env("MUSTER_PASSWORD", &self.password).spawn().map_err(failed)?;
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status.code());
            }
            // A signal for us alone must end what we wait for.
            if signals::interrupted() {
                signals::terminate(&mut child);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Types a command that must succeed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result {
        let code = self.code(program, arguments)?;
        let typed = || typed(&self.command(program, arguments));
        if code == Some(0) { Ok(()) } else { Err(format!("{} ended with exit code {code:?}", typed())) }
    }

    /// Types a command that must succeed, shows what it says, and returns that.
    pub fn read(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(program, arguments);
        show(&command);
        let said = output(&mut command)?;
        say(said.trim_end());
        Ok(said)
    }

    /// What `muster … --json` says, without anybody seeing it.
    pub fn ask(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let said = output(self.command("muster", arguments).arg("--json"))?;
        serde_json::from_str(&said).map_err(|error| format!("muster {} said no JSON: {error}", arguments.join(" ")))
    }

    /// Whether the server answers.
    pub fn is_healthy(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect(&self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            let host = &self.address;
            write!(stream, "GET /api/v1/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, io::Error>(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
    }

    /// The last lines of a log, for when something went wrong.
    pub fn tail(&self, name: &str, lines: usize) -> String {
        let text = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let all: Vec<_> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

fn show(command: &Command) {
    let (bold, plain) = if io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    say(&format!("{bold}$ {}{plain}", typed(command)));
}

/// An address that was free a moment ago.
fn free_address() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn password() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
