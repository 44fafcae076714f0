//! A server of the body under test, that can be killed and comes back on the same port with the same data.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use super::{
    api::Api,
    binaries::{SERVER, binary},
    body::{Launch, PASSWORD},
    patience::until_so,
    process::{Process, children, lives},
};

/// A server.
pub struct Server {
    /// Its API, with an admin signed in.
    pub api: Api,
    /// Where it listens.
    pub address: String,
    folder: PathBuf,
    launch: Launch,
    process: Option<Process>,
}

impl Server {
    /// Starts one with fresh data in `folder`. None, said aloud, where the services are missing that it needs.
    pub fn start(folder: &Path) -> Option<Self> {
        Self::start_told(folder, &[])
    }

    /// The same, told more; functions are not.
    pub fn start_told(folder: &Path, more: &[&str]) -> Option<Self> {
        let address = free_address();
        let api = Api::new(&format!("http://{address}"));
        Self::start_with(folder, &address, api, more)
    }

    /// The same, where and as is said.
    pub fn start_with(folder: &Path, address: &str, api: Api, more: &[&str]) -> Option<Self> {
        Some(Self::launched(Launch::new(&binary(SERVER), folder, address, more)?, folder, address, api))
    }

    /// The same, by another program than that of today.
    pub fn start_by(program: &Path, folder: &Path) -> Option<Self> {
        let address = free_address();
        let api = Api::new(&format!("http://{address}"));
        Some(Self::launched(Launch::new(program, folder, &address, &[])?, folder, &address, api))
    }

    fn launched(launch: Launch, folder: &Path, address: &str, api: Api) -> Self {
        let mut server = Self { api, address: address.into(), folder: folder.into(), launch, process: None };
        server.start_again();
        server.api.sign_in(PASSWORD);
        server
    }

    /// Starts it again, with the data it had.
    pub fn start_again(&mut self) {
        self.process = Some(self.launch.start(&self.folder));
        let process = self.process.as_mut().unwrap();
        until_so("the server's health", || {
            let alive = rustix::process::test_kill_process(process.pid()).is_ok();
            assert!(alive, "the server has ended");
            self.api.is_healthy()
        });
    }

    /// From the next start on it is today's program, on the data that it has.
    pub fn upgrade(&mut self) {
        self.launch.upgrade(&binary(SERVER));
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.end(Process::kill);
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.end(Process::stop)
    }

    /// With whatever it has started, such as the processes of functions.
    fn end<T>(&mut self, how: impl FnOnce(Process) -> T) -> T {
        let process = self.process.take().unwrap();
        let started = children(process.pid());
        let ended = how(process);
        until_so("the end of what the server has started", || !started.iter().any(|pid| lives(*pid)));
        ended
    }

    /// Where it can be reached.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// An address that was free a moment ago.
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
