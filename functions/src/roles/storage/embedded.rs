//! Embedded storage: a table in a file and files beside it, below one directory, for one process.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use muster_schemas::{envelopes::hex, secrets::Secret};

use super::{Kind, Storage, StorageError, unusable};
use crate::{blobs::directory::Directory, store::sqlite::SqliteTable};

/// Opens it, or makes it, readable for its owner only.
pub(super) fn open(data: &Path) -> Result<Storage, StorageError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| unusable(data, error))?;
    let lock = locked(&data.join("lock")).map_err(|error| unusable(data, error))?;
    let file = data.join("muster.sqlite");
    let table = SqliteTable::open(&file).map_err(|error| unusable(&file, error))?;
    let root = data.join("blobs");
    let blobs = Directory::open(&root).map_err(|error| unusable(&root, error))?;
    let kind = Kind::Embedded { data: data.to_owned(), lock };
    Ok(Storage { table: Arc::new(table), blobs: Arc::new(blobs), kind })
}

/// The secret in a file; made by the first start.
pub(super) fn secret(path: &Path) -> io::Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let remove = "; remove the file, and the next start makes a new one";
            return super::secret(&text).map_err(|rule| io::Error::other(format!("it {rule}{remove}")));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text = hex(&rand::random::<[u8; 32]>());
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(Secret::new(text))
}

/// Nobody else has it open.
fn locked(path: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(io::Error::other("another process is using it")),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}
