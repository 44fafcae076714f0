//! The supervisor's loop: start what the files say, watch it, put down what follows.

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
    control::{Said, Told},
    crashes::{Crashes, Verdict},
    pointer::{Choice, Phase, Pointer, TRIES, Update},
    trial::{self, Event, Plan},
    worker::{self, Heard, Worker},
};
use crate::{
    agent::Exit,
    config::Config,
    identity::{Identity, IdentityError},
    jobs::results::chain,
    status::is_retired,
    sys::{
        files::{FileError, sha256_of},
        lock::{LockError, lock_within},
        machine::since_boot,
        signals,
    },
    trust::{Platform, Trust, remove_versions_except},
    version::{ARCHITECTURE, OS},
};

/// How long to wait for a supervisor that is about to be gone.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Why the supervisor cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// The host has not joined.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is another one.
    #[error("another supervisor works with this state")]
    Lock(#[source] LockError),
    /// This binary cannot be found.
    #[error("cannot find this binary")]
    Factory(#[source] io::Error),
    /// What was decided cannot be put down.
    #[error(transparent)]
    File(#[from] FileError),
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
    let config = Config::load(&state).unwrap_or_else(|failed| {
        error!("The supervisor goes by default values: {}", chain(&failed));
        Config::default()
    });
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if signals::asked_to_end().await.is_ok() {
            asked.cancel();
        }
    });
    Supervisor { state, factory, config, stop, crashes: Crashes::default() }.run().await
}

struct Supervisor {
    state: PathBuf,
    factory: PathBuf,
    config: Config,
    stop: CancellationToken,
    crashes: Crashes,
}

/// How a worker's time ended.
enum Ended {
    /// The supervisor shall end as well.
    ForGood,
    /// The files say what is next.
    Decided,
    /// By itself.
    Crashed { lived: Duration, log_tail: String },
}

/// A worker that is watched.
struct Watched {
    worker: Worker,
    update: Option<Update>,
    started: Instant,
    deadline: Option<Instant>,
    contact: bool,
    right_version: bool,
}

impl Supervisor {
    async fn run(&mut self) -> Result<(), SuperviseError> {
        loop {
            if self.stop.is_cancelled() {
                return Ok(());
            }
            let update = self.settle()?;
            let ended = match (trial::plan(update.as_ref()), update) {
                (Plan::Try, Some(update)) => self.try_new(update).await?,
                (Plan::GiveUp, Some(update)) => {
                    let reason = format!("it was started {TRIES} times, and something ended the supervisor each time");
                    self.decide(&update, Event::Failed { reason, log_tail: String::new() })?;
                    Ended::Decided
                }
                (_, update) => self.run_committed(update).await?,
            };
            match ended {
                Ended::ForGood => return Ok(()),
                Ended::Decided => {}
                Ended::Crashed { lived, log_tail } => self.after_crash(lived, log_tail).await?,
            }
        }
    }

    /// The record of the last update, made to agree with `current.json`, which is right: a crash may have come between the two.
    fn settle(&self) -> Result<Option<Update>, SuperviseError> {
        let update = Update::load(&self.state).unwrap_or_else(|failed| {
            error!("The record of the last update is passed over: {}", chain(&failed));
            None
        });
        let (Some(update), Ok(pointer)) = (update, Pointer::load(&self.state)) else { return Ok(None) };
        let is_committed = pointer.committed == Choice::Installed(update.to.clone());
        let event = match update.phase {
            Phase::OnTrial if is_committed => Event::Commit,
            Phase::Committed if !is_committed => Event::CrashLoop { log_tail: String::new() },
            _ => return Ok(Some(update)),
        };
        self.decide(&update, event).map(Some)
    }

    /// Puts down what follows from an event.
    fn decide(&self, update: &Update, event: Event) -> Result<Update, SuperviseError> {
        let next = trial::after(update.clone(), event);
        next.save(&self.state)?;
        let (from, to) = (&next.from, &next.to.version);
        match next.phase {
            Phase::Committed => info!("The update from {from} to {to} is committed"),
            Phase::Armed | Phase::OnTrial => {}
            Phase::Unproven | Phase::RolledBack | Phase::Inconclusive | Phase::Refused => {
                warn!("The update from {from} to {to} is undone: {}", next.reason);
            }
        }
        Ok(next)
    }

