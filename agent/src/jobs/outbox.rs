//! Event outbox of one job: events that the server has not stored yet. Adding an event never waits. Output is in the spool, and
//! in memory only if the disk is full; when there is no room, the oldest output is dropped, and an event says how much. Nothing
//! else is ever dropped.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use muster_schemas::{commands::EventKind, ids::ProcessId};
use tokio::sync::{Notify, watch};

use super::{
    queue::{Batch, Queue},
    spool::JobSpool,
};
use crate::agent::Session;

/// Events of one job, numbered from 1.
#[derive(Debug)]
pub struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
    stored: watch::Sender<Stored>,
}

/// The server's answers about the events so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// The highest number that it has stored.
    pub through: u64,
    /// The session in which it said so.
    pub session: Session,
    /// Whether it wants the job stopped.
    pub cancel: bool,
    /// Whether it will never store more: the job is not its, or has another result.
    pub closed: bool,
}

impl Outbox {
    /// An outbox whose first event follows this number, behind what processes before this one have left.
    pub fn after(last: u64, spool: JobSpool) -> Self {
        Self { queue: Mutex::new(Queue::after(last, spool)), changed: Notify::new(), stored: watch::Sender::default() }
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.queue(|queue| queue.last())
    }

    /// Puts an event in, and says its number.
    pub fn push(&self, kind: EventKind) -> u64 {
        let last = self.queue(|queue| queue.push(kind));
        self.changed.notify_one();
        last
    }

    /// Puts output in that was printed at this time.
    pub fn text(&self, at: Timestamp, text: &str) {
        self.queue(|queue| queue.gather(at, text));
        self.changed.notify_one();
    }

    /// Puts no output in for a while: says the number of the event that tells how much of it is missing.
    pub fn hold_back(&self) -> u64 {
        self.queue(Queue::hold_back)
    }

    /// Goes on with output that was held back, and of which so many bytes are missing.
    pub fn go_on(&self, number: u64, missing: u64) {
        self.queue(|queue| queue.go_on(number, missing));
        self.changed.notify_one();
    }

    /// Waits until there is something to send, and says what. It stays until it is `stored`.
    pub async fn next(&self) -> Batch {
        loop {
            if let Some(batch) = self.queue(Queue::batch) {
                return batch;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until there is something to send that is not just output.
    pub async fn urgent(&self) {
        while self.queue(|queue| queue.former.is_empty() && queue.is_patient()) {
            self.changed.notified().await;
        }
    }

    /// The server has said something about the events of a process. What it has stored is forgotten. Says whether this brought
    /// anything forward.
    pub fn stored(&self, process: ProcessId, said: Stored) -> bool {
        let (own, forward) =
            self.queue(|queue| (queue.spool.process() == process, queue.stored(process, said.through)));
        if own || said.closed {
            self.stored.send_replace(said);
        }
        forward
    }

    /// The server refuses what was sent: its output is lost, and that much is told in its place; what is refused again is not
    /// told at all.
    pub fn refused(&self, process: ProcessId, through: u64) {
        self.queue(|queue| queue.refused(process, through));
    }

    /// Waits until the server has stored everything through this number, or never will.
    pub async fn stored_through(&self, number: u64) -> Stored {
        let mut stored = self.stored.subscribe();
        let found = stored.wait_for(|stored| stored.closed || stored.through >= number).await;
        // The sender lives as long as `self`.
        found.map(|stored| *stored).unwrap_or_default()
    }

    /// Leaves nothing of the job in the spool.
    pub fn clear(&self) {
        self.queue(|queue| queue.spool.clear());
    }

    fn queue<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        work(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
