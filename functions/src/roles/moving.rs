//! Export and import of an installation: everything in the table as lines of `items.ndjson`, every file of a release in `blobs/`.
//!
//! The installation must not change meanwhile, so its servers and its tick are stopped first. An import looks at all that is there
//! before it writes, knows its own items again, and refuses any other: it goes on after an interruption, and mixes no two
//! installations. Moved are items as they are, revisions and all; access tokens are not, hosts ask for new ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use muster_domain::releases::Release;
use muster_schemas::envelopes::hex;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tokio_util::io::{InspectReader, ReaderStream};

use super::storage::Storage;
use crate::{
    blobs::{BlobError, BlobId},
    store::Versioned,
    store::{Expect, Index, IndexEntry, Item, Key, StoreError, Write},
};

const ITEMS: &str = "items.ndjson";
/// Its name until it is complete.
const UNFINISHED: &str = "items.unfinished";
const BLOBS: &str = "blobs";
/// How many items are read or written at once.
const STRIDE: usize = 100;
/// How many bytes of items are written at once: a transaction takes 4 MB.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// How much was moved.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Records of any kind.
    pub items: usize,
    /// Files of releases.
    pub blobs: usize,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records and {} files", self.items, self.blobs)
    }
}

/// Why not everything was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The directory.
    #[error("cannot use {path}")]
    File {
        /// Which path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The table.
    #[error("cannot move the records")]
    Store(#[from] StoreError),
    /// The object store.
    #[error("cannot move the files")]
    Blobs(#[from] BlobError),
    /// A release's file that the object store does not have.
    #[error("the file {0} of a release is not in the object store")]
    NoBlob(String),
    /// A release's file that is not what its name says.
    #[error("the file {0} of a release is damaged in the object store")]
    WrongBlob(String),
    /// A line that is none of an export's.
    #[error("line {line} of {ITEMS} is not a record")]
    Line {
        /// Which.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The storage holds something else.
    #[error("the storage is not empty: it holds {partition} {sort}; import into an empty one")]
    NotEmpty {
        /// Of the record that is there.
        partition: String,
        /// Of the record that is there.
        sort: String,
    },
}

impl MoveError {
    fn holds(Key { partition, sort }: Key) -> Self {
        Self::NotEmpty { partition, sort }
    }
}

/// An item as a line.
#[derive(Serialize, Deserialize)]
struct Line {
    partition: String,
    sort: String,
    revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<Entry>,
    body: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    index: String,
    partition: String,
    sort: String,
}

/// Writes everything. Its list of records gets its name when it is whole: what broke off is no export.
pub async fn export(storage: &Storage, to: &Path) -> Result<Totals, MoveError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| MoveError::File { path, source }
    };
    DirBuilder::new().mode(0o700).create(to).map_err(at(to))?;
    let blobs = to.join(BLOBS);
    DirBuilder::new().mode(0o700).create(&blobs).map_err(at(&blobs))?;
    let path = to.join(UNFINISHED);
    let mut file = BufWriter::new(private(&path).map_err(at(&path))?);
    let mut moved = Totals::default();
    let mut cursor = None;
    loop {
        let rows = storage.table.scan(cursor, STRIDE).await?;
        for item in &rows.items {
            let line = line(item).map_err(|source| MoveError::Line { line: moved.items + 1, source })?;
            writeln!(file, "{line}").map_err(at(&path))?;
            moved.items += 1;
            for id in files_of(item)? {
                save(storage, &id, &blobs.join(&id.sha256)).await?;
                moved.blobs += 1;
            }
        }
        cursor = rows.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error).map_err(at(&path))?;
    file.sync_all().map_err(at(&path))?;
    fs::rename(&path, to.join(ITEMS)).map_err(at(&path))?;
    File::open(to).and_then(|directory| directory.sync_all()).map_err(at(to))?;
    Ok(moved)
}

/// Reads everything: files first, so that no record ever names one that is not there. Before it writes anything it has
/// seen that every line is a record and that the storage holds no other.
pub async fn import(storage: &Storage, from: &Path) -> Result<Totals, MoveError> {
    let path = from.join(ITEMS);
    let there = there_already(storage, &path).await?;
    let mut moved = Totals::default();
    let (mut items, mut bytes) = (Vec::new(), 0);
    for item in read(&path)? {
        let item = item?;
        for id in files_of(&item)? {
            restore(storage, &id, &from.join(BLOBS).join(&id.sha256)).await?;
            moved.blobs += 1;
        }
        moved.items += 1;
        if there.contains(&item.key) {
            continue;
        }
        if items.len() >= STRIDE || bytes + item.body.len() > MAX_BYTES {
            write(storage, std::mem::take(&mut items)).await?;
            bytes = 0;
        }
        bytes += item.body.len();
        items.push(item);
    }
    write(storage, items).await?;
    Ok(moved)
}

/// Which records an earlier import into this storage has brought; refused if there is any other.
async fn there_already(storage: &Storage, path: &Path) -> Result<BTreeSet<Key>, MoveError> {
    let mut others = BTreeMap::new();
    let mut cursor = None;
    loop {
        let rows = storage.table.scan(cursor, STRIDE).await?;
        for item in rows.items {
            let digest = digest(&item);
            others.insert(item.key, digest);
        }
        cursor = rows.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let mut ours = BTreeSet::new();
    for item in read(path)? {
        let item = item?;
        if others.get(&item.key).is_some_and(|other| *other == digest(&item)) {
            others.remove(&item.key);
            ours.insert(item.key);
        }
    }
    match others.pop_first() {
        Some((other, _)) => Err(MoveError::holds(other)),
        None => Ok(ours),
    }
}

/// Writes all of them where there are none yet. Some may be there already: the last request of an earlier import came late.
async fn write(storage: &Storage, mut items: Vec<Item>) -> Result<(), MoveError> {
    while !items.is_empty() {
        let keys = items.iter().map(|item| item.key.clone()).collect::<Vec<_>>();
        let puts = items.iter().map(|item| Write::Put { item: item.clone(), expect: Expect::Absent });
        match storage.table.commit(puts.collect(), rand::random()).await {
            Err(StoreError::Stale { .. }) => {}
            done => return Ok(done?),
        }
        let mut left = Vec::new();
        for (item, found) in items.into_iter().zip(storage.table.get_many(&keys).await?) {
            match found {
                Some(found) if digest(&found) == digest(&item) => {}
                Some(other) => return Err(MoveError::holds(other.key)),
                None => left.push(item),
            }
        }
        items = left;
    }
    Ok(())
}

/// A digest that tells a record from every other, wherever it is kept.
fn digest(item: &Item) -> Option<[u8; 32]> {
    line(item).ok().map(|line| Sha256::digest(line).into())
}

/// The files that a record needs: those of a release that were uploaded.
fn files_of(item: &Item) -> Result<Vec<BlobId>, MoveError> {
    if !item.key.partition.starts_with("release#") {
        return Ok(Vec::new());
    }
    let Release { manifest, uploaded, .. } = Versioned::<Release>::read(item)?.record;
    let there = manifest.targets.into_iter().filter(|target| uploaded.contains(&target.platform()));
    Ok(there.map(|target| BlobId { sha256: target.sha256, size: target.size }).collect())
}

async fn save(storage: &Storage, id: &BlobId, path: &Path) -> Result<(), MoveError> {
    let at = |source| MoveError::File { path: path.to_owned(), source };
    if fs::exists(path).map_err(at)? {
        // Two releases may have a file in common.
        return Ok(());
    }
    let found = storage.blobs.open(&id.sha256, 0).await?;
    let found = found.ok_or_else(|| MoveError::NoBlob(id.sha256.clone()))?;
    let mut file = tokio::fs::File::from_std(private(path).map_err(at)?);
    let mut digest = Sha256::new();
    let mut bytes = InspectReader::new(found.reader, |bytes| digest.update(bytes));
    tokio::io::copy(&mut bytes, &mut file).await.map_err(at)?;
    drop(bytes);
    // Found out at the other end, it may be too late: the place it came from may be gone.
    if hex(&digest.finalize()) != id.sha256 {
        return Err(MoveError::WrongBlob(id.sha256.clone()));
    }
    file.sync_all().await.map_err(at)
}

async fn restore(storage: &Storage, id: &BlobId, path: &Path) -> Result<(), MoveError> {
    if storage.blobs.has(id).await? {
        return Ok(());
    }
    let at = |source| MoveError::File { path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(at)?;
    let pieces = ReaderStream::with_capacity(file, 256 * 1024).map(|piece| piece.map(|bytes| bytes.to_vec()));
    Ok(storage.blobs.put(id, pieces.boxed()).await?)
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)
}

fn line(item: &Item) -> Result<String, serde_json::Error> {
    // Where lines end there is white space between values: within a text it would be escaped.
    let in_one_line = |body: &RawValue| RawValue::from_string(body.get().replace(['\n', '\r'], " "));
    let Item { key, revision, expires_at, indexes, body } = item;
    let entry = |entry: &IndexEntry| Entry {
        index: entry.index.name().into(),
        partition: entry.partition.clone(),
        sort: entry.sort.clone(),
    };
    serde_json::to_string(&Line {
        partition: key.partition.clone(),
        sort: key.sort.clone(),
        revision: *revision,
        expires_at: *expires_at,
        indexes: indexes.iter().map(entry).collect(),
        body: in_one_line(serde_json::from_slice(body)?)?,
    })
}

/// The records of an export, one by one.
fn read(path: &Path) -> Result<impl Iterator<Item = Result<Item, MoveError>>, MoveError> {
    let at = |source| MoveError::File { path: path.to_owned(), source };
    let lines = BufReader::new(File::open(path).map_err(at)?).lines().enumerate();
    Ok(lines.map(move |(number, line)| {
        item(&line.map_err(at)?).map_err(|source| MoveError::Line { line: number + 1, source })
    }))
}

fn item(line: &str) -> Result<Item, serde_json::Error> {
    use serde::de::Error as _;
    let Line { partition, sort, revision, expires_at, indexes, body } = serde_json::from_str(line)?;
    let entry = |entry: Entry| {
        let index = Index::ALL.into_iter().find(|index| index.name() == entry.index);
        let index = index.ok_or_else(|| serde_json::Error::custom(format!("there is no index {}", entry.index)))?;
        Ok(IndexEntry { index, partition: entry.partition, sort: entry.sort })
    };
    Ok(Item {
        key: Key { partition, sort },
        revision,
        expires_at,
        indexes: indexes.into_iter().map(entry).collect::<Result<_, serde_json::Error>>()?,
        body: body.get().into(),
    })
}
