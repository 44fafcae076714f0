//! Write-ahead journal: the jobs that this host has accepted, started and finished, on disk before the server is told.
//!
//! A file of frames, one per line, each with a checksum, each synced before its append returns. A line that was torn
//! by a power failure is cut off at the next start: it was never acknowledged. After damage anywhere else the file is moved
//! aside, every readable frame still counts, and an unfinished job counts as started, because the frame that says so may be
//! among the lost ones.

pub mod frames;
mod ledger;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tracing::{error, info};

pub use self::{
    frames::Damage,
    ledger::{Entry, Ledger, Record, Stage},
};
use crate::{
    errors::chain,
    sys::files::{FileError, open_append, rename_durably, sync_parent, with_suffix},
};

/// Below this size a journal is not compacted, unless it is damaged.
const COMPACT_ABOVE_BYTES: u64 = 4 * 1024 * 1024;

/// The journal, open for writing. One process has it at a time (`worker.lock`).
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// The valid length of the file. Bytes after it were never acknowledged.
    size: u64,
    compact_above: u64,
    /// Whether there may be something behind `size`, or the file's name may not be on disk.
    torn: bool,
    /// Whether the file still holds secrets of a job that is over: it keeps all that was ever written until it is compacted.
    holds_old_secrets: bool,
    ledger: Ledger,
}

/// A journal as read from disk.
#[derive(Debug)]
pub struct Replay {
    /// Its state.
    pub ledger: Ledger,
    /// Its damage.
    pub damage: Damage,
    /// Whether it holds secrets of a job that is over.
    holds_old_secrets: bool,
    /// How many bytes there are up to the end of the last whole line.
    whole: u64,
}

impl Journal {
    /// Opens the journal of a state directory, repairs what a power cut leaves behind, and compacts it when it is large or
    /// damaged. Where a full disk does not let it, the journal serves as it is, and the next start finds it so again.
    /// The second value says where a damaged journal was moved to.
    pub fn open(state: &Path) -> Result<(Self, Option<PathBuf>), FileError> {
        let path = path(state);
        let Replay { ledger, damage, holds_old_secrets, whole } = read(state)?;
        let aside = (damage == Damage::Corrupt).then(|| set_aside(&path)).transpose().unwrap_or_else(|failed| {
            error!("Cannot move the damaged journal aside: {}", chain(&failed));
            None
        });
        let file = open_append(&path)?;
        let (size, compact_above) = (whole, COMPACT_ABOVE_BYTES);
        let mut journal = Self { path, file, size, compact_above, torn: true, holds_old_secrets, ledger };
        // A damaged journal that was not moved aside is not replaced: it is the only copy.
        if aside.is_some() || (damage != Damage::Corrupt && (holds_old_secrets || whole > COMPACT_ABOVE_BYTES)) {
            journal.compact_if_possible();
        }
        if let Err(failed) = journal.mend() {
            error!("Cannot cut off the torn end of the journal yet: {}", chain(&failed));
        }
        Ok((journal, aside))
    }

    /// The state in the journal.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adds an entry, and returns when it is on disk. After an error nothing was added.
    pub fn append(&mut self, entry: Entry) -> Result<(), FileError> {
        self.append_all(vec![entry])
    }

    /// Adds entries that belong together: all of them are on disk when it returns, and none after an error.
    pub fn append_all(&mut self, entries: Vec<Entry>) -> Result<(), FileError> {
        // Behind half a frame nothing could be read.
        self.mend()?;
        let frames = frames::encode_all(&entries);
        self.torn = true;
        if let Err(source) = self.file.write_all(&frames).and_then(|()| self.file.sync_data()) {
            let error = FileError::new("append to", &self.path, source);
            return Err(self.mend().err().unwrap_or(error));
        }
        self.torn = false;
        self.size += frames.len() as u64;
        self.holds_old_secrets |= entries.iter().any(|entry| self.ledger.leaves_secrets(entry));
        for entry in entries {
            self.ledger.apply(entry);
        }
        if self.holds_old_secrets || self.size > self.compact_above {
            self.compact_if_possible();
        }
        Ok(())
    }

    /// Cuts off what was never acknowledged, before anything is put behind it.
    fn mend(&mut self) -> Result<(), FileError> {
        if self.torn {
            self.file.set_len(self.size).map_err(|source| FileError::new("mend", &self.path, source))?;
            sync_parent(&self.path)?;
            self.torn = false;
        }
        Ok(())
    }

    /// A failure is not an error: a journal that is too long is better than one that is not written.
    fn compact_if_possible(&mut self) {
        if let Err(failed) = self.compact() {
            error!("Cannot compact the journal yet: {}", chain(&failed));
        }
        self.compact_above = COMPACT_ABOVE_BYTES.max(2 * self.size);
    }

    fn compact(&mut self) -> Result<(), FileError> {
        let bytes = frames::encode_all(&self.ledger.snapshot());
        let temporary = with_suffix(&self.path, ".tmp");
        let put_in_place = || {
            let mut file = fresh(&temporary)?;
            file.write_all(&bytes)
                .and_then(|()| file.sync_all())
                .map_err(|source| FileError::new("write", &temporary, source))?;
            fs::rename(&temporary, &self.path).map_err(|source| FileError::new("put in place", &self.path, source))?;
            Ok(file)
        };
        self.file = put_in_place().inspect_err(|_: &FileError| {
            // It takes room that somebody needs.
            let _ = fs::remove_file(&temporary);
        })?;
        // From here on this file is the journal; nothing is put into it before its name is on disk.
        (self.size, self.torn, self.holds_old_secrets) = (bytes.len() as u64, true, false);
        info!(bytes = self.size, "Compacted the journal to {} bytes", self.size);
        self.mend()
    }
}

/// An empty file to append to, whatever was there.
fn fresh(path: &Path) -> Result<File, FileError> {
    let file = open_append(path)?;
    file.set_len(0).map_err(|source| FileError::new("empty", path, source))?;
    Ok(file)
}

/// Reads the journal of a state directory without changing it.
pub fn read(state: &Path) -> Result<Replay, FileError> {
    let path = path(state);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(FileError::new("read", &path, source)),
    };
    let (entries, damage, whole) = frames::decode(&bytes);
    let (mut ledger, mut holds_old_secrets) = (Ledger::default(), false);
    for entry in entries {
        holds_old_secrets |= ledger.leaves_secrets(&entry);
        ledger.apply(entry);
    }
    if damage == Damage::Corrupt {
        ledger.doubt();
    }
    Ok(Replay { ledger, damage, holds_old_secrets, whole })
}

fn path(state: &Path) -> PathBuf {
    state.join("journal")
}

/// Moves a damaged journal out of the way, for people to look at. The copy comes first: a crash in between leaves the
/// damaged journal in place, to be found again.
fn set_aside(path: &Path) -> Result<PathBuf, FileError> {
    let taken = |number: &u32| with_suffix(path, &format!(".corrupt-{number}")).exists();
    let number = (1..u32::MAX).find(|number| !taken(number)).unwrap_or(u32::MAX);
    let aside = with_suffix(path, &format!(".corrupt-{number}"));
    let copy = with_suffix(path, ".copy");
    // Its content first, then its name: soon it is the only one.
    let copied = fs::copy(path, &copy).and_then(|_| File::options().append(true).open(&copy)?.sync_all());
    copied.map_err(|source| FileError::new("copy", path, source))?;
    rename_durably(&copy, &aside)?;
    sync_parent(&aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests;
