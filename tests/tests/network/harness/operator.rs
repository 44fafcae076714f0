//! Somebody at the command line, beside the server.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use muster_schemas::{
    audit::AuditEntry,
    hosts::HostView,
    ids::{HostId, JobId},
    jobs::{JobState, JobView, JobsCreated},
    pages::Page,
    upstreams::{self, BreakerState, Upstream},
};
use muster_tests::processes::{
    binaries::{CLI, binary},
    patience::until,
    process::command,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{agent::Agent, namespace::Namespace};

/// An operator who is logged in.
pub struct Operator {
    network: Namespace,
    folder: PathBuf,
    server: String,
}

impl Operator {
    /// Logs in.
    pub fn log_in(network: &Namespace, folder: &Path, server: &str, password: &str) -> Self {
        let operator = Self { network: network.clone(), folder: folder.into(), server: server.into() };
        operator.muster(&["login", "--username", "admin"], &[("MUSTER_PASSWORD", password)]);
        operator
    }

    /// A new enrollment token.
    pub fn token(&self) -> String {
        let created: Value = self.read(&["token", "create"]);
        created["token"].as_str().unwrap().into()
    }

    /// Asks for a script to be run on a host.
    pub fn run(&self, host: &Agent, script: &str) -> JobId {
        let (id, work) = (host.id.to_string(), host.work.to_str().unwrap());
        let line =
            ["jobs", "run", "--host", &id, "--dir", work, "--if-offline", "queue", "--", "/bin/sh", "-c", script];
        self.read::<JobsCreated>(&line).items[0].id
    }

    /// A job as it is now.
    pub fn job(&self, id: JobId) -> JobView {
        self.read(&["jobs", "show", &id.to_string()])
    }

    /// A job, once it is over: it must have succeeded.
    pub fn succeeds(&self, id: JobId) -> JobView {
        let waiting = ["--json", "jobs", "show", &id.to_string(), "--wait", "--timeout", "90s"];
        let ended: JobView = serde_json::from_str(&self.muster(&waiting, &[])).unwrap();
        assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
        ended
    }

    /// Runs a script that must succeed.
    pub fn works(&self, host: &Agent) {
        self.succeeds(self.run(host, "true"));
    }

    /// A job's log.
    pub fn log(&self, id: JobId) -> String {
        self.muster(&["jobs", "log", &id.to_string()], &[])
    }

    /// What a host tells of its way to the server.
    pub fn way(&self, host: HostId) -> Option<Upstream> {
        let host: HostView = self.read(&["host", &host.to_string()]);
        host.upstreams.into_iter().find(|upstream| upstream.name == upstreams::API)
    }

    /// The same, once its circuit has been open and is closed again.
    pub fn recovered(&self, host: &Agent) -> Upstream {
        let is_well = |way: &Upstream| way.opened > 0 && way.breaker == BreakerState::Closed;
        until("word of a circuit that was open", || self.way(host.id).filter(is_well))
    }

    /// What somebody should look at, in the audit trail.
    pub fn alerts(&self) -> Vec<String> {
        let entries: Page<AuditEntry> = self.read(&["audit"]);
        entries.items.into_iter().filter(|entry| entry.alert).map(|entry| entry.action).collect()
    }

    fn read<T: DeserializeOwned>(&self, arguments: &[&str]) -> T {
        let said = self.muster(&[&["--json"], arguments].concat(), &[]);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
    }

    fn muster(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let mut command = command(&binary(CLI), arguments, &self.folder);
        command.env("MUSTER_SERVER", &self.server).env("MUSTER_CONFIG", self.folder.join("operator.toml"));
        command.env("MUSTER_CA_FILE", self.folder.join("authority.pem"));
        command.envs(environment.iter().copied()).stdin(Stdio::null());
        let output = self.network.inside(|| command.output()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }
}
