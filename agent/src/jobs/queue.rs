//! Event queue of one job: events that earlier processes left, then its own. Output is in the spool, or in memory if the disk
//! is full. When there is no room, the oldest output is dropped.

use std::{collections::VecDeque, io};

use jiff::Timestamp;
use muster_schemas::{
    commands::{Event, EventKind, MAX_OUTPUT_EVENT_BYTES},
    ids::ProcessId,
};

use super::spool::{JobSpool, Page};

/// So much output is sent at once, in bytes.
pub(super) const MAX_BATCH_BYTES: usize = 256 * 1024;
/// So many events are sent at once.
const MAX_BATCH_EVENTS: usize = 64;
/// So many events wait if the server takes them more slowly than they come.
const MANY_EVENTS: usize = 128;
/// So much output that the disk does not take is held in memory, in bytes.
pub(super) const MAX_HELD_BYTES: usize = 1024 * 1024;

/// Events of one job that the server has not stored.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) spool: JobSpool,
    /// Events that earlier processes left.
    pub(super) former: VecDeque<Page>,
    last: u64,
    events: VecDeque<Waiting>,
    /// The event that output is added to.
    gathering: Option<(u64, Text)>,
    /// Whether there is output that waits for nothing but to be sent with what is before it.
    is_behind: bool,
}

/// An event that was not stored yet.
#[derive(Debug)]
struct Waiting {
    number: u64,
    at: Timestamp,
    what: What,
}

#[derive(Debug)]
enum What {
    Told(EventKind),
    Text(Text),
}

/// Output that is in the spool, or held where the disk did not take it.
#[derive(Debug)]
struct Text {
    /// When its beginning was printed.
    at: Timestamp,
    bytes: u64,
    /// How many bytes it has in JSON.
    sent_bytes: usize,
    held: String,
}

/// Where output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Disk,
    Memory,
}

/// Events to send, and whether they can wait for more.
#[derive(Debug, PartialEq)]
pub struct Batch {
    /// The process that has numbered them.
    pub process: ProcessId,
    /// The events, in order.
    pub events: Vec<Event>,
    /// Whether there is nothing but output.
    pub patient: bool,
}

impl Queue {
    /// A queue whose first event follows this number, behind what processes before this one have left.
    pub(super) fn after(last: u64, spool: JobSpool) -> Self {
        Self { former: spool.left().into(), spool, last, events: VecDeque::new(), gathering: None, is_behind: false }
    }

    /// The number of the last event.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Puts an event in, and says its number.
    pub(super) fn push(&mut self, kind: EventKind) -> u64 {
        self.flush();
        self.last += 1;
        self.add(self.last, What::Told(kind));
        self.last
    }

    fn add(&mut self, number: u64, what: What) {
        let at = if let What::Text(text) = &what { text.at } else { Timestamp::now() };
        self.events.push_back(Waiting { number, at, what });
    }

    /// Ends the event that output is added to.
    fn flush(&mut self) {
        self.is_behind = false;
        if let Some((number, text)) = self.gathering.take() {
            self.add(number, What::Text(text));
        }
    }

    /// Ends it if it has another time: an event has one for all its output. Where much waits, a time is good for a minute.
    fn flush_before(&mut self, at: Timestamp) {
        let span = if self.events.len() < MANY_EVENTS { 1 } else { 60 };
        let second = |at: Timestamp| at.as_second().div_euclid(span);
        if self.gathering.as_ref().is_some_and(|(_, text)| second(text.at) != second(at)) {
            self.flush();
            self.is_behind = true;
        }
    }

    /// Output is held back from here on. What is said in its place if nothing else ever is: some of it is missing.
    pub(super) fn hold_back(&mut self) -> u64 {
        self.flush();
        self.last += 1;
        self.spool.cut(self.spool.page(self.last), 0);
        self.last
    }

    /// Output is not held back any more, and so many bytes of it are missing.
    pub(super) fn go_on(&mut self, number: u64, missing: u64) {
        let page = self.spool.page(number);
        if missing == 0 {
            return self.spool.remove(page);
        }
        self.spool.cut(page, missing);
        self.flush();
        self.add(number, What::Told(EventKind::cut(missing)));
    }

