//! Logs of jobs, read from a byte on: pieces put together, and times put before lines.

use jiff::Timestamp;
use muster_domain::jobs::{Job, logs::LogPiece};
use muster_schemas::problems::Problem;

use crate::{
    api::problem::Failure,
    app::App,
    records,
    store::{Item, Order, Query, Versioned},
};

/// How much log one answer holds at most, in bytes.
const MAX_BYTES: usize = 512 * 1024;
/// How often the table is asked for it at most: a log of crumbs has more pieces than bytes to speak of.
const MAX_QUERIES: u32 = 16;
/// How many bytes a time has at most, with the space behind it.
const TIME_BYTES: usize = 24;

/// A part of a log.
pub struct Part {
    /// The text, with times if they were asked for.
    pub text: String,
    /// The byte of the log that follows.
    pub next: u64,
    /// Why nothing of the log is left: it was `erased`, or has `expired`.
    pub gone: Option<&'static str>,
}

/// The log from a byte on, as much as one answer holds, ending at a whole character.
pub async fn read(app: &App, job: &Job, after: u64, timestamps: bool) -> Result<Part, Failure> {
    let gone = |why| Ok(Part { text: String::new(), next: job.log_bytes, gone: Some(why) });
    if job.log_erased.is_some() {
        return gone("erased");
    }
    if after >= job.log_bytes {
        return Ok(Part { text: String::new(), next: after, gone: None });
    }
    // Whether a line begins there is seen by the byte before it.
    let from = if timestamps { after.saturating_sub(1) } else { after };
    let Some(stored) = stored(app, job, from).await? else { return gone("expired") };
    let skipped = usize::try_from(after - stored.start).unwrap_or(usize::MAX).min(stored.text.len());
    if !stored.text.is_char_boundary(skipped) {
        return Err(Problem::invalid("after", "must not be in the middle of a character").into());
    }
    let end = stored.text.floor_char_boundary(skipped.saturating_add(MAX_BYTES).min(stored.text.len()));
    let (text, end) =
        if timestamps { stored.with_times(skipped, end) } else { (stored.text[skipped..end].into(), end) };
    Ok(Part { text, next: after + (end - skipped) as u64, gone: None })
}

/// Some pieces of a log, put together.
struct Stored {
    /// Where the first one starts in the log.
    start: u64,
    text: String,
    /// What was printed when: from this byte of the text on.
    times: Vec<(usize, Timestamp)>,
}

/// The pieces from that which holds this byte on.
async fn stored(app: &App, job: &Job, from: u64) -> Result<Option<Stored>, Failure> {
    let partition = records::jobs::key(job.id).partition;
    let place = |offset| records::jobs::log(job.id, offset).sort;
    let query = |from, to, order, limit| Query { partition: partition.clone(), from, to, order, limit, cursor: None };
    let at = query(Some(place(0)), Some(place(from + 1)), Order::Descending, 1);
    let first = app.table.query(at).await?.items.into_iter().next().filter(|piece| !is_over(piece, app.now()));
    let Some(first) = first else { return Ok(None) };
    let start = first.key.sort.strip_prefix("log#").and_then(|offset| offset.parse().ok()).unwrap_or(from);
    let enough = usize::try_from(from - start).unwrap_or(usize::MAX).saturating_add(MAX_BYTES + 1);
    let mut stored = Stored { start, text: String::new(), times: Vec::new() };
    let mut next = query(Some(first.key.sort), Some(place(u64::MAX)), Order::Ascending, 32);
    for _ in 0..MAX_QUERIES {
        let rows = app.table.query(next.clone()).await?;
        for item in rows.items.into_iter().filter(|piece| !is_over(piece, app.now())) {
            stored.append(&Versioned::<LogPiece>::read(&item)?.record);
        }
        next.cursor = rows.cursor;
        if next.cursor.is_none() || stored.text.len() >= enough {
            break;
        }
    }
    Ok(Some(stored))
}

/// Whether its time is over: it may still be found for a while.
fn is_over(piece: &Item, now: Timestamp) -> bool {
    piece.expires_at.is_some_and(|at| at <= now)
}

impl Stored {
    fn append(&mut self, piece: &LogPiece) {
        let end = self.text.len();
        self.times.extend(piece.times.iter().map(|time| (end + time.from as usize, time.at)));
        self.text.push_str(&piece.text);
    }

    /// The text between two bytes with a time before each line that begins there, as much of it as one answer holds; and
    /// where it ends.
    fn with_times(&self, from: usize, to: usize) -> (String, usize) {
        let mut text = String::new();
        let mut end = from;
        for line in self.text[from..to].split_inclusive('\n') {
            if !text.is_empty() && text.len() + TIME_BYTES + line.len() > MAX_BYTES {
                break;
            }
            let begins = (self.start == 0 && end == 0) || self.text[..end].ends_with('\n');
            if begins {
                text.push_str(&self.time(end).map_or_else(|| "-".into(), |at| at.to_string()));
                text.push(' ');
            }
            text.push_str(line);
            end += line.len();
        }
        (text, end)
    }

    /// When what stands at this byte was printed.
    fn time(&self, place: usize) -> Option<Timestamp> {
        let behind = self.times.partition_point(|(from, _)| *from <= place);
        behind.checked_sub(1).map(|last| self.times[last].1)
    }
}
