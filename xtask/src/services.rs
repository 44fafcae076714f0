//! Services that tests need: Amazon's, as emulators of other people make them on this machine. Started on free ports,
//! ended with the tests.

use std::{
    ffi::OsStr,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    beside::Beside,
    clients,
    commands::{cargo, output, root, run, say, target, unless_missing},
    console, packages,
};

/// `DynamoDB` alone, in memory: a public conformance suite passes on it but for 24 of 601 cases.
const ENGINE: (&str, &str) = ("dynoxide-rs", "=3.2.0");
/// What Python needs for the emulators, for `infra/` and for tests.
const REQUIREMENTS: [&str; 2] = ["infra/requirements.txt", "tests/requirements.txt"];
/// How long a service may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Running services, and how tests find them.
#[derive(Default)]
pub struct Services {
    running: Vec<Beside>,
    environment: Vec<(&'static str, String)>,
}

impl Services {
    /// Installs what is missing and starts it all. What cannot be had is said, and its tests say so, too.
    pub fn start() -> Result<Self> {
        // Nobody shall ask the machine's metadata service for credentials.
        let mut services = Self::default();
        services.environment.push(("AWS_EC2_METADATA_DISABLED", "true".into()));
        let port = free_port()?;
        let mut engine = Command::new(engine()?);
        engine.args(["--port", &port.to_string()]);
        services.begin("MUSTER_TEST_DYNAMODB", engine, port, "dynoxide.log")?;
        match python() {
            Ok(python) => {
                let port = free_port()?;
                let mut emulator = Command::new(python.with_file_name("ministack"));
                emulator.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
                services.begin("MUSTER_TEST_AWS", emulator, port, "ministack.log")?;
                let schemathesis = python.with_file_name("schemathesis").display().to_string();
                services.environment.push(("MUSTER_TEST_SCHEMATHESIS", schemathesis));
            }
            Err(reason) => {
                say(&format!("SKIP: tests on S3, on a second DynamoDB and of the OpenAPI document: {reason}"));
            }
        }
        let clients = [
            ("MUSTER_TEST_CLIENT_PYTHON", clients::python()),
            ("MUSTER_TEST_CLIENT_TYPESCRIPT", clients::typescript()),
        ];
        for (name, installed) in clients {
            match installed {
                Ok(folder) => services.environment.push((name, folder.display().to_string())),
                Err(reason) => say(&format!("SKIP: tests of generated clients: {reason}")),
            }
        }
        match console::ready() {
            Ok(folder) => services.environment.push(("MUSTER_TEST_CONSOLE", folder.display().to_string())),
            Err(reason) => say(&format!("SKIP: tests of the console: {reason}")),
        }
        Ok(services)
    }

    /// Tells a command where they are.
    pub fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(self.environment.iter().map(|(name, url)| (name, url)))
    }

    fn begin(&mut self, name: &'static str, mut command: Command, port: u16, log: &str) -> Result {
        let path = tools().join(log);
        self.running.push(Beside::start(command.stdin(Stdio::null()), &path)?);
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err(format!("{} does not listen; see {}", command.get_program().display(), path.display()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.environment.push((name, format!("http://127.0.0.1:{port}")));
        Ok(())
    }
}

/// Installs what tests need. What cannot be had is said, and said again by the tests that need it.
pub fn provide() -> Result {
    engine()?;
    packages::provide();
    unless_missing(python())?;
    unless_missing(clients::python())?;
    unless_missing(clients::typescript()).map(drop)
}

/// The engine's program; built once. A program of its own, because its `SQLite` is another than ours.
fn engine() -> Result<PathBuf> {
    let program = tools().join("bin/dynoxide");
    if !program.exists() {
        let (name, version) = ENGINE;
        let features = ["--no-default-features", "--features", "native-sqlite,http-server,cli"];
        let mut install = cargo(["install", "--quiet", "--debug", "--locked", name, "--version", version]);
        install.args(features).arg("--root").arg(tools()).arg("--target-dir").arg(tools().join("build"));
        // Thousands of requests of the tests go through it, most of them through SQLite, which a plain debug build leaves slow.
        run(install.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "false"))?;
    }
    Ok(program)
}

/// Python with what the emulators, `infra/` and tests need.
pub fn python() -> Result<PathBuf> {
    python_of(&tools().join("python"), &REQUIREMENTS)
}

/// Python with what lists of requirements name, in a place of its own.
pub fn python_of(place: &Path, lists: &[&str]) -> Result<PathBuf> {
    let (program, installed) = (place.join("bin/python"), place.join("installed.txt"));
    let lists = lists.iter().map(|list| root().join(list)).collect::<Vec<_>>();
    let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let wanted = lists.iter().map(read).collect::<String>();
    if program.exists() && read(&installed) == wanted {
        return Ok(program);
    }
    let missing = |reason: String| format!("python3 with venv is missing (apt-get install python3-venv): {reason}");
    output(Command::new("python3").args(["-m", "venv"]).arg(place)).map_err(missing)?;
    let mut install = Command::new(&program);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(install.args(lists.iter().flat_map(|list| [OsStr::new("-r"), list.as_os_str()])))?;
    std::fs::write(&installed, wanted).map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
    Ok(program)
}

/// The programs of that Python, with more packages in it.
pub fn python_with(packages: &[&str]) -> Result<PathBuf> {
    let program = python()?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&program).args(install).args(packages))?;
    Ok(program.with_file_name(""))
}

/// Where tools that tests need are installed.
pub fn tools() -> PathBuf {
    target().join("tools")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("there is no free port: {error}"))
}
