//! Shared state of the jobs on this host: the journal, the spool, the host's policy, and the limit of concurrent jobs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use muster_schemas::{
    ids::JobId,
    jobs::JobSpec,
    upstreams::{self, Upstream},
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{resources::Resources, spool::Spool};
use crate::{
    agent::Agent,
    errors::chain,
    followed::{Followed, News},
    journal::Journal,
    policy::Policy,
    sys::texts::Writers,
};

/// How many jobs run concurrently.
const RUNNING_JOBS: usize = 16;
/// Of so many jobs that are over the number of the last event is kept.
const NUMBERED_JOBS: usize = 4096;

/// The state that jobs share.
#[derive(Debug)]
pub struct Desk {
    /// The way to the server.
    pub agent: Arc<Agent>,
    /// The host's policy. While its file is of no use from the beginning, nothing is allowed.
    pub policy: Followed<Policy>,
    /// Whether jobs may start: not on trial, not while draining.
    pub gate: watch::Sender<Gate>,
    /// Cancelled when the worker stops: running jobs are cut off.
    pub stopping: CancellationToken,
    /// How many jobs have started and not ended.
    pub running: watch::Sender<usize>,
    /// Places for running jobs.
    pub places: Arc<Semaphore>,
    /// Which jobs may run beside each other.
    pub resources: Resources,
    /// Output that the server has not stored.
    pub spool: Arc<Spool>,
    journal: Mutex<Journal>,
    live: Mutex<BTreeMap<JobId, CancellationToken>>,
    numbers: Mutex<BTreeMap<JobId, u64>>,
}

/// Whether jobs may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// They may start.
    Open,
    /// This version is on trial: it accepts jobs, and the committed version will run them.
    OnTrial,
    /// The worker is about to end.
    Draining,
}

impl Desk {
    /// A desk with the jobs of this journal.
    pub fn new(agent: Arc<Agent>, policy: Followed<Policy>, journal: Journal, gate: Gate) -> Arc<Self> {
        agent.allow(policy.in_force().capabilities());
        Arc::new(Self {
            spool: Arc::new(Spool::of_state(&agent.state)),
            agent,
            policy,
            gate: watch::Sender::new(gate),
            stopping: CancellationToken::new(),
            running: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(RUNNING_JOBS)),
            resources: Resources::default(),
            journal: Mutex::new(journal),
            live: Mutex::default(),
            numbers: Mutex::default(),
        })
    }

    /// Works on the journal.
    pub fn journal<T>(&self, work: impl FnOnce(&mut Journal) -> T) -> T {
        work(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on the jobs that have a task, by the tokens that cancel them.
    pub fn live<T>(&self, work: impl FnOnce(&mut BTreeMap<JobId, CancellationToken>) -> T) -> T {
        work(&mut self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on the numbers of the last events of jobs that are over: within one process a number is never used twice.
    pub fn numbers<T>(&self, work: impl FnOnce(&mut BTreeMap<JobId, u64>) -> T) -> T {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        while numbers.len() > NUMBERED_JOBS {
            numbers.pop_first();
        }
        work(&mut numbers)
    }

    /// Whether the policy, as its file is now, lets this be done here; or which rule says no.
    pub fn allows(&self, spec: &JobSpec) -> Result<(), String> {
        self.look_at_policy();
        self.policy.in_force().check(spec).map_err(|rule| match self.policy.standing().broken {
            Some(reason) => format!("{rule}; its policy.toml cannot be used: {reason}"),
            None => rule,
        })
    }

    /// Brings the policy into force that is in the file now.
    pub fn look_at_policy(&self) {
        match self.policy.look(|file| Policy::read(file).map_err(|failed| chain(&failed))) {
            Some(News::InForce) => {
                let policy = self.policy.in_force();
                info!("policy.toml has changed, and is in force: {}", policy.summary());
                self.agent.allow(policy.capabilities());
                self.warn_of_writers();
            }
            Some(News::Broken(reason)) => {
                error!("policy.toml has changed and cannot be used, so what was in force stays in force: {reason}");
            }
            None => return,
        }
        // What is told to `status` has changed.
        self.agent.look.notify_one();
    }

    /// Warns of files that are not root's and the agent's alone. A policy that is everybody's is refused.
    pub fn warn_of_writers(&self) {
        let files = [("policy.toml", self.policy.writers()), ("agent.toml", self.agent.settings.writers())];
        for (name, _) in files.iter().filter(|(_, writers)| *writers != Writers::Owner) {
            warn!(
                "{name} can be changed by others than root and the agent's user, by its mode, its owner or its directory"
            );
        }
    }

    /// The report about this agent's upstreams.
    pub fn upstreams(&self) -> Vec<Upstream> {
        let mut upstreams = self.agent.client.upstreams();
        for upstream in upstreams.iter_mut().filter(|upstream| upstream.name == upstreams::API) {
            upstream.spooled_bytes = self.spool.used();
        }
        upstreams
    }
}
