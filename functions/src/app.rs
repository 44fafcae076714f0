//! The context of every handler and every duty: the store, the clock, the held requests, and the settings.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use muster_domain::{installations::Names, load::Sheddable, mailboxes::Mailbox, pacing::Pacing, retention::Retention};
use muster_schemas::{
    access::Role,
    ids::UserId,
    problems::{Problem, ProblemCode},
    secrets::Secret,
    storage::StorageView,
};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use crate::{
    blobs::Blobs,
    budgets::Budgets,
    clock::Clock,
    held::HeldRequests,
    memory::Memory,
    places::Places,
    polls::Polls,
    presence::{Presence, Seen},
    recent::Recent,
    store::{
        Consistency, Item, Key, StoreError, Table, Versioned,
        health::Health,
        load::{CountingTable, Load},
    },
    turns::Turns,
    verified::VerifiedTokens,
};

/// How many reads of several records are under way at once.
const SIDE_BY_SIDE: usize = 4;

/// The context of every handler and every duty. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The key-value table.
    pub table: Arc<dyn Table>,
    /// The object store.
    pub blobs: Arc<dyn Blobs>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub settings: Settings,
    /// The held requests of this process.
    pub polls: Polls,
    /// Which hosts hold a check-in of this process, or did.
    pub presence: Presence,
    /// How many of them each caller has.
    pub held: HeldRequests,
    /// Memory of requests on their way.
    pub requests: Arc<Memory>,
    /// Memory of answers on their way.
    pub answers: Arc<Memory>,
    /// Lists that are read, a few at a time.
    pub lists: Turns,
    /// How many requests callers have made to this process.
    pub budgets: Budgets,
    /// Who waits for a password to be checked.
    pub places: Places,
    /// Roles of accounts as they were a moment ago, for the API keys that they have made. Absent: there is no such account.
    pub roles: Recent<UserId, Option<Role>>,
    /// How the store is, as far as this process has seen.
    pub health: Arc<Health>,
    /// How much is kept, as last measured.
    pub storage: Mutex<Option<StorageView>>,
    /// Access tokens that this process has verified.
    pub verified: VerifiedTokens,
    /// Tasks that go on even if the caller is gone.
    pub tasks: TaskTracker,
    load: Load,
    draining: AtomicBool,
    names: OnceLock<Names>,
}

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL that agents and people know the server by, without a slash at the end.
    pub public_url: String,
    /// Where the console is, if browsers find it elsewhere than at the public URL. Empty: it is not.
    pub console_url: String,
    /// Signs access tokens of agents: at least 32 bytes.
    pub token_secret: Secret,
    /// When polls are answered and hosts count as offline.
    pub pacing: Pacing,
    /// How long what is over is kept.
    pub retention: Retention,
    /// The largest file of a release, in bytes.
    pub max_target_bytes: u64,
    /// How much of a file one answer holds at most, in bytes, where answers are bounded. Absent: all of it.
    pub max_blob_part_bytes: Option<u64>,
    /// How much memory requests on their way may have together, and answers on theirs, in bytes.
    pub body_memory_bytes: usize,
}

