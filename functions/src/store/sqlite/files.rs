//! The database file itself: how it is made, and how one process has it for itself.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{SCHEMA, SCHEMA_VERSION};
use crate::store::{StoreError, fault};

/// Makes the file unless it is there, readable for its owner only; `SQLite` gives its other files the same mode. It gets
/// its name when its tables are in it and on the disk.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    if holds_something(path) {
        return Ok(());
    }
    if holds_something(&beside(path, "-wal")) {
        return Err(fault("make the database file")("its write-ahead log is there without it; restore a backup"));
    }
    let unfinished = beside(path, ".unfinished");
    empty(&unfinished).map_err(fault("make the database file"))?;
    tables_in(&unfinished).map_err(fault("set up the database"))?;
    fs::rename(&unfinished, path).and_then(|()| sync_parent(path)).map_err(fault("make the database file"))
}

/// Nobody else has it. The lock is on the file and not on its name: it holds whatever else is removed or renamed.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another process is using it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The name of a file that belongs to another.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// An empty file, whatever was left there.
pub(super) fn empty(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map(drop)
}

pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn holds_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

fn tables_in(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()
}