    async fn try_new(&mut self, update: Update) -> Result<Ended, SuperviseError> {
        let platform = Platform { os: OS, architecture: ARCHITECTURE };
        let checked = Trust::load(&self.state).and_then(|trust| {
            trust.check_installed(&self.state, &update.to, platform).map(|()| update.to.binary(&self.state))
        });
        let binary = match checked {
            Ok(Some(binary)) => binary,
            Ok(None) => return self.give_up(&update, "its file is gone".into()),
            Err(refusal) => {
                self.decide(&update, Event::Refused { code: refusal.code.into(), reason: refusal.message })?;
                return Ok(Ended::Decided);
            }
        };
        // On disk before the start: a version that takes the host with it must not be started for ever.
        let update = self.decide(&update, Event::Start)?;
        info!("Version {} is started on trial, {} more tries", update.to.version, update.tries_left);
        match Worker::start(&binary, &self.state) {
            Ok(worker) => self.watch(Watched::new(worker, Some(update), Some(self.config.update_deadline()))).await,
            Err(failed) => self.give_up(&update, format!("it cannot be started: {failed}")),
        }
    }

    fn give_up(&self, update: &Update, reason: String) -> Result<Ended, SuperviseError> {
        self.decide(update, Event::Failed { reason, log_tail: String::new() })?;
        Ok(Ended::Decided)
    }

    async fn run_committed(&mut self, update: Option<Update>) -> Result<Ended, SuperviseError> {
        let unproven = update.as_ref().is_some_and(|update| update.phase == Phase::Unproven);
        let deadline = unproven.then(|| self.config.contact());
        match Worker::start(&self.committed_binary(), &self.state) {
            Ok(worker) => self.watch(Watched::new(worker, update, deadline)).await,
            Err(failed) => {
                error!("The agent cannot be started: {failed}");
                Ok(Ended::Crashed { lived: Duration::ZERO, log_tail: failed.to_string() })
            }
        }
    }

    /// The committed version, or the factory's when that is not what was committed.
    fn committed_binary(&self) -> PathBuf {
        committed_binary(&self.state)
            .unwrap_or_else(|reason| {
                error!("The committed version cannot be used, so the factory's is started: {reason}");
                None
            })
            .unwrap_or_else(|| self.factory.clone())
    }

