//! Supervisor loop: starts the version that the files name, watches it, and records the outcome.

mod record;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    control::{SupervisorMessage, WorkerMessage},
    crashes::{Crashes, Verdict},
    signs::SignsOfLife,
    trial::{self, Event, Plan},
    worker::{self, Worker, WorkerEvent},
};
use crate::{
    config::Config,
    errors::chain,
    exits::Exit,
    identity::{Identity, IdentityError, is_retired},
    sys::{
        files::sha256_of,
        lock::{LockError, lock_within},
        machine::since_boot,
        reaper,
        signals::{self, Reloads},
    },
    version::{ARCHITECTURE, OS},
    versions::{
        pointer::{Choice, Phase, Pointer, TRIES, Update},
        trust::{Platform, Purpose, Trust},
    },
};

/// How long to wait for a supervisor that is about to be gone.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const PLATFORM: Platform<'_> = Platform { os: OS, architecture: ARCHITECTURE };

/// Why the supervisor cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// The host has not joined.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is another one.
    #[error("another supervisor uses this state directory")]
    Lock(#[source] LockError),
    /// This binary cannot be found.
    #[error("cannot find the path of this binary")]
    Factory(#[source] io::Error),
}

/// Supervises until it is asked to end, or the server retires this host.
pub async fn supervise(state: PathBuf) -> Result<(), SuperviseError> {
    if is_retired(&state) {
        error!("The server retired this host: the agent is not started");
        return Ok(());
    }
    Identity::load(&state)?;
    let _lock = lock_within(&state.join("supervisor.lock"), LOCK_PATIENCE).map_err(SuperviseError::Lock)?;
    worker::kill_left_behind(&state);
    let factory = std::env::current_exe().map_err(SuperviseError::Factory)?;
    // As process 1 of a container it is whom everybody's orphans come to.
    tokio::spawn(reaper::reap_orphans());
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if signals::asked_to_end().await.is_ok() {
            asked.cancel();
        }
    });
    let (config, reloads) = (Config::default(), Reloads::new());
    Supervisor { state, factory, config, stop, reloads, crashes: Crashes::default(), pending: None }.run().await;
    Ok(())
}

struct Supervisor {
    state: PathBuf,
    factory: PathBuf,
    /// As it could be read last.
    config: Config,
    stop: CancellationToken,
    reloads: Reloads,
    crashes: Crashes,
    /// A decided update that could not be written yet; it counts nevertheless.
    pending: Option<Update>,
}

/// How a worker ended.
enum WorkerEnd {
    /// The supervisor must end as well.
    ForGood,
    /// The files say what is next.
    Decided,
    /// By itself, after it was ready.
    Crashed { lived: Duration, log_tail: String },
    /// It was never ready: a disk, a file or a setting is in its way, and would be in the way of any version.
    CouldNotBegin,
}

/// A running worker, with the update and the deadline that it is watched for.
struct WatchedWorker {
    worker: Worker,
    update: Option<Update>,
    started: Instant,
    deadline: Option<Instant>,
    contact: bool,
    ready: bool,
    wants_commit: bool,
    signs: SignsOfLife,
}

impl Supervisor {
    async fn run(&mut self) {
        loop {
            if self.stop.is_cancelled() {
                return;
            }
            self.read_config();
            let update = self.settle();
            let ended = match (trial::plan(update.as_ref()), update) {
                (Plan::Try, Some(update)) => self.try_new(update).await,
                (Plan::GiveUp, Some(update)) => {
                    let reason = format!("it was started {TRIES} times, and the supervisor was ended each time");
                    self.decide(&update, Event::Failed { reason, log_tail: String::new() });
                    WorkerEnd::Decided
                }
                (_, update) => self.run_committed(update).await,
            };
            match ended {
                WorkerEnd::ForGood => return,
                WorkerEnd::Decided => {}
                WorkerEnd::Crashed { lived, log_tail } => self.after_crash(lived, log_tail).await,
                WorkerEnd::CouldNotBegin => {
                    let pause = self.crashes.could_not_begin();
                    self.rest(pause).await;
                }
            }
        }
    }

    /// What is in `agent.toml` before a worker is started counts for that worker.
    fn read_config(&mut self) {
        match Config::load(&self.state) {
            Ok(config) => self.config = config,
            Err(failed) => error!("The supervisor keeps to the configuration before: {}", chain(&failed)),
        }
    }

