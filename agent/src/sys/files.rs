//! Durable atomic file writes: temporary file, fsync, rename, fsync of the directory.
//!
//! All files are private to their owner (0600 in 0700 directories).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// A failed operation on a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}")]
pub struct FileError {
    action: &'static str,
    path: String,
    #[source]
    source: io::Error,
}

impl FileError {
    /// Says what was tried, on what.
    pub fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.display().to_string(), source }
    }

    /// Whether the file is not there.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Makes a directory that only its owner can look into, and those above it.
pub fn create_private_directory(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| FileError::new("create", path, source))
}

/// Removes the permissions of group and others on a file or directory.
pub fn make_private(path: &Path, directory: Mode) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = match directory {
            Mode::Data => 0o600,
            Mode::Executable | Mode::Directory => 0o700,
        };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(|source| FileError::new("restrict", path, source))?;
    }
    #[cfg(not(unix))]
    let _ = (path, directory);
    Ok(())
}

/// The owner's permissions on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read and write it.
    Data,
    /// Execute it as well.
    Executable,
    /// Look into it.
    Directory,
}

/// Opens a new file, or an old one from its start on, for its owner alone.
pub fn create_private(path: &Path) -> io::Result<File> {
    private().write(true).create(true).truncate(true).open(path)
}

/// Opens a file for reading and for appending, for its owner alone.
pub fn open_append(path: &Path) -> Result<File, FileError> {
    private().read(true).append(true).create(true).open(path).map_err(|source| FileError::new("open", path, source))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Replaces a file as a whole: after an error or a power cut there is the old content or the new one, nothing between.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = with_suffix(path, ".tmp");
    let write = || {
        let mut file = create_private(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| FileError::new("write", &temporary, source))?;
    rename_durably(&temporary, path)
}

/// Moves a file, and returns when the move is on disk.
pub fn rename_durably(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(|source| FileError::new("put in place", to, source))?;
    sync_parent(to)
}

/// Returns when what was created, renamed or removed beside `path` is on disk.
pub fn sync_parent(path: &Path) -> Result<(), FileError> {
    // Windows cannot sync a directory; its rename is journalled by the file system.
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        File::open(parent)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| FileError::new("sync", parent, source))?;
    }
    Ok(())
}

/// Writes a value as JSON, durably.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| FileError::new("write", path, error.into()))?;
    write_durably(path, &bytes)
}

/// Reads a value from JSON; `None` when there is no such file. Damage is an error, never a default.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FileError::new("read", path, source)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| FileError::new("read", path, error.into()))
}

/// SHA-256 of a file, hexadecimal, and its size.
pub fn sha256_of(path: &Path) -> Result<(String, u64), FileError> {
    let read = || {
        let (mut file, mut hasher, mut size) = (File::open(path)?, Sha256::new(), 0_u64);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((muster_schemas::envelopes::hex(&hasher.finalize()), size)),
                count => {
                    hasher.update(&buffer[..count]);
                    size += count as u64;
                }
            }
        }
    };
    read().map_err(|source| FileError::new("read", path, source))
}

/// A path with something added to its last part.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
