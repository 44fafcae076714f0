//! Update record and version pointer, as the supervisor writes them. If the disk is full, they are kept in memory and written
//! later.

use tracing::{error, info, warn};

use super::{PLATFORM, Supervisor, WatchedWorker};
use crate::{
    errors::chain,
    supervisor::{
        control::SupervisorMessage,
        crashes::Crashes,
        trial::{self, Event, Plan},
    },
    sys::files::FileError,
    versions::{
        pointer::{Choice, Phase, Pointer, Update},
        trust::{Purpose, Trust, remove_versions_except},
    },
};

impl Supervisor {
    /// The record of the last update, made to agree with `current.json`, which is right: a crash may have come between the two.
    pub(super) fn settle(&mut self) -> Option<Update> {
        let update = self.record()?;
        let pointer = Pointer::load(&self.state).inspect_err(|failed| {
            error!("Cannot read which version is committed, so the factory version is used: {}", chain(failed));
        });
        let is_committed = pointer.as_ref().is_ok_and(|pointer| pointer.has_committed(&update));
        let event = match update.phase {
            Phase::OnTrial if is_committed => Event::Commit,
            Phase::Committed if pointer.is_ok() && !is_committed => Event::CrashLoop { log_tail: String::new() },
            _ => return Some(update),
        };
        Some(self.decide(&update, event))
    }

    /// The record of the last update, as it was decided where that could not be put down yet.
    pub(super) fn record(&mut self) -> Option<Update> {
        let on_disk = Update::load(&self.state).unwrap_or_else(|failed| {
            error!("Ignoring the record of the last update: {}", chain(&failed));
            None
        });
        // Another update was armed since: what was decided of the one before is of no use any more.
        let is_over =
            |pending: &Update| on_disk.as_ref().is_some_and(|update| update.transaction != pending.transaction);
        self.pending.take_if(|pending| is_over(pending));
        self.pending.clone().or(on_disk)
    }

    /// Applies an event to the update. The result counts even while it cannot be written: a full disk does not end the supervisor.
    pub(super) fn decide(&mut self, update: &Update, event: Event) -> Update {
        let next = trial::after(update.clone(), event);
        let (from, to) = (&next.from, &next.to.version);
        match next.phase {
            Phase::Committed => info!("Update from {from} to {to} committed"),
            Phase::Armed | Phase::OnTrial | Phase::Unknown => {}
            Phase::Unproven | Phase::RolledBack | Phase::Inconclusive | Phase::Refused => {
                warn!("Update from {from} to {to} rolled back: {}", next.reason);
            }
        }
        let saved = next.save(&self.state).inspect_err(|failed| {
            error!("Cannot write the outcome of the update to {to} yet: {}", chain(failed));
        });
        self.pending = saved.is_err().then(|| next.clone());
        next
    }

    pub(super) fn start_noted(&self, update: &Update) -> Result<Update, FileError> {
        let next = trial::after(update.clone(), Event::Start);
        next.save(&self.state).map(|()| next)
    }

    /// `current.json` is the commit; the record follows. What a full disk does not take is tried again until the deadline.
    pub(super) async fn commit(&mut self, watched: &mut WatchedWorker, update: &Update) {
        let found = Pointer::load_or_factory(&self.state);
        // An attempt before this one may have put it in place without seeing it on disk: that is no version to go back to.
        let pointer = if found.has_committed(update) { found } else { found.followed_by(update) };
        let saved = pointer.save(&self.state);
        watched.wants_commit = saved.is_err();
        if let Err(failed) = saved {
            error!("Cannot commit the update to {} yet: {}", update.to.version, chain(&failed));
            return;
        }
        self.crashes = Crashes::default();
        if let Err(failed) = remove_versions_except(&self.state, &pointer.installed()) {
            warn!("Cannot remove old versions: {failed}");
        }
        let update = self.decide(update, Event::Commit);
        watched.decided(update).await;
    }

    /// Puts down once more what a full disk did not take.
    pub(super) async fn put_down_again(&mut self, watched: &mut WatchedWorker) {
        if let (true, Some(update)) = (watched.wants_commit, watched.update.clone()) {
            return self.commit(watched, &update).await;
        }
        self.record();
        if self.pending.take_if(|pending| pending.save(&self.state).is_ok()).is_some() {
            info!("The outcome of the update is written now");
            watched.worker.tell(SupervisorMessage::Decided).await;
        }
    }

    /// Whether a restart would bring back what this update is to.
    pub(super) fn is_committed(&self, update: &Update) -> bool {
        Pointer::load(&self.state).is_ok_and(|pointer| pointer.has_committed(update))
    }

    pub(super) fn is_armed(&self) -> bool {
        Update::load(&self.state).is_ok_and(|update| trial::plan(update.as_ref()) == Plan::Try)
    }

    /// Commits the previous version, if there is one that may run. Says whether it did.
    pub(super) fn go_back(&self) -> bool {
        let Some(previous) = Pointer::load_or_factory(&self.state).previous else { return false };
        if let Choice::Installed(installed) = &previous {
            let trust = Trust::load(&self.state);
            let checked =
                trust.and_then(|trust| trust.check_installed(&self.state, installed, PLATFORM, Purpose::GoBack));
            if let Err(refusal) = checked {
                error!("Cannot roll back to version {}: {}", installed.version, refusal.message);
                return false;
            }
        }
        let saved = Pointer { committed: previous, previous: None }.save(&self.state);
        if let Err(failed) = &saved {
            error!("Cannot commit the previous version yet: {}", chain(failed));
        }
        saved.is_ok()
    }
}
