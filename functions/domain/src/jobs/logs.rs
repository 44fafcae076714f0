//! Log of a job: output up to its limit, and a line wherever some of it is missing. The host keeps the beginning and the end of
//! the output, and says how much is missing between them; whatever it says, no more is stored than the limit and a few lines.

use jiff::Timestamp;
use muster_schemas::{commands::MAX_OUTPUT_EVENT_BYTES, jobs::JobResult};
use serde::{Deserialize, Serialize};

use super::{Job, MAX_LOG_PIECES};
use crate::{changes::Effect, machine::Step};

/// The largest count of lost bytes: the largest number that every JSON reader holds exactly.
const MAX_LOST_BYTES: u64 = 1 << 53;
/// The most that lines about the log itself take beside its output, in bytes: there are one or two of them.
pub const MAX_NOTE_BYTES: u64 = 1024;

/// A piece of a log, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct LogPiece {
    /// The text.
    pub text: String,
    /// When its parts were printed, by the host's clock and to the second, in their order.
    pub times: Vec<LogTime>,
}

/// When a part of a piece was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTime {
    /// Where the part starts in the piece, in bytes.
    pub from: u32,
    /// When its beginning was printed.
    pub at: Timestamp,
}

/// What a piece looks like in the store.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    /// Before there were times.
    Text(String),
    Timed {
        text: String,
        times: Vec<LogTime>,
    },
}

impl From<Stored> for LogPiece {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Text(text) => Self { text, times: Vec::new() },
            Stored::Timed { text, times } => Self { text, times },
        }
    }
}

impl Job {
    /// Keeps output, as much of it as fits.
    pub(super) fn logs(&self, text: &str) -> Step<Self> {
        let kept = self.fitting(text);
        let mut step = self.writes(kept);
        step.next.output_dropped_bytes = sum(self.output_dropped_bytes, (text.len() - kept.len()) as u64);
        step
    }

    /// Marks a gap of the output that the host could not keep: in the log for people, and as a count in the job for programs.
    pub(super) fn loses(&self, bytes: u64) -> Step<Self> {
        let line = format!("\n[{bytes} bytes of output were lost here: the host could not keep them]\n");
        let mut step = self.writes(self.fitting(&line));
        step.next.output_lost_bytes = sum(self.output_lost_bytes, bytes);
        step
    }

    /// Marks the gap between the beginning and the end of an output that is over the limit.
    pub(super) fn cuts(&self, bytes: u64) -> Step<Self> {
        let limit = self.log_limit();
        let mut step = self.notes(&match bytes {
            0 => "\n[Output is missing from here on: the agent that held its end was stopped before the job had ended]\n".into(),
            _ => format!(
                "\n[{bytes} bytes of output are missing here: it is longer than {limit} bytes, and its beginning and its end are kept]\n"
            ),
        });
        step.next.output_cut_bytes = sum(self.output_cut_bytes, bytes);
        step
    }

    /// Says at the end of a log how much is missing behind it: what was dropped here, or by an agent that keeps no end.
    pub(super) fn closes_log(&self, result: &JobResult) -> Step<Self> {
        let kept = self.log_bytes.saturating_sub(self.log_note_bytes);
        let is_untold = result.output_truncated && self.output_cut_bytes == 0;
        let untold = if is_untold { result.output_bytes.saturating_sub(kept) } else { 0 };
        let missing = sum(0, untold.max(self.output_dropped_bytes));
        if missing == 0 || self.log_erased.is_some() {
            return self.stay();
        }
        let limit = self.log_limit();
        let line =
            format!("\n[{missing} bytes of output are missing from here on: no more than {limit} bytes are kept]\n");
        let mut step = self.notes(&line);
        step.next.output_cut_bytes = sum(self.output_cut_bytes, missing);
        step.next.output_dropped_bytes = 0;
        step
    }

    /// How much output is missing because it was over the limit.
    pub(super) fn cut_bytes(&self) -> u64 {
        sum(self.output_cut_bytes, self.output_dropped_bytes)
    }

    fn log_limit(&self) -> u64 {
        self.asked.spec.rules().log_limit_bytes()
    }

    /// The beginning of a text, as much as there is room for.
    fn fitting<'a>(&self, text: &'a str) -> &'a str {
        let limit = if self.log_pieces < MAX_LOG_PIECES { self.log_limit() } else { 0 };
        let room = (limit + self.log_note_bytes).saturating_sub(self.log_bytes);
        &text[..text.floor_char_boundary(usize::try_from(room).unwrap_or(usize::MAX))]
    }

    /// Writes a line about the log itself, beside its limit.
    fn notes(&self, line: &str) -> Step<Self> {
        let bytes = self.log_note_bytes + line.len() as u64;
        if bytes > MAX_NOTE_BYTES {
            return self.stay();
        }
        let mut step = self.writes(line);
        step.next.log_note_bytes = bytes;
        step
    }

    fn writes(&self, text: &str) -> Step<Self> {
        if text.is_empty() {
            return self.stay();
        }
        let piece = LogPiece { text: text.into(), times: Vec::new() };
        let log = Effect::Log { job: self.id, offset: self.log_bytes, piece };
        Step::to(Self { log_bytes: self.log_bytes + text.len() as u64, ..self.clone() }).and(log)
    }
}

fn sum(bytes: u64, more: u64) -> u64 {
    bytes.saturating_add(more).min(MAX_LOST_BYTES)
}

/// Puts the time of an event, by its host's clock, on the log that it brings.
pub(super) fn timed(effects: Vec<Effect>, at: Timestamp) -> Vec<Effect> {
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let timed = |effect| match effect {
        Effect::Log { job, offset, piece: LogPiece { text, .. } } => {
            Effect::Log { job, offset, piece: LogPiece { text, times: vec![LogTime { from: 0, at }] } }
        }
        other => other,
    };
    effects.into_iter().map(timed).collect()
}

/// Merges the output of one request into as few pieces of log as fit.
pub(super) fn in_few_pieces(effects: Vec<Effect>) -> Vec<Effect> {
    let mut gathered: Vec<Effect> = Vec::new();
    let mut place = None;
    for effect in effects {
        if let Effect::Log { piece, .. } = &effect {
            if let Some(Effect::Log { piece: before, .. }) = place.and_then(|place: usize| gathered.get_mut(place))
                && before.text.len() + piece.text.len() <= MAX_OUTPUT_EVENT_BYTES
            {
                before.append(piece);
                continue;
            }
            place = Some(gathered.len());
        }
        gathered.push(effect);
    }
    gathered
}

impl LogPiece {
    fn append(&mut self, behind: &Self) {
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.text.push_str(&behind.text);
        for time in &behind.times {
            if self.times.last().is_none_or(|last| last.at != time.at) {
                self.times.push(LogTime { from: end.saturating_add(time.from), at: time.at });
            }
        }
    }
}
