//! Backup and restore of a data directory. A backup is made beside the running server: the database as it was at one moment, every
//! file of a release, and the secret of access tokens.
//!
//! ```text
//! manifest.json              what the backup is made of, with sizes and digests; written last, in one step
//! database/SHA256.sqlite     the database
//! token-key/SHA256           the secret that signs access tokens
//! blobs/ab/cdef…             files of releases, as in the data directory; only those that are not here yet are copied
//! lock                       held while a backup is made or restored
//! ```
//!
//! Everything but the manifest is named by its digest and never changed. So whatever breaks off, the manifest stands for the
//! backup before, which is still whole; a restore believes nothing that does not have its digest.

mod restore;

use std::{
    collections::BTreeSet,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use muster_schemas::envelopes::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::restore::restore;
use super::storage::embedded::{BLOBS, DATABASE, SECRET, locked};
use crate::{
    store::{StoreError, sqlite::copy},
    version,
};

const MANIFEST: &str = "manifest.json";
const DATABASES: &str = "database";
const SECRETS: &str = "token-key";
/// What a part is called until it is whole.
const UNFINISHED: &str = "unfinished";
/// Everything that a directory of a backup holds.
const OURS: [&str; 6] = [MANIFEST, DATABASES, SECRETS, BLOBS, UNFINISHED, "lock"];
/// The way in which a backup is written. A backup of another is refused.
const FORMAT: u32 = 1;
const BUFFER_BYTES: usize = 256 * 1024;

/// What a backup is made of.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    made_at: Timestamp,
    /// The version of the program that made it.
    made_by: String,
    database: Part,
    /// Absent: the server had none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_key: Option<Part>,
    blobs: Vec<Part>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    sha256: String,
    size: u64,
}

/// How much was backed up or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Files of releases.
    pub blobs: usize,
    /// Those of them that were copied; the others were there.
    pub copied: usize,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database_bytes, blobs, copied } = self;
        write!(f, "a database of {database_bytes} bytes and {blobs} files of releases ({copied} copied)")
    }
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or a directory.
    #[error("cannot use {path}")]
    File {
        /// Which path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database.
    #[error("cannot use {path}")]
    Database {
        /// Which path.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// There is nothing to back up.
    #[error("{0} holds no installation: it has no {DATABASE}")]
    NoInstallation(PathBuf),
    /// A directory that holds other things.
    #[error(
        "{path} is no backup: it holds {other}; give an empty directory, or one that an earlier backup was made into"
    )]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// What it holds.
        other: String,
    },
    /// A manifest that cannot be read.
    #[error("{path} is no manifest of a backup")]
    Manifest {
        /// Which path.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A backup that another program made.
    #[error("the backup has format {found}; this program knows format {FORMAT}")]
    Format {
        /// The format it has.
        found: u32,
    },
    /// A file that is not what its name or the manifest says.
    #[error("{0} is damaged: it has another size or digest than it should")]
    Damaged(PathBuf),
    /// A directory that is in use.
    #[error("{0} is not empty: restore into a directory that is empty, or does not exist")]
    NotEmpty(PathBuf),
}

/// Makes a backup, or brings an earlier one up to date. Everything that was acknowledged before it began is in it.
pub fn backup(data: &Path, to: &Path, now: Timestamp) -> Result<Totals, BackupError> {
    let database = data.join(DATABASE);
    if !database.exists() {
        return Err(BackupError::NoInstallation(data.to_owned()));
    }
    directory(to)?;
    is_ours(to)?;
    let _lock = locked(to).map_err(at(to))?;
    for folder in [DATABASES, SECRETS, BLOBS] {
        directory(&to.join(folder))?;
    }
    let unfinished = to.join(UNFINISHED);
    copy::copy(&database, &unfinished).map_err(|source| BackupError::Database { path: database, source })?;
    let database = digest(&unfinished)?;
    named(&unfinished, &place_of_database(to, &database))?;
    let token_key = secret(&data.join(SECRET), to)?;
    // After the database: a record names a file only when it is there.
    let (blobs, copied) = blobs(&data.join(BLOBS), to)?;
    let totals = Totals { database_bytes: database.size, blobs: blobs.len(), copied };
    let manifest =
        Manifest { format: FORMAT, made_at: now, made_by: version::VERSION.into(), database, token_key, blobs };
    write(&manifest, to)?;
    forget_others(&manifest, to)?;
    Ok(totals)
}

/// The manifest gets its name when everything that it names is on the disk.
fn write(manifest: &Manifest, to: &Path) -> Result<(), BackupError> {
    let (unfinished, path) = (to.join(UNFINISHED), to.join(MANIFEST));
    let text = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
    let mut file = fresh(&unfinished)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(at(&unfinished))?;
    named(&unfinished, &path)
}