/// The usual value of [`Settings::body_memory_bytes`].
pub const BODY_MEMORY_BYTES: usize = 64 * 1024 * 1024;

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(table: Arc<dyn Table>, blobs: Arc<dyn Blobs>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let (load, draining) = (Load::default(), AtomicBool::new(false));
        let [requests, answers] = [(); 2].map(|()| Arc::new(Memory::new(settings.body_memory_bytes)));
        let health = Arc::new(Health::by(clock.clone()));
        let table = Arc::new(CountingTable { table, load: load.clone(), health: health.clone() });
        Self(Arc::new(Parts {
            table,
            blobs,
            clock,
            settings,
            polls: Polls::default(),
            presence: Presence::default(),
            held: HeldRequests::default(),
            requests,
            answers,
            lists: Turns::default(),
            budgets: Budgets::default(),
            places: Places::default(),
            roles: Recent::default(),
            health,
            storage: Mutex::default(),
            verified: VerifiedTokens::default(),
            tasks: TaskTracker::new(),
            load,
            draining,
            names: OnceLock::new(),
        }))
    }

    /// The names of this server, from its start on. They are said once.
    pub fn go_by(&self, names: Names) {
        drop(self.names.set(names));
    }

    /// The names that this server goes by; its public URL alone, until more is said.
    pub fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(&self.settings.public_url))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether a host is online: it holds a check-in of this process, or it was heard from lately and has not left since.
    pub fn is_online(&self, mailbox: &Mailbox) -> bool {
        match self.seen(mailbox) {
            Seen::Connected => true,
            // Where others serve the same hosts, it may be at one of them: what is stored decides.
            Seen::Gone if !self.has_neighbors() => false,
            Seen::Gone | Seen::Lately | Seen::Never => self.settings.pacing.is_online(mailbox, self.now()),
        }
    }

    /// Whether other processes may serve hosts from the same store.
    pub fn has_neighbors(&self) -> bool {
        self.settings.pacing.look_again_seconds > 0
    }

    /// Whether this process holds a check-in of a host at this moment.
    pub fn is_connected(&self, mailbox: &Mailbox) -> bool {
        self.seen(mailbox) == Seen::Connected
    }

    /// The longest pause that a host makes between its retries while the server does not answer, in seconds.
    pub fn retry_cap_seconds(&self) -> u32 {
        self.settings.pacing.retry_cap_seconds(self.presence.most())
    }

    /// How long a host that holds no check-in any more counts as online.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.settings.pacing.offline_after_seconds.into())
    }

    fn seen(&self, mailbox: &Mailbox) -> Seen {
        self.presence.of(mailbox.host_id, self.clock.elapsed(), self.patience())
    }

    /// Answers every held request and holds none from now on: the server is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.polls.wake_all();
    }

    /// Whether the server is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether this process has so much to do that it sheds such work.
    pub fn puts_off(&self, work: Sheddable) -> bool {
        work.is_put_off(self.load.pending(), self.settings.pacing.capacity)
    }

    /// Refuses work that this process sheds, with the time after which to come again.
    pub fn admit(&self, work: Sheddable, retry_after_seconds: u32) -> Result<(), Box<Problem>> {
        if self.puts_off(work) {
            let problem = Problem::new(ProblemCode::Unavailable).detail("the server is overloaded");
            return Err(Box::new(problem.with("retry_after_seconds", retry_after_seconds)));
        }
        Ok(())
    }

    /// Waits until every task that a request spawned has finished.
    pub async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    /// Waits until a held request must read again, because other processes write to the store, too; forever if none does.
    pub async fn time_to_look_again(&self) {
        match self.settings.pacing.look_again_seconds {
            0 => std::future::pending().await,
            seconds => self.clock.sleep(Duration::from_secs(seconds.into())).await,
        }
    }

    /// A record, as fresh as asked.
    pub async fn load<T: DeserializeOwned>(
        &self,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<Versioned<T>>, StoreError> {
        self.table.get(key, consistency).await?.map(|item| Versioned::read(&item)).transpose()
    }

    /// The same, cheaper and perhaps a moment old.
    pub async fn load_many_lagging<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<Vec<Option<Versioned<T>>>, StoreError> {
        let chunks = keys.chunks(100).map(|chunk| self.table.get_many_lagging(chunk)).collect::<Vec<_>>();
        in_order(stream::iter(chunks).buffered(SIDE_BY_SIDE).try_collect().await?)
    }

    /// Several records at once, in the order of the keys.
    pub async fn load_many<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<Option<Versioned<T>>>, StoreError> {
        let chunks = keys.chunks(100).map(|chunk| self.table.get_many(chunk)).collect::<Vec<_>>();
        in_order(stream::iter(chunks).buffered(SIDE_BY_SIDE).try_collect().await?)
    }
}

fn in_order<T: DeserializeOwned>(chunks: Vec<Vec<Option<Item>>>) -> Result<Vec<Option<Versioned<T>>>, StoreError> {
    chunks.into_iter().flatten().map(|item| item.map(|item| Versioned::read(&item)).transpose()).collect()
}
