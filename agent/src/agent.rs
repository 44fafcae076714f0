//! Shared state of a worker: the host's identity, the client, the current session, and the reason to end.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use muster_schemas::ids::{HostId, ProcessId};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Client,
    config::Config,
    exits::Exit,
    followed::Followed,
    link::{Link, Outcome},
    programs::Machine,
    sys::dice,
};

/// A running worker. What jobs share beside this is on `jobs::desk`.
#[derive(Debug)]
pub struct Agent {
    /// Where everything is kept.
    pub state: PathBuf,
    /// The host's identity.
    pub host_id: HostId,
    /// This start of the agent.
    pub process_id: ProcessId,
    /// How it behaves.
    pub settings: Followed<Config>,
    /// The way to the server.
    pub client: Client,
    /// What jobs act on.
    pub machine: Arc<dyn Machine>,
    /// The current session; `None` while there is none.
    pub session: watch::Sender<Option<Session>>,
    /// Whether the server has answered an authenticated check-in to this process.
    pub contact: watch::Sender<bool>,
    /// Why the worker ends; `None` while it goes on.
    pub exit: watch::Sender<Option<Exit>>,
    /// Cancelled to end everything where it stands, as a crash does; only a simulation does that.
    pub crashed: CancellationToken,
    /// Bumped by each word of the supervisor: the update's record may have changed.
    pub supervisor_spoke: watch::Sender<u64>,
    /// Bumped when the server should hear something before the call ends that it holds.
    pub news: watch::Sender<u64>,
    /// Notified when the files that people change are to be looked at.
    pub look: Notify,
    /// The kinds of jobs that this host allows, in order.
    capabilities: Mutex<Vec<String>>,
    sessions: AtomicU64,
}

/// A session of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// Its number, by the server.
    pub number: u64,
    /// Which of this process's sessions it is: a server that was put back to a backup counts anew.
    pub count: u64,
}

impl Agent {
    /// Puts a worker together.
    pub fn new(
        state: PathBuf,
        host_id: HostId,
        settings: Followed<Config>,
        client: Client,
        machine: Arc<dyn Machine>,
    ) -> Arc<Self> {
        Arc::new(Self {
            state,
            host_id,
            process_id: ProcessId::new(Timestamp::now(), rand::random()),
            settings,
            client,
            machine,
            session: watch::Sender::new(None),
            contact: watch::Sender::new(false),
            exit: watch::Sender::new(None),
            crashed: CancellationToken::new(),
            supervisor_spoke: watch::Sender::new(0),
            news: watch::Sender::new(0),
            look: Notify::new(),
            capabilities: Mutex::default(),
            sessions: AtomicU64::default(),
        })
    }

    /// The configuration that is in force.
    pub fn config(&self) -> Arc<Config> {
        self.settings.in_force()
    }

    /// The kinds of jobs that this host allows, in order.
    pub fn capabilities(&self) -> Vec<String> {
        self.capabilities.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this host allows these kinds of jobs; the server hears of it at once.
    pub fn allow(&self, kinds: Vec<String>) {
        let mut capabilities = self.capabilities.lock().unwrap_or_else(PoisonError::into_inner);
        if *capabilities != kinds {
            *capabilities = kinds;
            self.news.send_modify(|count| *count += 1);
        }
    }

    /// Does something beside everything else.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.crashed.clone().run_until_cancelled_owned(work));
    }

    /// Ends the worker. The first reason stays, but for an update: it may wait for jobs for a day, and a stop does not wait.
    pub fn end(&self, exit: Exit) {
        self.exit.send_if_modified(|current| {
            let counts = match current {
                None => true,
                Some(Exit::Update) => exit != Exit::Update,
                Some(Exit::Stop | Exit::Retired | Exit::Unusable) => false,
            };
            if counts {
                *current = Some(exit);
            }
            counts
        });
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

    /// Another process has a newer session.
    pub fn session_lost(&self, session: Session) {
        self.session.send_if_modified(|current| current.take_if(|current| *current == session).is_some());
    }

    /// The pause after a failure, by this link.
    pub fn pause(&self, link: &mut Link, outcome: Outcome) -> Duration {
        let pause;
        (*link, pause) = link.after(outcome, self.client.pacing(), dice::random());
        pause
    }
}
