//! What one job has to tell and the server has not stored yet. Putting something in never waits; what is held is bounded by the
//! job's own output limit.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use muster_schemas::commands::{Event, EventKind, MAX_OUTPUT_EVENT_BYTES};
use tokio::sync::{Notify, watch};

use crate::agent::Session;

/// So much output is sent at once, in bytes.
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// Events of one job, numbered from 1.
#[derive(Debug, Default)]
pub struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
    stored: watch::Sender<Stored>,
}

#[derive(Debug, Default)]
struct Queue {
    last: u64,
    events: VecDeque<Event>,
    gathering: String,
    /// How many bytes `gathering` has in JSON.
    gathering_bytes: usize,
}

/// What the server has said about the events so far.
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

/// Events to send, and whether they can wait for more.
#[derive(Debug, PartialEq)]
pub struct Batch {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Whether there is nothing but output.
    pub patient: bool,
}

impl Outbox {
    /// An outbox whose first event follows this number.
    pub fn after(last: u64) -> Self {
        Self { queue: Mutex::new(Queue { last, ..Queue::default() }), ..Self::default() }
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.queue(|queue| queue.last)
    }

    /// Puts an event in, and says its number.
    pub fn push(&self, kind: EventKind) -> u64 {
        let last = self.queue(|queue| {
            queue.flush();
            queue.add(kind)
        });
        self.changed.notify_one();
        last
    }

    /// Puts output in.
    pub fn text(&self, text: &str) {
        self.queue(|queue| {
            for character in text.chars() {
                if queue.gathering_bytes + sent_bytes(character) > MAX_OUTPUT_EVENT_BYTES {
                    queue.flush();
                }
                queue.gathering_bytes += sent_bytes(character);
                queue.gathering.push(character);
            }
        });
        self.changed.notify_one();
    }

    /// Waits until there is something to send, and says what. It stays until it is `stored`.
    pub async fn next(&self) -> Batch {
        loop {
            if let Some(batch) = self.batch() {
                return batch;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until there is something to send that is not just output.
    pub async fn urgent(&self) {
        while self.queue(|queue| queue.events.iter().all(|event| matches!(event.kind, EventKind::Output { .. }))) {
            self.changed.notified().await;
        }
    }

    /// The server has said something. What it has stored is forgotten. Says whether this brought anything forward.
    pub fn stored(&self, said: Stored) -> bool {
        let forward = self.queue(|queue| {
            let before = queue.events.len();
            queue.events.retain(|event| event.sequence > said.through);
            queue.events.len() < before
        });
        self.stored.send_replace(said);
        forward
    }

    /// Forgets output, which the server refuses to take.
    pub fn drop_output(&self) {
        self.queue(|queue| queue.events.retain(|event| !matches!(event.kind, EventKind::Output { .. })));
    }

    /// Waits until the server has stored everything through this number, or never will.
    pub async fn stored_through(&self, number: u64) -> Stored {
        let mut stored = self.stored.subscribe();
        let found = stored.wait_for(|stored| stored.closed || stored.through >= number).await;
        // The sender lives as long as `self`.
        found.map(|stored| *stored).unwrap_or_default()
    }

    fn batch(&self) -> Option<Batch> {
        self.queue(|queue| {
            if queue.events.is_empty() {
                queue.flush();
            }
            let mut room = MAX_BATCH_BYTES;
            let fits = |event: &&Event| {
                let size = match &event.kind {
                    EventKind::Output { text } => text.chars().map(sent_bytes).sum(),
                    EventKind::Accepted | EventKind::Starting | EventKind::Started | EventKind::Finished { .. } => 0,
                };
                let fits = size <= room;
                room = room.saturating_sub(size);
                fits
            };
            let events: Vec<_> = queue.events.iter().take_while(fits).take(64).cloned().collect();
            let patient = queue.events.iter().all(|event| matches!(event.kind, EventKind::Output { .. }));
            (!events.is_empty()).then_some(Batch { events, patient })
        })
    }

    fn queue<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        work(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Queue {
    fn add(&mut self, kind: EventKind) -> u64 {
        self.last += 1;
        self.events.push_back(Event { sequence: self.last, at: Timestamp::now(), kind });
        self.last
    }

    fn flush(&mut self) {
        if !self.gathering.is_empty() {
            let text = std::mem::take(&mut self.gathering);
            self.gathering_bytes = 0;
            self.add(EventKind::Output { text });
        }
    }
}

/// How many bytes a character has in JSON: control characters have six.
fn sent_bytes(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..='\x1f' => 6,
        _ => character.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_is_gathered_and_keeps_its_place_among_events() {
        let outbox = Outbox::default();
        outbox.push(EventKind::Started);
        outbox.text("a");
        outbox.text("b");
        outbox.push(EventKind::Accepted);
        let kinds: Vec<_> = outbox.next().await.events.into_iter().map(|event| (event.sequence, event.kind)).collect();
        let output = EventKind::Output { text: "ab".into() };
        assert_eq!(kinds, [(1, EventKind::Started), (2, output), (3, EventKind::Accepted)]);
    }

    #[tokio::test]
    async fn a_batch_is_bounded_and_is_sent_again_until_it_is_stored() {
        let outbox = Outbox::default();
        outbox.text(&"ä".repeat(1024 * 1024));
        let batch = outbox.next().await;
        assert!(batch.patient && batch.events.len() == 4);
        assert_eq!(outbox.next().await, batch);
        assert!(outbox.stored(Stored { through: 4, ..Stored::default() }));
        assert_eq!(outbox.next().await.events[0].sequence, 5);
    }

    #[tokio::test]
    async fn an_answer_that_stores_nothing_brings_nothing_forward() {
        let outbox = Outbox::default();
        outbox.push(EventKind::Accepted);
        assert!(!outbox.stored(Stored::default()));
        assert!(outbox.stored(Stored { through: u64::MAX, ..Stored::default() }));
    }

    #[tokio::test]
    async fn a_batch_is_bounded_by_what_is_sent() {
        let outbox = Outbox::default();
        outbox.text(&"\u{1b}\"\n".repeat(200_000));
        let sent = serde_json::to_string(&outbox.next().await.events).unwrap();
        assert!(sent.len() < MAX_BATCH_BYTES + 1024, "{}", sent.len());
    }
}