    /// Puts output in that was printed at this time.
    pub(super) fn gather(&mut self, at: Timestamp, mut text: &str) {
        self.flush_before(at);
        while !text.is_empty() {
            let (number, mut gathered) = self.gathering.take().unwrap_or_else(|| {
                self.last += 1;
                (self.last, Text { at, bytes: 0, sent_bytes: 0, held: String::new() })
            });
            let (piece, sent_bytes) = fitting(text, MAX_OUTPUT_EVENT_BYTES - gathered.sent_bytes);
            text = &text[piece.len()..];
            gathered.bytes += piece.len() as u64;
            gathered.sent_bytes += sent_bytes;
            if !piece.is_empty() {
                self.keep(number, piece, &mut gathered);
            }
            self.gathering = Some((number, gathered));
            if !text.is_empty() {
                self.flush();
            }
        }
    }

    /// In the spool, at the cost of older output; in memory if the disk does not take it.
    fn keep(&mut self, number: u64, piece: &str, gathered: &mut Text) {
        // Output that follows held output is held, too, to keep the order.
        while gathered.held.is_empty() {
            match self.spool.append(number, piece) {
                Ok(()) => return,
                Err(failed) if failed.kind() == io::ErrorKind::StorageFull && self.makes_room() => {}
                Err(_) => break,
            }
        }
        gathered.held.push_str(piece);
        while self.held_bytes() + gathered.held.len() > MAX_HELD_BYTES && self.lose_oldest(Place::Memory) {}
    }

    pub(super) fn held_bytes(&self) -> usize {
        let held = |waiting: &Waiting| if let What::Text(text) = &waiting.what { text.held.len() } else { 0 };
        self.events.iter().map(held).sum()
    }

    /// Gives up the oldest output of the job on disk; says whether there was any.
    fn makes_room(&mut self) -> bool {
        let oldest = self
            .former
            .iter()
            .position(|page| matches!(self.spool.read(*page), Some(Event { kind: EventKind::Output { .. }, .. })));
        match oldest {
            Some(oldest) => give_up(&mut self.spool, self.former[oldest]),
            None => self.lose_oldest(Place::Disk),
        }
    }

    /// Gives up the oldest output of this process there; says whether there was any.
    fn lose_oldest(&mut self, from: Place) -> bool {
        let is_there = |waiting: &Waiting| matches!(&waiting.what, What::Text(text) if text.place() == from);
        let Some(mut place) = self.events.iter().position(is_there) else { return false };
        let mut lost = match &self.events[place].what {
            What::Text(text) => text.bytes,
            What::Told(_) => 0,
        };
        let before = place.checked_sub(1).map(|before| (before, &self.events[before]));
        if let Some((
            before,
            Waiting { number, what: What::Told(EventKind::OutputLost { bytes, over_limit: false }), .. },
        )) = before
        {
            lost += bytes;
            self.spool.remove(self.spool.page(*number));
            self.events.remove(before);
            place = before;
        }
        let waiting = &mut self.events[place];
        waiting.what = What::Told(EventKind::lost(lost));
        self.spool.lose(self.spool.page(waiting.number), lost);
        true
    }

    pub(super) fn is_patient(&self) -> bool {
        self.events.iter().all(|waiting| matches!(waiting.what, What::Text(_)))
    }

    pub(super) fn batch(&mut self) -> Option<Batch> {
        self.batch_of_former().or_else(|| self.batch_of_own())
    }

    fn batch_of_former(&mut self) -> Option<Batch> {
        let (mut events, mut room) = (Vec::new(), MAX_BATCH_BYTES);
        let process = loop {
            let page = *self.former.get(events.len())?;
            if let Some(event) = self.spool.read(page) {
                room = room.saturating_sub(sent_bytes(&event.kind));
                events.push(event);
            } else {
                self.spool.remove(page);
                self.former.remove(events.len());
            }
            let next = self.former.get(events.len());
            let goes_on = next.is_some_and(|next| next.process == page.process);
            let full = room < MAX_OUTPUT_EVENT_BYTES || events.len() >= MAX_BATCH_EVENTS;
            if !events.is_empty() && (full || !goes_on) {
                break page.process;
            }
        };
        Some(Batch { process, events, patient: false })
    }