    async fn watch(&mut self, mut watched: Watched) -> Result<Ended, SuperviseError> {
        loop {
            let deadline = watched.deadline;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    watched.worker.stop().await;
                    return Ok(Ended::ForGood);
                }
                heard = watched.worker.next() => match heard {
                    Heard::Said(said) => {
                        if let Some(ended) = self.heard(&mut watched, said).await? {
                            return Ok(ended);
                        }
                    }
                    Heard::Ended(status) => return self.worker_ended(watched, status).await,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    if let Some(ended) = self.out_of_time(&mut watched).await? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    async fn heard(&mut self, watched: &mut Watched, said: Said) -> Result<Option<Ended>, SuperviseError> {
        let Some(update) = watched.update.clone() else { return Ok(None) };
        match (update.phase, said) {
            (Phase::OnTrial, Said::Ready(version)) if version != update.to.version => {
                watched.worker.kill().await;
                let (reason, log_tail) =
                    (format!("it says that it is version {version:?}"), watched.worker.tail().await);
                self.decide(&update, Event::Failed { reason, log_tail })?;
                return Ok(Some(Ended::Decided));
            }
            (_, Said::Ready(_)) => watched.right_version = true,
            (Phase::OnTrial, Said::Commit) if watched.right_version => {
                let update = self.commit(&update)?;
                watched.decided(update).await;
            }
            (phase, Said::Contact) => {
                watched.contact = true;
                if phase == Phase::Unproven {
                    let update = self.decide(&update, Event::OldVersion { contact: true })?;
                    watched.decided(update).await;
                }
            }
            (_, Said::Commit) => {}
        }
        Ok(None)
    }

    /// `current.json` is the commit; the record follows.
    fn commit(&mut self, update: &Update) -> Result<Update, SuperviseError> {
        let before = Pointer::load(&self.state).unwrap_or_default().committed;
        let pointer = Pointer { committed: Choice::Installed(update.to.clone()), previous: Some(before.clone()) };
        pointer.save(&self.state)?;
        self.crashes = Crashes::default();
        let kept: Vec<_> = [&pointer.committed, &before].into_iter().filter_map(Choice::installed).collect();
        if let Err(failed) = remove_versions_except(&self.state, &kept) {
            warn!("Old versions cannot be removed: {failed}");
        }
        self.decide(update, Event::Commit)
    }

    async fn out_of_time(&self, watched: &mut Watched) -> Result<Option<Ended>, SuperviseError> {
        watched.deadline = None;
        match watched.update.clone() {
            Some(update) if update.phase == Phase::OnTrial => {
                watched.worker.kill().await;
                let (contact, log_tail) = (watched.contact, watched.worker.tail().await);
                self.decide(&update, Event::OutOfTime { contact, log_tail })?;
                Ok(Some(Ended::Decided))
            }
            Some(update) => {
                let update = self.decide(&update, Event::OldVersion { contact: false })?;
                watched.decided(update).await;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    async fn worker_ended(
        &self,
        mut watched: Watched,
        status: io::Result<ExitStatus>,
    ) -> Result<Ended, SuperviseError> {
        let code = status.as_ref().ok().and_then(ExitStatus::code);
        if code == Some(Exit::Retired.code().into()) {
            error!("The server retired this host: the agent is not started again");
            return Ok(Ended::ForGood);
        }
        let log_tail = watched.worker.tail().await;
        let how = status.map_or_else(|failed| failed.to_string(), |status| status.to_string());
        match watched.update {
            Some(update) if update.phase == Phase::OnTrial => {
                let reason = format!("it ended before it was committed ({how})");
                self.decide(&update, Event::Failed { reason, log_tail })?;
                Ok(Ended::Decided)
            }
            _ if code == Some(Exit::Update.code().into()) && self.is_armed() => Ok(Ended::Decided),
            _ => {
                warn!("The agent has ended ({how})");
                Ok(Ended::Crashed { lived: watched.started.elapsed(), log_tail })
            }
        }
    }

    fn is_armed(&self) -> bool {
        Update::load(&self.state).is_ok_and(|update| trial::plan(update.as_ref()) == Plan::Try)
    }

    /// Goes back to the previous version when the committed one ends too often; else starts it again after a pause.
    async fn after_crash(&mut self, lived: Duration, log_tail: String) -> Result<(), SuperviseError> {
        let verdict = self.crashes.add(since_boot(), lived);
        let pointer = Pointer::load(&self.state).unwrap_or_default();
        let pause = match (verdict, pointer.previous) {
            (Verdict::TooMany, Some(previous)) => {
                Pointer { committed: previous, previous: None }.save(&self.state)?;
                self.crashes = Crashes::default();
                if let Ok(Some(update)) = Update::load(&self.state) {
                    self.decide(&update, Event::CrashLoop { log_tail })?;
                }
                return Ok(());
            }
            (Verdict::TooMany, None) => self.crashes.pause(),
            (Verdict::Restart(pause), _) => pause,
        };
        warn!("The agent is started again in {} s", pause.as_secs());
        tokio::select! {
            () = sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
        Ok(())
    }
}

impl Watched {
    fn new(worker: Worker, update: Option<Update>, patience: Option<Duration>) -> Self {
        let started = Instant::now();
        let deadline = patience.map(|patience| started + patience);
        Self { worker, update, started, deadline, contact: false, right_version: false }
    }

    /// The record has changed, and the worker is told.
    async fn decided(&mut self, update: Update) {
        (self.update, self.deadline) = (Some(update), None);
        self.worker.tell(Told::Decided).await;
    }
}

/// The committed version's file; `None` for the factory's.
fn committed_binary(state: &Path) -> Result<Option<PathBuf>, String> {
    let installed = match Pointer::load(state).map_err(|failed| chain(&failed))?.committed {
        Choice::Factory => return Ok(None),
        Choice::Installed(installed) => installed,
    };
    let binary = installed.binary(state).ok_or("its name is no version's")?;
    let (sha256, _) = sha256_of(&binary).map_err(|failed| chain(&failed))?;
    if sha256 == installed.sha256 { Ok(Some(binary)) } else { Err("its file has changed".into()) }
}
