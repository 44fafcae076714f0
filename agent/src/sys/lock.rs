//! File locks between processes: held while the process lives, and released by the kernel when it dies.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::mpsc,
    time::Duration,
};

use super::files::{FileError, open_append};

/// A lock that is ours until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{path} is held by another process")]
    Held {
        /// The lock file.
        path: String,
    },
    /// It could not be asked for.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Whether a process holds the lock. A file that cannot be asked is held by nobody.
pub fn is_held(path: &Path) -> bool {
    let asked = File::open(path).map(|file| file.try_lock());
    matches!(asked, Ok(Err(TryLockError::WouldBlock)))
}

/// Takes the lock, waiting up to `patience` for its holder to end.
pub fn lock_within(path: &Path, patience: Duration) -> Result<Lock, LockError> {
    let file = open_append(path)?;
    let (send, receive) = mpsc::channel();
    // The thread outlives this call only when the wait was in vain, and then the process ends.
    std::thread::spawn(move || send.send(file.lock().map(|()| Lock { _file: file })));
    match receive.recv_timeout(patience) {
        Ok(locked) => locked.map_err(|source| FileError::new("lock", path, source).into()),
        Err(_) => Err(LockError::Held { path: path.display().to_string() }),
    }
}
