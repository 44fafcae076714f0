//! Output spool: the output of jobs, on disk until the server has stored it. It survives a crash of the agent, and an outage
//! takes no memory.
//!
//! A folder per job, in it a file per event, named by the process that numbers it and by its number; in the file a frame for
//! each piece of text. Nothing is synced, so a power cut may cut output short. Results are in the journal, never here.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use muster_schemas::{
    commands::{Event, EventKind},
    ids::{JobId, ProcessId},
};
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::{
    journal::frames,
    sys::files::{create_private, create_private_directory},
};

/// The most disk space of the spool, in bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Output that was not sent for this long is removed.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The spool of a host.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    used: AtomicU64,
    most: u64,
}

/// One job's part of it, for one process.
#[derive(Debug)]
pub struct JobSpool {
    spool: Arc<Spool>,
    folder: PathBuf,
    process: ProcessId,
    open: Option<(u64, File)>,
}

/// One event's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    /// The process that numbers it.
    pub process: ProcessId,
    /// Its number.
    pub number: u64,
}

/// The content of a frame.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Piece {
    Text(String),
    /// So many bytes were here, and were given up.
    Lost(u64),
    /// So many bytes were here, and were over the limit of the job. 0: it is not known yet how many.
    Cut(u64),
}

impl Spool {
    /// The spool of a state directory.
    pub fn of_state(state: &Path) -> Self {
        Self::bounded(state, MOST_BYTES)
    }

    /// The same, with another bound.
    pub fn bounded(state: &Path, most: u64) -> Self {
        Self { folder: state.join("spool"), used: AtomicU64::new(0), most }
    }

    /// Counts what is there from before, and removes what no known job has left.
    pub fn sweep(&self, is_known: impl Fn(JobId) -> bool) {
        let mut used = 0;
        for path in entries(&self.folder) {
            let job = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            if job.is_some_and(&is_known) {
                used += entries(&path).map(|path| size(&path)).sum::<u64>();
            } else if let Err(failed) = fs::remove_dir_all(&path) {
                error!("Cannot remove the remains of a spool at {}: {failed}", path.display());
            }
        }
        self.used.store(used, Ordering::Relaxed);
    }

    /// How much of the disk it takes, in bytes.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn grows(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn shrinks(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It always has a value.
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

impl JobSpool {
    /// The part of a job, for the events that this process numbers.
    pub fn new(spool: Arc<Spool>, job: JobId, process: ProcessId) -> Self {
        let folder = spool.folder.join(job.to_string());
        Self { spool, folder, process, open: None }
    }

    /// The process that numbers what is put in.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// Events that earlier processes left, in the order of their numbers.
    pub fn left(&self) -> Vec<Page> {
        let page = |path: PathBuf| path.file_name().and_then(|name| Page::parse(name.to_str()?));
        let mut pages: Vec<_> =
            entries(&self.folder).filter_map(page).filter(|page| page.process != self.process).collect();
        pages.sort_unstable();
        pages
    }

    /// Adds a piece of text to an event of this process.
    pub fn append(&mut self, number: u64, text: &str) -> io::Result<()> {
        let frame = frames::encode(&Piece::Text(text.into()));
        if self.spool.used() + frame.len() as u64 > self.spool.most {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            create_private_directory(&self.folder).map_err(io::Error::other)?;
            let file = create_private(&self.path(self.page(number)))?;
            self.open = Some((number, file));
        }
        let Some((_, file)) = &mut self.open else { return Ok(()) };
        let before = file.metadata()?.len();
        file.write_all(&frame).inspect_err(|_| {
            // Half a frame or a gap would hide the frames behind it.
            let _ = file.set_len(before);
            let _ = file.seek(SeekFrom::Start(before));
        })?;
        self.spool.grows(frame.len() as u64);
        Ok(())
    }

    /// The file of an event of this process.
    pub fn page(&self, number: u64) -> Page {
        Page { process: self.process, number }
    }

    /// The content of an event's file: output, or how much of it was lost. `None` if it is empty.
    pub fn read(&self, page: Page) -> Option<Event> {
        let path = self.path(page);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(failed) if failed.kind() == io::ErrorKind::NotFound => return None,
            Err(failed) => {
                error!("Cannot read {}: {failed}", path.display());
                let kind = EventKind::lost(size(&path));
                return Some(Event { sequence: page.number, at: Timestamp::now(), kind });
            }
        };
        let at = fs::metadata(&path).and_then(|found| found.modified()).ok().and_then(|at| at.try_into().ok());
        let at = at.unwrap_or_else(Timestamp::now);
        let is_old = Timestamp::now().duration_since(at) > OLDEST;
        let kind = if is_old { Some(EventKind::lost(bytes.len() as u64)) } else { kind(&bytes) };
        Some(Event { sequence: page.number, at, kind: kind? })
    }

    /// Gives an event's text up: so many bytes are lost in its place.
    pub fn lose(&mut self, page: Page, bytes: u64) {
        self.replace(page, &Piece::Lost(bytes));
    }

    /// Says in an event's place that so many bytes are missing here, because they are over the limit of the job.
    pub fn cut(&mut self, page: Page, bytes: u64) {
        self.replace(page, &Piece::Cut(bytes));
    }

    fn replace(&mut self, page: Page, piece: &Piece) {
        self.remove(page);
        let frame = frames::encode(piece);
        // On a full disk the word of it is lost with a crash, too.
        if create_private(&self.path(page)).and_then(|mut file| file.write_all(&frame)).is_ok() {
            self.spool.grows(frame.len() as u64);
        }
    }

    /// Forgets an event.
    pub fn remove(&mut self, page: Page) {
        self.open.take_if(|(number, _)| *number == page.number && page.process == self.process);
        let path = self.path(page);
        let bytes = size(&path);
        if fs::remove_file(&path).is_ok() {
            self.spool.shrinks(bytes);
        }
    }

    /// Forgets everything of the job.
    pub fn clear(&mut self) {
        self.open = None;
        self.spool.shrinks(entries(&self.folder).map(|path| size(&path)).sum());
        match fs::remove_dir_all(&self.folder) {
            Err(failed) if failed.kind() != io::ErrorKind::NotFound => {
                error!("Cannot remove {}: {failed}", self.folder.display());
            }
            _ => {}
        }
    }

    fn path(&self, page: Page) -> PathBuf {
        self.folder.join(format!("{}-{:020}", page.process, page.number))
    }
}

impl Page {
    fn parse(name: &str) -> Option<Self> {
        let (process, number) = name.rsplit_once('-')?;
        Some(Self { process: process.parse().ok()?, number: number.parse().ok()? })
    }
}

/// The sum of the frames. A torn end is ignored; any other damage is reported as lost output.
fn kind(bytes: &[u8]) -> Option<EventKind> {
    let mut output = String::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        match frames::genuine(line).and_then(|json| serde_json::from_str(json).ok()) {
            Some(Piece::Text(text)) => output.push_str(&text),
            Some(Piece::Lost(bytes)) => return Some(EventKind::lost(bytes)),
            Some(Piece::Cut(bytes)) => return Some(EventKind::cut(bytes)),
            None => {
                error!("Output in the spool is damaged, and is dropped");
                return Some(EventKind::lost(bytes.len() as u64));
            }
        }
    }
    (!output.is_empty()).then_some(EventKind::Output { text: output })
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path())
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}