/// The secret of a server that has one.
fn secret(path: &Path, to: &Path) -> Result<Option<Part>, BackupError> {
    if !path.exists() {
        return Ok(None);
    }
    let unfinished = to.join(UNFINISHED);
    let part = copied(path, &unfinished)?;
    named(&unfinished, &place_of_secret(to, &part))?;
    Ok(Some(part))
}

/// All files of releases, and how many of them were not in the backup yet.
fn blobs(from: &Path, to: &Path) -> Result<(Vec<Part>, usize), BackupError> {
    let unfinished = to.join(UNFINISHED);
    let (mut parts, mut new) = (Vec::new(), 0);
    for (part, path) in files(from)? {
        let place = place_of_blob(&to.join(BLOBS), &part);
        if !fs::metadata(&place).is_ok_and(|there| there.len() == part.size) {
            if copied(&path, &unfinished)? != part {
                return Err(BackupError::Damaged(path));
            }
            directory(place.parent().unwrap_or(to))?;
            named(&unfinished, &place)?;
            new += 1;
        }
        parts.push(part);
    }
    Ok((parts, new))
}

/// The files below a folder of blobs, with what their names say of them.
fn files(root: &Path) -> Result<Vec<(Part, PathBuf)>, BackupError> {
    let mut found = Vec::new();
    for folder in entries(root)?.into_iter().filter(|folder| folder.file_name().is_some_and(|name| name.len() == 2)) {
        for path in entries(&folder)? {
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let size = fs::metadata(&path).map_err(at(&path))?.len();
            found.push((Part { sha256: name(&folder) + &name(&path), size }, path));
        }
    }
    Ok(found)
}

/// What the manifest does not name was of earlier backups.
fn forget_others(manifest: &Manifest, to: &Path) -> Result<(), BackupError> {
    let mut named = BTreeSet::from([place_of_database(to, &manifest.database)]);
    named.extend(manifest.token_key.iter().map(|part| place_of_secret(to, part)));
    named.extend(manifest.blobs.iter().map(|part| place_of_blob(&to.join(BLOBS), part)));
    let blobs = files(&to.join(BLOBS))?.into_iter().map(|(_, path)| path);
    let all = [entries(&to.join(DATABASES))?, entries(&to.join(SECRETS))?].concat().into_iter().chain(blobs);
    all.filter(|path| !named.contains(path)).try_for_each(|path| fs::remove_file(&path).map_err(at(&path)))
}

/// Refuses a directory that is no backup: what it holds might be taken for a part of one, and removed.
fn is_ours(to: &Path) -> Result<(), BackupError> {
    let names = entries(to)?.into_iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mut others = names.filter(|name| !OURS.contains(&name.as_str()) && name != "lost+found");
    others.next().map_or(Ok(()), |other| Err(BackupError::NotOurs { path: to.to_owned(), other }))
}

fn place_of_database(root: &Path, part: &Part) -> PathBuf {
    root.join(DATABASES).join(format!("{}.sqlite", part.sha256))
}

fn place_of_secret(root: &Path, part: &Part) -> PathBuf {
    root.join(SECRETS).join(&part.sha256)
}

fn place_of_blob(blobs: &Path, part: &Part) -> PathBuf {
    let (folder, name) = part.sha256.split_at(2);
    blobs.join(folder).join(name)
}

/// Copies a file, and says what it holds; it is on the disk then.
fn copied(from: &Path, to: &Path) -> Result<Part, BackupError> {
    let mut file = fresh(to)?;
    let part = each(from, |bytes| file.write_all(bytes).map_err(at(to)))?;
    file.sync_all().map_err(at(to))?;
    Ok(part)
}

fn digest(path: &Path) -> Result<Part, BackupError> {
    each(path, |_| Ok(()))
}

fn each(path: &Path, mut does: impl FnMut(&[u8]) -> Result<(), BackupError>) -> Result<Part, BackupError> {
    let mut file = File::open(path).map_err(at(path))?;
    let (mut digest, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER_BYTES]);
    loop {
        let count = file.read(&mut buffer).map_err(at(path))?;
        if count == 0 {
            return Ok(Part { sha256: hex(&digest.finalize()), size });
        }
        digest.update(&buffer[..count]);
        size += count as u64;
        does(&buffer[..count])?;
    }
}

/// An empty file, whatever was left there.
fn fresh(path: &Path) -> Result<File, BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path)(error)),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map_err(at(path))
}

fn named(unfinished: &Path, path: &Path) -> Result<(), BackupError> {
    fs::rename(unfinished, path).map_err(at(path))?;
    sync(path.parent().unwrap_or(path))
}

fn directory(path: &Path) -> Result<(), BackupError> {
    if !path.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))?;
        sync(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

fn sync(directory: &Path) -> Result<(), BackupError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(at(directory))
}

/// What is in a directory; nothing where there is none.
fn entries(path: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let found = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(at(path))?,
    };
    let mut paths = found.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(at(path))?;
    paths.sort();
    Ok(paths)
}

fn at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path: path.clone(), source }
}
