//! A host: the real agent in its state directory. Its process crashes and begins, and its disk is copied.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use muster_agent::{
    agent::Agent,
    client::Client,
    clock::ServerClock,
    config::Config,
    enroll,
    identity::Identity,
    jobs::desk::{Desk, Gate},
    journal::Journal,
    policy::Policy,
    run,
    supervisor::report::Reporter,
};
use muster_schemas::{
    ids::{HostId, JobId},
    secrets::Secret,
    upstreams::Upstream,
};

use crate::{history::Machine, network::Line, server::URL, store::copy, time::elapsed};

/// A host.
pub struct Host {
    /// Who it is.
    pub id: HostId,
    /// Its way to the server.
    pub line: Line,
    state: PathBuf,
    machine: Arc<Machine>,
    desk: Option<Arc<Desk>>,
}

impl Host {
    /// Joins.
    pub async fn join(state: PathBuf, line: Line, machine: Machine, token: Secret) -> Self {
        fs::create_dir_all(&state).expect("a folder can be made");
        let identity = Identity::create(URL).expect("there is a source of keys");
        let config = Config::default();
        let client = Client::new(identity.clone(), &config, Arc::new(line.clone()), ServerClock::by(elapsed));
        let id = enroll::join(&state, identity, &client, token).await.expect("the line is good yet");
        let mut host = Self { id, line, state, machine: Arc::new(machine), desk: None };
        host.allows("[allow]\nrun = \"*\"\n");
        host.starts();
        host
    }

    /// What it says in its policy from the next job on.
    pub fn allows(&self, policy: &str) {
        fs::write(self.state.join("policy.toml"), policy).expect("a file can be written");
    }

    /// The machine that it is.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// A process of the agent begins, with what is on the disk.
    pub fn starts(&mut self) {
        let settings = Config::follow_with(&self.state, |_| None).expect("it is right");
        let config = settings.in_force();
        let (identity, host_id) = Identity::load(&self.state).expect("it has joined");
        let (journal, damaged) = Journal::open(&self.state).expect("the disk works");
        assert!(damaged.is_none(), "a crash between two writes leaves whole lines");
        let client = Client::new(identity, &config, Arc::new(self.line.clone()), ServerClock::by(elapsed));
        let policy = Policy::follow(&self.state);
        let machine = self.machine.clone();
        let agent = Agent::new(self.state.clone(), host_id, settings, client, machine);
        let reporter = Reporter::new(self.state.clone(), agent.process_id, "0".repeat(64));
        let desk = Desk::new(agent, policy, journal, Gate::Open);
        run::begin(&desk, reporter);
        self.desk = Some(desk);
    }

    /// The process ends where it stands, as by kill -9 or a power cut.
    pub fn crashes(&mut self) {
        if let Some(desk) = self.desk.take() {
            desk.agent.crashed.cancel();
        }
    }

    /// Jobs that only this disk can tell about.
    pub fn owes(&self) -> Vec<JobId> {
        let jobs = |desk: &Arc<Desk>| desk.journal(|journal| journal.ledger().jobs().keys().copied().collect());
        self.desk.as_ref().map(jobs).unwrap_or_default()
    }

    /// How its calls have gone.
    pub fn upstreams(&self) -> Vec<Upstream> {
        self.desk.as_ref().map(|desk| desk.upstreams()).unwrap_or_default()
    }

    /// Whether a process runs.
    pub fn is_running(&self) -> bool {
        self.desk.is_some()
    }

    /// Another machine with a copy of this one's disk, not started yet.
    pub fn cloned(&self, state: &Path, line: Line) -> Self {
        copy(&self.state, state);
        Self { id: self.id, line, state: state.into(), machine: self.machine.clone(), desk: None }
    }
}
