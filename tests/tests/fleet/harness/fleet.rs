//! A server with hosts, in a folder that goes away with everything that works in it.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use muster_schemas::{
    fleet_updates::{FleetUpdateHostView, FleetUpdateView},
    hosts::{HostState, HostView},
    ids::{FleetUpdateId, HostId, JobId},
    jobs::{JobState, JobView, JobsCreated},
    pages::Page,
    problems::Problem,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    api::Api,
    binaries::FACTORY_VERSIONS,
    host::{Host, Setup},
    patience::{until, until_so},
    process::sweep,
    releases::{Publisher, Release},
    server::Server,
};

/// A server with hosts.
pub struct Fleet {
    /// The server.
    pub server: Server,
    /// Who signs releases.
    pub publisher: Publisher,
    folder: TempDir,
}

impl Fleet {
    /// A server without hosts. None, said aloud, where the services are missing that the body under test needs.
    pub fn start() -> Option<Self> {
        Self::start_with(Server::start)
    }

    /// The same, with a server that is started otherwise.
    pub fn start_with(server: impl FnOnce(&Path) -> Option<Server>) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let publisher = Publisher::new();
        let root = serde_json::to_vec(&publisher.trust_root()).unwrap();
        fs::write(folder.path().join("root.json"), root).unwrap();
        Some(Self { server: server(&path(&folder))?, publisher, folder })
    }

    /// The server's API, with an admin signed in.
    pub fn api(&self) -> &Api {
        &self.server.api
    }

    /// Where everything is.
    pub fn folder(&self) -> PathBuf {
        path(&self.folder)
    }

    /// A host that has joined, runs the agent's version 1.0.0, and is online.
    pub fn host(&self, name: &str) -> Host {
        self.host_with(name, &Setup::of(&self.server.url()))
    }

    /// The same, set up otherwise.
    pub fn host_with(&self, name: &str, setup: &Setup) -> Host {
        self.host_by(name, setup, &self.token())
    }

    /// The same, by a token of which it has heard.
    pub fn host_by(&self, name: &str, setup: &Setup, token: &str) -> Host {
        let folder = self.folder().join("hosts").join(name);
        fs::create_dir_all(&folder).unwrap();
        let host = Host::join(&folder, setup, token, &self.folder().join("root.json"));
        until_so(&format!("{name} is online"), || self.view(host.id).agent.is_some());
        host
    }

    /// Four hosts, by the order in which they joined.
    pub fn four_hosts(&self) -> [Host; 4] {
        ["one", "two", "three", "four"].map(|name| self.host(name))
    }

    /// A new enrollment token.
    pub fn token(&self) -> String {
        let created: Value = self.api().post("/enrollment-tokens", &json!({}));
        created["token"].as_str().unwrap().into()
    }

    /// A host as operators see it.
    pub fn view(&self, id: HostId) -> HostView {
        self.api().get(&format!("/hosts/{id}"))
    }

    /// Entries of the audit trail that somebody should look at.
    pub fn alerts(&self) -> Page<muster_schemas::audit::AuditEntry> {
        self.api().get("/audit?alert=true")
    }

    /// Asks for a script to be run on a host.
    pub fn run(&self, host: &Host, script: &str) -> JobId {
        self.try_run(host, script, &json!({})).unwrap()
    }

    /// The same, with more to say in the request.
    pub fn try_run(&self, host: &Host, script: &str, more: &Value) -> Result<JobId, Box<Problem>> {
        let spec = json!({ "argv": ["/bin/sh", "-c", script], "working_directory": host.work });
        let request = json!({ "host_ids": [host.id], "kind": "run", "spec": spec });
        let request = with(request, more);
        let created = self.api().try_post("/jobs", &request)?;
        Ok(serde_json::from_value::<JobsCreated>(created).unwrap().items[0].id)
    }

    /// A job, once it is in this state; it is an error when it ends in another.
    pub fn job_in(&self, id: JobId, state: JobState) -> JobView {
        let job = self.api().wait::<JobView>(&job(id), |job| job.state == state || job.state.is_final());
        assert_eq!(job.state, state, "{job:#?}");
        job
    }

    /// A job, once it is over.
    pub fn ended(&self, id: JobId) -> JobView {
        self.api().wait(&job(id), |job: &JobView| job.state.is_final())
    }

    /// A host's state once it is this one.
    pub fn wait_for_state(&self, id: HostId, state: HostState) -> HostView {
        until(&format!("{id} is {state:?}"), || Some(self.view(id)).filter(|host| host.state == state))
    }

    /// Exactly one worker of this version runs, works, and is what the server knows.
    pub fn runs(&self, host: &Host, version: &str) {
        self.works(host);
        assert_eq!(self.view(host.id).agent.unwrap().version, version);
        assert_eq!(host.workers().len(), 1);
        let installed = host.state.join("versions");
        if FACTORY_VERSIONS.contains(&version) {
            assert_eq!((host.running(), host.committed().as_str()), (host.agent.clone(), "factory"));
        } else {
            assert!(host.running().starts_with(installed));
            assert_eq!(host.committed(), version);
        }
    }

    /// The same for several.
    pub fn all_run(&self, hosts: &[Host], version: &str) {
        for host in hosts {
            self.runs(host, version);
        }
    }

    /// Runs a script that must succeed, as soon as the host is there.
    pub fn works(&self, host: &Host) {
        let job = self.try_run(host, "true", &json!({ "if_offline": "queue" })).unwrap();
        self.job_in(job, JobState::Succeeded);
    }

    /// Announces a release and uploads its file.
    pub fn publish(&self, release: &Release) {
        self.announce(release);
        let version = &release.manifest.version;
        for target in &release.manifest.targets {
            let path = format!("/releases/{version}/targets/{}", target.platform());
            self.api().upload(&path, release.file.clone());
        }
    }

    /// Announces a release.
    pub fn announce(&self, release: &Release) {
        self.api().post::<Value>("/releases", &json!(release.envelope));
    }

    /// Asks for an update of one host's agent.
    pub fn update(&self, host: &Host, version: &str) -> JobId {
        let job: JobView = self.api().post(&format!("/hosts/{}/update", host.id), &json!({ "version": version }));
        job.id
    }

    /// Starts a fleet update over every host.
    pub fn fleet_update(&self, version: &str, more: &Value) -> FleetUpdateId {
        let request = json!({ "version": version, "soak_seconds": 0, "host_time_limit_seconds": 60 });
        let request = with(request, more);
        self.api().post::<FleetUpdateView>("/fleet-updates", &request).id
    }

    /// A fleet update, once it is as wanted.
    pub fn fleet_update_when(&self, id: FleetUpdateId, wanted: impl Fn(&FleetUpdateView) -> bool) -> FleetUpdateView {
        self.api().wait(&format!("/fleet-updates/{id}"), wanted)
    }

    /// The hosts of a fleet update, in their order.
    pub fn fleet_update_hosts(&self, id: FleetUpdateId) -> Vec<FleetUpdateHostView> {
        self.api().get::<Page<FleetUpdateHostView>>(&format!("/fleet-updates/{id}/hosts")).items
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if thread::panicking() {
            logs(&self.folder());
        }
        sweep(&self.folder());
    }
}

/// An object with the members of another.
fn with(mut object: Value, more: &Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn job(id: JobId) -> String {
    format!("/jobs/{id}")
}

/// As the kernel names it.
fn path(folder: &TempDir) -> PathBuf {
    folder.path().canonicalize().unwrap()
}

/// Shows the ends of all logs, for a test that failed.
fn logs(folder: &Path) {
    let hosts = fs::read_dir(folder.join("hosts")).into_iter().flatten().filter_map(Result::ok);
    let files = hosts.map(|host| host.path().join("agent.log")).chain([folder.join("server.log")]);
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let lines: Vec<_> =
            text.lines().filter(|line| !line.contains("quarantine") && !line.contains("check-in failed")).collect();
        eprintln!("== {}\n{}", file.display(), lines[lines.len().saturating_sub(30)..].join("\n"));
    }
}

/// Why a job did not succeed: the stable word, and the same for people.
pub fn reason(job: &JobView) -> (String, String) {
    let error = job.result.as_ref().and_then(|result| result.error.clone());
    let error = error.unwrap_or_else(|| panic!("no reason: {job:#?}"));
    (error.code, error.message)
}