    async fn try_new(&mut self, update: Update) -> WorkerEnd {
        let checked = Trust::load(&self.state).and_then(|trust| {
            trust
                .check_installed(&self.state, &update.to, PLATFORM, Purpose::Update)
                .map(|()| update.to.binary(&self.state))
        });
        let binary = match checked {
            Ok(Some(binary)) => binary,
            Ok(None) => return self.give_up(&update, "its file is gone".into()),
            Err(refusal) => {
                self.decide(&update, Event::Refused { code: refusal.code.into(), reason: refusal.message });
                return WorkerEnd::Decided;
            }
        };
        // On disk before the start: a version that takes the host with it must not be started for ever.
        let update = match self.start_noted(&update) {
            Ok(update) => update,
            Err(failed) => {
                let reason = format!("its start cannot be recorded: {}", chain(&failed));
                self.decide(&update, Event::Refused { code: "disk".into(), reason });
                return WorkerEnd::Decided;
            }
        };
        info!("Starting version {} on trial, {} tries left", update.to.version, update.tries_left);
        match Worker::start(&binary, &self.state) {
            Ok(worker) => {
                self.watch(WatchedWorker::new(worker, Some(update), Some(self.config.update_deadline()))).await
            }
            Err(failed) => self.give_up(&update, format!("it cannot be started: {failed}")),
        }
    }

    fn give_up(&mut self, update: &Update, reason: String) -> WorkerEnd {
        self.decide(update, Event::Failed { reason, log_tail: String::new() });
        WorkerEnd::Decided
    }

    async fn run_committed(&mut self, update: Option<Update>) -> WorkerEnd {
        let unproven = update.as_ref().is_some_and(|update| update.phase == Phase::Unproven);
        let deadline = unproven.then(|| self.config.contact());
        match Worker::start(&self.committed_binary(), &self.state) {
            Ok(worker) => self.watch(WatchedWorker::new(worker, update, deadline)).await,
            Err(failed) => {
                error!("Cannot start the agent: {failed}");
                WorkerEnd::CouldNotBegin
            }
        }
    }

    /// The committed version, or the factory's when that is not what was committed.
    fn committed_binary(&self) -> PathBuf {
        committed_binary(&self.state)
            .unwrap_or_else(|reason| {
                error!("The committed version cannot be used, so the factory version is started: {reason}");
                None
            })
            .unwrap_or_else(|| self.factory.clone())
    }

