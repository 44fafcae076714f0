//! The journal: what this host has promised and done, on disk before anybody is told.
//!
//! A file of frames, one per line, each with a checksum, each synced before its append returns. A line that was cut off
//! by a power failure is cut at the next start: nobody was told of it. Damage anywhere else is never guessed over: the file
//! is moved aside, every frame that can be read still counts, and a job that was not finished counts as started, because
//! the frame that said so may be among the lost ones.

mod frames;
mod ledger;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

pub use self::{
    frames::Damage,
    ledger::{Entry, Ledger, Record, Stage},
};
use crate::sys::files::{FileError, open_append, rename_durably, sync_parent, with_suffix, write_durably};

/// Below this size a journal is not compacted while the agent runs.
const COMPACT_ABOVE_BYTES: u64 = 4 * 1024 * 1024;

/// The journal, open for writing. One process has it at a time (`worker.lock`).
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    size: u64,
    compacted_size: u64,
    ledger: Ledger,
}

/// A journal as found on disk.
#[derive(Debug)]
pub struct Found {
    /// What it says.
    pub ledger: Ledger,
    /// What is wrong with it.
    pub damage: Damage,
}

impl Journal {
    /// Opens the journal of a state directory, repairs what a power cut leaves behind, and compacts it.
    /// The second value says where a damaged journal was moved to.
    pub fn open(state: &Path) -> Result<(Self, Option<PathBuf>), FileError> {
        let path = path(state);
        let Found { ledger, damage } = read(state)?;
        let aside = match damage {
            Damage::None | Damage::TornTail => None,
            Damage::Corrupt => Some(set_aside(&path)?),
        };
        let bytes = frames::encode_all(&ledger.snapshot());
        write_durably(&path, &bytes)?;
        let file = open_append(&path)?;
        let size = bytes.len() as u64;
        Ok((Self { path, file, size, compacted_size: size, ledger }, aside))
    }

    /// What the journal says.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adds an entry, and returns when it is on disk. After an error nothing was added.
    pub fn append(&mut self, entry: Entry) -> Result<(), FileError> {
        let frame = frames::encode(&entry);
        if let Err(source) = self.file.write_all(&frame).and_then(|()| self.file.sync_data()) {
            let error = FileError::new("append to", &self.path, source);
            // Half a frame would make the next one unreadable. If it cannot be cut off, the next start does it.
            return Err(self
                .file
                .set_len(self.size)
                .err()
                .map_or(error, |cut| FileError::new("mend", &self.path, cut)));
        }
        self.size += frame.len() as u64;
        self.ledger.apply(entry);
        if self.size > COMPACT_ABOVE_BYTES && self.size > 2 * self.compacted_size {
            self.compact()?;
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<(), FileError> {
        let bytes = frames::encode_all(&self.ledger.snapshot());
        write_durably(&self.path, &bytes)?;
        self.file = open_append(&self.path)?;
        (self.size, self.compacted_size) = (bytes.len() as u64, bytes.len() as u64);
        Ok(())
    }
}

/// Reads the journal of a state directory without changing it.
pub fn read(state: &Path) -> Result<Found, FileError> {
    let path = path(state);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(FileError::new("read", &path, source)),
    };
    let (entries, damage) = frames::decode(&bytes);
    let mut ledger = Ledger::default();
    for entry in entries {
        ledger.apply(entry);
    }
    if damage == Damage::Corrupt {
        ledger.doubt();
    }
    Ok(Found { ledger, damage })
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
    fs::copy(path, &copy).map_err(|source| FileError::new("copy", path, source))?;
    rename_durably(&copy, &aside)?;
    sync_parent(&aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests;
