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

/// The name of the database in the directory.
pub(in crate::roles) const DATABASE: &str = "muster.sqlite";
/// The name of the secret in the directory.
pub(in crate::roles) const SECRET: &str = "token.key";
/// The name of the folder of files in the directory.
pub(in crate::roles) const BLOBS: &str = "blobs";
/// There until a restore is complete.
pub(in crate::roles) const RESTORING: &str = "restoring";

/// Opens it, or makes it, readable for its owner only.
pub(super) fn open(data: &Path) -> Result<Storage, StorageError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| unusable(data, error))?;
    let lock = locked(data).map_err(|error| unusable(data, error))?;
    let file = data.join(DATABASE);
    has_not_lost_its_tables(data).map_err(|error| unusable(&file, error))?;
    let table = SqliteTable::open_alone(&file).map_err(|error| unusable(&file, error))?;
    let root = data.join(BLOBS);
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

/// Refuses a directory in which a server has run and whose database is gone: begun anew, it would look as if nothing had
/// ever been there, and would lock out every host.
fn has_not_lost_its_tables(data: &Path) -> Result<(), String> {
    if fs::metadata(data.join(DATABASE)).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    let blobs = || fs::read_dir(data.join(BLOBS)).is_ok_and(|files| files.flatten().any(|file| is_of_blobs(&file)));
    let left = [SECRET, RESTORING].into_iter().find(|name| data.join(name).exists());
    match left.or_else(|| blobs().then_some(BLOBS)) {
        None => Ok(()),
        Some(left) => Err(format!(
            "it is missing or empty, but {left} beside it shows that there was an installation: restore a backup, or \
             begin anew in an empty directory"
        )),
    }
}

/// A folder of files that were kept, and not the one where uploads come in.
fn is_of_blobs(entry: &fs::DirEntry) -> bool {
    entry.file_name().len() == 2
}

/// Nobody else has the directory.
pub(in crate::roles) fn locked(data: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(data.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(io::Error::other("another process is using it")),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}