    async fn watch(&mut self, mut watched: WatchedWorker) -> WorkerEnd {
        loop {
            let deadline = watched.deadline;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    watched.worker.stop().await;
                    return WorkerEnd::ForGood;
                }
                heard = watched.worker.next() => match heard {
                    WorkerEvent::Message(said) => {
                        if let Some(ended) = self.heard(&mut watched, said).await {
                            return ended;
                        }
                    }
                    WorkerEvent::Ended(status) => return self.worker_ended(watched, status).await,
                },
                () = self.reloads.next() => {
                    info!("SIGHUP: reading the files again");
                    watched.worker.tell(SupervisorMessage::Reload).await;
                }
                () = sleep_until(watched.signs.next_look()) => self.look(&mut watched).await,
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    if let Some(ended) = self.out_of_time(&mut watched).await {
                        return ended;
                    }
                }
            }
        }
    }

    /// Looks for what nobody tells: a worker that has stopped, and a disk that takes again what it did not take before.
    async fn look(&mut self, watched: &mut WatchedWorker) {
        if watched.signs.are_missing(Instant::now()) {
            error!("The agent has given no sign of life for a minute: it is replaced");
            watched.worker.kill().await;
        }
        if self.pending.is_some() || watched.wants_commit {
            self.put_down_again(watched).await;
        }
    }

    async fn heard(&mut self, watched: &mut WatchedWorker, said: WorkerMessage) -> Option<WorkerEnd> {
        watched.ready |= matches!(said, WorkerMessage::Ready(_));
        watched.signs.heard(&said);
        let update = watched.update.clone()?;
        match (update.phase, said) {
            (Phase::OnTrial, WorkerMessage::Ready(version)) if version != update.to.version => {
                watched.worker.kill().await;
                let (reason, log_tail) = (format!("it reports version {version:?}"), watched.worker.tail().await);
                self.decide(&update, Event::Failed { reason, log_tail });
                return Some(WorkerEnd::Decided);
            }
            (Phase::OnTrial, WorkerMessage::Commit) if watched.ready => {
                self.commit(watched, &update).await;
            }
            (phase, WorkerMessage::Contact) => {
                watched.contact = true;
                if phase == Phase::Unproven {
                    let update = self.decide(&update, Event::OldVersion { contact: true });
                    watched.decided(update).await;
                }
            }
            (_, WorkerMessage::Ready(_) | WorkerMessage::Commit | WorkerMessage::Alive) => {}
        }
        None
    }

    async fn out_of_time(&mut self, watched: &mut WatchedWorker) -> Option<WorkerEnd> {
        watched.deadline = None;
        match watched.update.clone() {
            // The write may have reached the disk although it failed: a restart would start the new version.
            Some(update) if watched.wants_commit && update.phase == Phase::OnTrial && self.is_committed(&update) => {
                self.commit(watched, &update).await;
                None
            }
            Some(update) if update.phase == Phase::OnTrial => {
                watched.worker.kill().await;
                let (contact, log_tail) = (watched.contact, watched.worker.tail().await);
                self.decide(&update, Event::OutOfTime { contact, log_tail });
                Some(WorkerEnd::Decided)
            }
            Some(update) => {
                let update = self.decide(&update, Event::OldVersion { contact: false });
                watched.decided(update).await;
                None
            }
            None => None,
        }
    }

    async fn worker_ended(&mut self, mut watched: WatchedWorker, status: io::Result<ExitStatus>) -> WorkerEnd {
        let code = status.as_ref().ok().and_then(ExitStatus::code);
        if code == Some(Exit::Retired.code().into()) {
            error!("The server retired this host: the agent is not started again");
            return WorkerEnd::ForGood;
        }
        let log_tail = watched.worker.tail().await;
        let how = status.map_or_else(|failed| failed.to_string(), |status| status.to_string());
        match watched.update {
            Some(update) if watched.wants_commit && update.phase == Phase::OnTrial && self.is_committed(&update) => {
                WorkerEnd::Decided
            }
            Some(update) if update.phase == Phase::OnTrial => {
                let reason = format!("it ended before it was committed ({how})");
                self.decide(&update, Event::Failed { reason, log_tail });
                WorkerEnd::Decided
            }
            _ if code == Some(Exit::Update.code().into()) && self.is_armed() => WorkerEnd::Decided,
            _ if !watched.ready || code == Some(Exit::Unusable.code().into()) => {
                error!("The agent failed to start ({how})");
                WorkerEnd::CouldNotBegin
            }
            _ => {
                warn!("The agent has ended ({how})");
                WorkerEnd::Crashed { lived: watched.started.elapsed(), log_tail }
            }
        }
    }

    /// Goes back to the previous version when the committed one ends too often; else starts it again after a pause.
    async fn after_crash(&mut self, lived: Duration, log_tail: String) {
        let pause = match self.crashes.add(since_boot(), lived) {
            Verdict::TooMany if self.go_back() => {
                self.crashes = Crashes::default();
                if let Some(update) = self.record() {
                    self.decide(&update, Event::CrashLoop { log_tail });
                }
                return;
            }
            Verdict::TooMany => self.crashes.pause(),
            Verdict::Restart(pause) => pause,
        };
        self.rest(pause).await;
    }

    /// Pauses before the agent is started again.
    async fn rest(&self, pause: Duration) {
        warn!("Restarting the agent in {} s", pause.as_secs());
        tokio::select! {
            () = sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

impl WatchedWorker {
    fn new(worker: Worker, update: Option<Update>, patience: Option<Duration>) -> Self {
        let started = Instant::now();
        let deadline = patience.map(|patience| started + patience);
        Self {
            worker,
            update,
            started,
            deadline,
            contact: false,
            ready: false,
            wants_commit: false,
            signs: SignsOfLife::default(),
        }
    }

    /// The record has changed, and the worker is told.
    async fn decided(&mut self, update: Update) {
        (self.update, self.deadline) = (Some(update), None);
        self.worker.tell(SupervisorMessage::Decided).await;
    }
}

/// The committed version's file; `None` for the factory's.
fn committed_binary(state: &Path) -> Result<Option<PathBuf>, String> {
    let installed = match Pointer::load(state).map_err(|failed| chain(&failed))?.committed {
        Choice::Factory => return Ok(None),
        Choice::Installed(installed) => installed,
    };
    let binary = installed.binary(state).ok_or("its name is not a valid version")?;
    let (sha256, _) = sha256_of(&binary).map_err(|failed| chain(&failed))?;
    if sha256 == installed.sha256 { Ok(Some(binary)) } else { Err("its file has changed".into()) }
}
