//! A server process that can be killed and comes back on the same port with the same data.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use super::{
    api::Api,
    binaries::{SERVER, binary},
    patience::until_so,
    process::Process,
};

const PASSWORD: &str = "only for this test";

/// A server.
pub struct Server {
    /// Its API, with an admin signed in.
    pub api: Api,
    /// Where it listens.
    pub address: String,
    /// Its data directory.
    pub data: PathBuf,
    folder: PathBuf,
    more: Vec<String>,
    process: Option<Process>,
}

impl Server {
    /// Starts one with fresh data in `folder`.
    pub fn start(folder: &Path) -> Self {
        let address = free_address();
        let api = Api::new(&format!("http://{address}"));
        Self::start_with(folder, &address, api, &[])
    }

    /// The same, where and as is said.
    pub fn start_with(folder: &Path, address: &str, api: Api, more: &[&str]) -> Self {
        let (data, more) = (folder.join("data"), more.iter().map(ToString::to_string).collect());
        let mut server = Self { api, address: address.into(), data, folder: folder.into(), more, process: None };
        server.start_again();
        server.api.sign_in(PASSWORD);
        server
    }

    /// Starts it again, with the data it had.
    pub fn start_again(&mut self) {
        let arguments = ["serve", "--listen", &self.address, "--data", self.data.to_str().unwrap()];
        let arguments: Vec<_> = arguments.into_iter().chain(self.more.iter().map(String::as_str)).collect();
        let (log, environment) = (self.folder.join("server.log"), [("MUSTER_ADMIN_PASSWORD", PASSWORD)]);
        self.process = Some(Process::start(&binary(SERVER), &arguments, &self.folder, &log, &environment));
        let process = self.process.as_mut().unwrap();
        until_so("the server's health", || {
            let alive = rustix::process::test_kill_process(process.pid()).is_ok();
            assert!(alive, "the server has ended");
            self.api.is_healthy()
        });
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.process.take().unwrap().stop()
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
