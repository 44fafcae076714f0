//! What the parts of a running worker share.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use muster_schemas::{
    ids::{HostId, JobId, ProcessId},
    upstreams::{self, Upstream},
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Client,
    config::Config,
    exits::Exit,
    jobs::{resources::Resources, spool::Spool},
    journal::Journal,
    policy::Policy,
    runners::Programs,
    sys::dice,
};

/// So many jobs run side by side.
const RUNNING_JOBS: usize = 16;
/// Of so many jobs that are over the number of the last event is kept.
const NUMBERED_JOBS: usize = 4096;

/// A running worker.
#[derive(Debug)]
pub struct Agent {
    /// Where everything is kept.
    pub state: PathBuf,
    /// Who this host is.
    pub host_id: HostId,
    /// This start of the agent.
    pub process_id: ProcessId,
    /// How it behaves.
    pub config: Config,
    /// What the host allows, or why nothing is allowed.
    pub policy: Result<Policy, String>,
    /// The way to the server.
    pub client: Client,
    /// What runs programs.
    pub programs: Arc<dyn Programs>,
    /// The current session; `None` while there is none.
    pub session: watch::Sender<Option<Session>>,
    /// Whether jobs may start: not on trial, not while draining.
    pub gate: watch::Sender<Gate>,
    /// Whether the server has answered an authenticated check-in to this process.
    pub contact: watch::Sender<bool>,
    /// Why the worker ends; `None` while it goes on.
    pub exit: watch::Sender<Option<Exit>>,
    /// Cancelled when the worker stops: running jobs are cut off.
    pub stopping: CancellationToken,
    /// Cancelled to end everything where it stands, as a crash does; only a simulation does that.
    pub crashed: CancellationToken,
    /// How many jobs have started and not ended.
    pub running: watch::Sender<usize>,
    /// Bumped by each word of the supervisor: the update's record may have changed.
    pub supervisor_spoke: watch::Sender<u64>,
    /// Places for running jobs.
    pub places: Arc<Semaphore>,
    /// One running job per resource.
    pub resources: Resources,
    /// What jobs have printed and the server has not stored.
    pub spool: Arc<Spool>,
    sessions: AtomicU64,
    journal: Mutex<Journal>,
    live: Mutex<BTreeMap<JobId, CancellationToken>>,
    numbers: Mutex<BTreeMap<JobId, u64>>,
}

/// A session of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// Its number, by the server.
    pub number: u64,
    /// Which of this process's sessions it is: a server that was put back to a backup counts anew.
    pub count: u64,
}

/// Whether jobs may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// They may.
    Open,
    /// This version is on trial: what it takes in, whoever is committed will run.
    OnTrial,
    /// The worker is about to end.
    Draining,
}

impl Agent {
    /// Puts a worker together.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of its own; a struct of them would be this struct again"
    )]
    pub fn new(
        state: PathBuf,
        host_id: HostId,
        config: Config,
        policy: Result<Policy, String>,
        client: Client,
        journal: Journal,
        programs: Arc<dyn Programs>,
        gate: Gate,
    ) -> Arc<Self> {
        Arc::new(Self {
            spool: Arc::new(Spool::of_state(&state)),
            state,
            host_id,
            process_id: ProcessId::new(Timestamp::now(), rand::random()),
            config,
            policy,
            client,
            programs,
            session: watch::Sender::new(None),
            gate: watch::Sender::new(gate),
            contact: watch::Sender::new(false),
            exit: watch::Sender::new(None),
            stopping: CancellationToken::new(),
            crashed: CancellationToken::new(),
            running: watch::Sender::new(0),
            supervisor_spoke: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(RUNNING_JOBS)),
            resources: Resources::default(),
            sessions: AtomicU64::default(),
            journal: Mutex::new(journal),
            live: Mutex::default(),
            numbers: Mutex::default(),
        })
    }

    /// Does something beside everything else.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.crashed.clone().run_until_cancelled_owned(work));
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

    /// What operators are told of the ways this agent goes.
    pub fn upstreams(&self) -> Vec<Upstream> {
        let mut upstreams = self.client.upstreams();
        for upstream in upstreams.iter_mut().filter(|upstream| upstream.name == upstreams::API) {
            upstream.spooled_bytes = self.spool.used();
        }
        upstreams
    }

    /// Ends the worker. The first reason stays.
    pub fn end(&self, exit: Exit) {
        self.exit.send_if_modified(|current| current.is_none() && current.replace(exit).is_none());
    }

    /// Waits until the worker is to end.
    pub async fn ended(&self) -> Exit {
        let mut exit = self.exit.subscribe();
        // The sender lives as long as `self`.
        exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit).unwrap_or(Exit::Stop)
    }

    /// A session has begun.
    pub fn session_begun(&self, number: u64) {
        let count = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.session.send_replace(Some(Session { number, count }));
    }

    /// Waits for a session other than `lost`.
    pub async fn session_after(&self, lost: Option<Session>) -> Session {
        let mut session = self.session.subscribe();
        let found = session.wait_for(|session| session.is_some() && *session != lost).await;
        found.ok().and_then(|session| *session).unwrap_or_default()
    }

    /// Somebody else has a newer session.
    pub fn session_lost(&self, session: Session) {
        self.session.send_if_modified(|current| current.take_if(|current| *current == session).is_some());
    }

    /// The policy; nothing is allowed while it cannot be read.
    pub fn policy(&self) -> Policy {
        self.policy.clone().unwrap_or_else(|_| Policy::nothing())
    }

    /// The pause after a failure, by this link.
    pub fn pause(&self, link: &mut crate::link::Link, outcome: crate::link::Outcome) -> Duration {
        let pause;
        (*link, pause) = link.after(outcome, self.client.pacing(), dice::random());
        pause
    }
}
