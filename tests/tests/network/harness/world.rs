//! All of it together: the networks, the server, an operator beside it, and hosts behind the router.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU8, Ordering},
    thread,
};

use muster_schemas::ids::JobId;
use muster_tests::processes::{
    authority::{Authority, files},
    binaries::{SERVER, binary},
    patience::until_so,
    process::{Process, sweep},
    skip::skip_for_want_of,
};
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use super::{
    agent::{Agent, Setup},
    namespace::Namespace,
    operator::Operator,
    router::{Fault, OUTSIDE, Router, raise},
};

/// Where the server is.
pub const ADDRESS: &str = "203.0.113.10";
/// The same.
pub const ADDRESS_6: &str = "2001:db8::10";
/// The server's name, for those who ask a name server of the test's own.
pub const NAME: &str = "muster.test";

const PASSWORD: &str = "only for this test";
/// How folders begin, with the id of the process that made them in the middle.
const FOLDER: &str = "muster-network-";

/// A server, a router, and hosts.
pub struct World {
    /// The router.
    pub router: Router,
    /// Somebody who is logged in.
    pub operator: Operator,
    /// Who vouches for the server.
    pub authority: Authority,
    /// The server's network.
    pub server: Namespace,
    lines: AtomicU8,
    _process: Process,
    folder: TempDir,
}

impl World {
    /// A world without hosts. None, said aloud, where this machine cannot have networks of a test's own.
    pub fn start() -> Option<Self> {
        if let Some(missing) = missing() {
            skip_for_want_of(&missing);
            return None;
        }
        clear_away_what_dead_runs_left();
        let folder = tempfile::Builder::new().prefix(&format!("{FOLDER}{}-", std::process::id())).tempdir().unwrap();
        let server = Namespace::new();
        let router = Router::new(&server);
        raise(&server, "uplink", &[&format!("{ADDRESS}/24"), &format!("{ADDRESS_6}/64")]);
        // The server's side knows the way to the hosts: it is the router that lets nobody in.
        server.run(&format!("ip route add 10.77.0.0/16 via {OUTSIDE}"));
        server.run("ip route add fd77::/16 via 2001:db8::1");
        let authority = Authority::new();
        fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        let process = serve(&server, folder.path(), &authority);
        let operator = Operator::log_in(&server, folder.path(), &url(ADDRESS), PASSWORD);
        Some(Self { router, operator, authority, server, lines: AtomicU8::new(1), _process: process, folder })
    }

    /// How hosts are set up unless a test says otherwise.
    pub fn setup(&self) -> Setup {
        let (authorities, environment) = (self.authority.pem(), Vec::new());
        Setup { server: url(ADDRESS), authorities, environment, resolv_conf: None }
    }

    /// A host that has joined and runs, on a line of its own: 1 for the first.
    pub fn host(&self) -> Agent {
        self.host_with(self.setup())
    }

    /// The same, set up otherwise.
    pub fn host_with(&self, setup: Setup) -> Agent {
        let (network, folder) = self.line();
        let host = Agent::join(network, &folder, setup, &self.operator.token());
        self.operator.works(&host);
        host
    }

    /// Breaks the connections of a host while it polls: it has to connect anew for the job that is given back.
    pub fn cut_off(&self, host: &Agent) -> JobId {
        host.rests();
        self.router.suffers(Fault::Resets);
        let job = self.operator.run(host, "true");
        until_so("a broken connection", || host.log().lines().last().is_some_and(|line| line.contains("failed")));
        self.router.heals();
        job
    }

    /// A new line with nobody on it, and a folder for whoever comes.
    pub fn line(&self) -> (Namespace, PathBuf) {
        let line = self.lines.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.path().join(format!("host-{line}"));
        fs::create_dir(&folder).unwrap();
        (self.router.attach(line), folder)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            logs(self.folder.path());
        }
        sweep(&self.folder.path().canonicalize().unwrap());
    }
}

/// The URL of a server with this name or address.
pub fn url(name: &str) -> String {
    format!("https://{name}")
}

fn serve(network: &Namespace, folder: &Path, authority: &Authority) -> Process {
    let files = files(folder);
    authority.vouch(&[ADDRESS, ADDRESS_6, NAME], &files);
    let [certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
    let url = url(ADDRESS);
    let tls = ["--tls-certificate", certificate, "--tls-key", key];
    let arguments = [&["serve", "--listen", "[::]:443", "--public-url", &url][..], &tls].concat();
    let data = folder.join("data").display().to_string();
    let environment = [("MUSTER_DATA", data.as_str()), ("MUSTER_ADMIN_PASSWORD", PASSWORD)];
    let start = || Process::start(&binary(SERVER), &arguments, folder, &folder.join("server.log"), &environment);
    let server = network.inside(start);
    network.inside(|| until_so("a server that listens", || TcpStream::connect((ADDRESS, 443)).is_ok()));
    server
}

/// What this machine lacks for it.
fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can make networks".into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_missing = |program: &&str| !std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<_> = ["ip", "tc", "nft", "conntrack"].into_iter().filter(is_missing).collect();
    let install = "apt-get install iproute2 nftables conntrack";
    (!missing.is_empty()).then(|| format!("no {}: {install}", missing.join(", no ")))
}

/// A run that was killed leaves processes behind, and with them their networks.
fn clear_away_what_dead_runs_left() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(FOLDER) else { continue };
        let pid = rest.split('-').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        if pid.is_some_and(|pid| test_kill_process(pid).is_err()) {
            sweep(&entry.path());
            // Another run may be at it as well.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Shows the ends of all logs, for a test that failed.
fn logs(folder: &Path) {
    let inside = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path().join("agent.log"));
    for file in inside.filter(|file| file.exists()).chain([folder.join("server.log")]) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        eprintln!("== {}\n{}", file.display(), lines[lines.len().saturating_sub(40)..].join("\n"));
    }
}
