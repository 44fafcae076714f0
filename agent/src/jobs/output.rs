//! Log limit of a job: the beginning of its output is sent as it comes, its end is held in memory until the job has ended, and
//! between them stands how much is missing. Everything is counted as the server counts it: in bytes of text.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::outbox::Outbox;

/// The most that is held in memory for one job, in bytes.
const MAX_END_BYTES: u64 = 4 * 1024 * 1024;
/// How large a piece of the end becomes by putting small ones together that were printed in the same second.
const PIECE_BYTES: usize = 16 * 1024;

/// The output of a job on its way to the outbox.
#[derive(Debug)]
pub struct Output {
    outbox: Arc<Outbox>,
    state: Mutex<State>,
}

/// How much a job has printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// All of it, in bytes.
    pub bytes: u64,
    /// How much of it is missing in the log.
    pub missing: u64,
}

#[derive(Debug)]
struct State {
    printed: u64,
    /// How much of the beginning may still be sent, in bytes.
    room: usize,
    end: End,
    /// The number of the event that tells how much is missing, once output is held back.
    gap: Option<u64>,
}

/// The last so many bytes of a text.
#[derive(Debug)]
struct End {
    limit: usize,
    /// Each with when its beginning was printed.
    pieces: VecDeque<(Timestamp, String)>,
    bytes: usize,
    dropped: u64,
}

impl Output {
    /// The output of a job of which so many bytes are kept: a quarter at the beginning, and the rest at the end.
    pub fn new(outbox: Arc<Outbox>, limit: u64) -> Self {
        let end = (limit - limit / 4).min(MAX_END_BYTES);
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        let state = State { printed: 0, room: size(limit - end), end: End::of(size(end)), gap: None };
        Self { outbox, state: Mutex::new(state) }
    }

    /// Takes what the job prints, and never waits.
    pub fn text(&self, text: &str) {
        self.printed(Timestamp::now(), text);
    }

    fn printed(&self, at: Timestamp, text: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.printed += text.len() as u64;
        let (beginning, rest) = text.split_at(text.floor_char_boundary(state.room));
        // What comes behind a character that does not fit is not the beginning any more.
        state.room = if rest.is_empty() { state.room - beginning.len() } else { 0 };
        if !beginning.is_empty() {
            self.outbox.text(at, beginning);
        }
        if !rest.is_empty() {
            state.gap.get_or_insert_with(|| self.outbox.hold_back());
            state.end.push(at, rest);
        }
    }

    /// Sends what was held back: the job has ended.
    pub fn end(&self) -> Printed {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(gap) = state.gap.take() else { return Printed { bytes: state.printed, missing: 0 } };
        state.end.trim();
        self.outbox.go_on(gap, state.end.dropped);
        for (at, piece) in std::mem::take(&mut state.end.pieces) {
            self.outbox.text(at, &piece);
        }
        Printed { bytes: state.printed, missing: state.end.dropped }
    }
}

impl End {
    fn of(limit: usize) -> Self {
        Self { limit, pieces: VecDeque::new(), bytes: 0, dropped: 0 }
    }

    fn push(&mut self, at: Timestamp, text: &str) {
        match self.pieces.back_mut() {
            Some((since, last)) if last.len() + text.len() <= PIECE_BYTES && since.as_second() == at.as_second() => {
                last.push_str(text);
            }
            _ => self.pieces.push_back((at, text.into())),
        }
        self.bytes += text.len();
        while let Some((_, first)) = self.pieces.front()
            && self.bytes - first.len() >= self.limit
        {
            self.bytes -= first.len();
            self.dropped += first.len() as u64;
            self.pieces.pop_front();
        }
    }

    /// Drops what is over the limit, to the byte, and the rest of a character that this would cut in two.
    fn trim(&mut self) {
        let Some((_, first)) = self.pieces.front_mut() else { return };
        let over = first.ceil_char_boundary(self.bytes.saturating_sub(self.limit));
        first.drain(..over);
        self.bytes -= over;
        self.dropped += over as u64;
    }
}

#[cfg(test)]
mod tests;