    fn batch_of_own(&mut self) -> Option<Batch> {
        if self.events.is_empty() || self.is_behind {
            self.flush();
        }
        let (process, only_output) = (self.spool.process(), self.is_patient());
        let mut room = MAX_BATCH_BYTES;
        let fits = |waiting: &&Waiting| {
            let size = if let What::Text(text) = &waiting.what { text.sent_bytes } else { 0 };
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        };
        let spool = &self.spool;
        let events = self.events.iter().take_while(fits).take(MAX_BATCH_EVENTS).map(|waiting| waiting.event(spool));
        let events = events.collect::<Vec<_>>();
        // Output that did not fit is sent at once, without gathering more.
        let patient = only_output && events.len() == self.events.len();
        (!events.is_empty()).then_some(Batch { process, events, patient })
    }

    pub(super) fn stored(&mut self, process: ProcessId, through: u64) -> bool {
        let before = self.events.len() + self.former.len();
        let Self { spool, former, events, .. } = self;
        former.retain(|page| {
            let stays = page.process != process || page.number > through;
            if !stays {
                spool.remove(*page);
            }
            stays
        });
        events.retain(|waiting| {
            let stays = spool.process() != process || waiting.number > through;
            if !stays {
                waiting.forget(spool);
            }
            stays
        });
        events.len() + former.len() < before
    }

    pub(super) fn refused(&mut self, process: ProcessId, through: u64) {
        let Self { spool, former, events, .. } = self;
        former.retain(|page| page.process != process || page.number > through || give_up(spool, *page));
        let own = spool.process() == process;
        events.retain_mut(|waiting| {
            let sent = own && waiting.number <= through;
            match &waiting.what {
                What::Text(text) if sent => {
                    spool.lose(spool.page(waiting.number), text.bytes);
                    waiting.what = What::Told(EventKind::lost(text.bytes));
                    true
                }
                What::Told(EventKind::OutputLost { .. }) if sent => {
                    waiting.forget(spool);
                    false
                }
                _ => true,
            }
        });
    }
}

/// Gives up what a process before this one has left; says whether there is a loss to tell in its place.
fn give_up(spool: &mut JobSpool, page: Page) -> bool {
    let lost = match spool.read(page).map(|event| event.kind) {
        Some(EventKind::Output { text }) => Some(text.len() as u64),
        _ => None,
    };
    match lost {
        Some(bytes) => spool.lose(page, bytes),
        None => spool.remove(page),
    }
    lost.is_some()
}

impl Waiting {
    fn is_output(&self) -> bool {
        matches!(self.what, What::Text(_) | What::Told(EventKind::OutputLost { .. }))
    }

    fn forget(&self, spool: &mut JobSpool) {
        if self.is_output() {
            spool.remove(spool.page(self.number));
        }
    }

    fn event(&self, spool: &JobSpool) -> Event {
        let kind = match &self.what {
            What::Told(kind) => kind.clone(),
            What::Text(text) => text.read(spool, self.number),
        };
        Event { sequence: self.number, at: self.at, kind }
    }
}

impl Text {
    fn place(&self) -> Place {
        if self.held.is_empty() { Place::Disk } else { Place::Memory }
    }

    fn read(&self, spool: &JobSpool, number: u64) -> EventKind {
        if self.held.len() as u64 == self.bytes {
            return EventKind::Output { text: self.held.clone() };
        }
        match spool.read(spool.page(number)).map(|event| event.kind) {
            Some(EventKind::Output { text }) if (text.len() + self.held.len()) as u64 == self.bytes => {
                EventKind::Output { text: text + &self.held }
            }
            // The disk has not kept what it took.
            _ => EventKind::lost(self.bytes),
        }
    }
}

/// The first part of a text that fits into so many bytes of JSON, and how many it has there.
fn fitting(text: &str, room: usize) -> (&str, usize) {
    let mut bytes = 0;
    for (place, character) in text.char_indices() {
        let more = sent_bytes_of(character);
        if bytes + more > room {
            return (&text[..place], bytes);
        }
        bytes += more;
    }
    (text, bytes)
}

fn sent_bytes(kind: &EventKind) -> usize {
    match kind {
        EventKind::Output { text } => text.chars().map(sent_bytes_of).sum(),
        _ => 0,
    }
}

/// How many bytes a character has in JSON: control characters have six.
fn sent_bytes_of(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..='\x1f' => 6,
        _ => character.len_utf8(),
    }
}
