//! Blobs in a directory: `ab/cdef…` holds the bytes whose SHA-256 is `abcdef…`.
//!
//! An upload is written to `incoming/`, and only when all its bytes are there, are the announced ones and are on the
//! disk does it get its name; acknowledged is it when the name is on the disk too. So a name always stands for its
//! bytes, and whatever breaks off leaves at most a file in `incoming/`, which goes away with the upload, or at the next
//! start if the process died. One process uses a directory at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};
use muster_schemas::envelopes::hex;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::{BlobError, BlobId, Blobs, OpenBlob, Piece};

/// The object store of a server that keeps its own files.
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Opens the directory, or makes it, readable for its owner only, and clears away what a crash left behind.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = Self { root: root.into() };
        make_directory(&directory.root)?;
        make_directory(&directory.incoming())?;
        for leftover in fs::read_dir(directory.incoming())? {
            fs::remove_file(leftover?.path())?;
        }
        Ok(directory)
    }

    fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Where a blob is, if that is the name of one: what is joined here is nothing but hexadecimal digits.
    fn place(&self, sha256: &str) -> Option<PathBuf> {
        let valid = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| self.root.join(&sha256[..2]).join(&sha256[2..]))
    }

    async fn store(&self, id: &BlobId, pieces: BoxStream<'_, Piece>) -> Result<(), BlobError> {
        let place = self.place(&id.sha256).ok_or_else(|| {
            fault("name a blob")(io::Error::new(io::ErrorKind::InvalidInput, "the name is not a SHA-256"))
        })?;
        let (file, incoming) = Incoming::create(&self.incoming()).map_err(fault("make a file"))?;
        let file = receive(id, pieces, file).await?;
        // Once begun this runs to its end, even if nobody waits for it any more.
        tokio::task::spawn_blocking(move || keep(&file, &incoming, &place))
            .await
            .map_err(|error| fault("finish a blob")(io::Error::other(error)))?
            .map_err(fault("keep a blob"))
    }
}

impl Blobs for Directory {
    fn put<'a>(&'a self, id: &'a BlobId, pieces: BoxStream<'a, Piece>) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.store(id, pieces))
    }

    fn open<'a>(&'a self, sha256: &'a str, offset: u64) -> BoxFuture<'a, Result<Option<OpenBlob>, BlobError>> {
        Box::pin(async move {
            let Some(place) = self.place(sha256) else { return Ok(None) };
            open_at(&place, offset).await.map_err(fault("open a blob"))
        })
    }
}

/// A file that goes away unless it got its name.
struct Incoming {
    path: PathBuf,
}

impl Incoming {
    /// At once, not on another thread: an upload dropped meanwhile must not leave a file that comes after its guard.
    fn create(directory: &Path) -> io::Result<(File, Self)> {
        let path = directory.join(format!("{:032x}", rand::random::<u128>()));
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        Ok((file, Self { path }))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Not there if it got its name; otherwise the next start tries again.
        let _ = fs::remove_file(&self.path);
    }
}

async fn receive(id: &BlobId, mut pieces: BoxStream<'_, Piece>, file: File) -> Result<File, BlobError> {
    let mut file = tokio::fs::File::from_std(file);
    let (mut digest, mut found) = (Sha256::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(BlobError::BrokenOff)?;
        found += piece.len() as u64;
        if found > id.size {
            return Err(BlobError::WrongSize { found, announced: id.size });
        }
        digest.update(&piece);
        file.write_all(&piece).await.map_err(fault("write a blob"))?;
    }
    if found != id.size {
        return Err(BlobError::WrongSize { found, announced: id.size });
    }
    let found = hex(&digest.finalize());
    if found != id.sha256 {
        return Err(BlobError::WrongDigest { found });
    }
    file.flush().await.map_err(fault("write a blob"))?;
    Ok(file.into_std().await)
}

/// First the bytes, then the name, each synced; the directory that holds the name may be new, so its name as well.
fn keep(file: &File, incoming: &Incoming, place: &Path) -> io::Result<()> {
    file.sync_all()?;
    let directory = parent(place)?;
    make_directory(directory)?;
    fs::rename(&incoming.path, place)?;
    sync(directory)
}

async fn open_at(place: &Path, offset: u64) -> io::Result<Option<OpenBlob>> {
    let mut file = match tokio::fs::File::open(place).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let size = file.metadata().await?.len();
    if offset > size {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(offset)).await?;
    Ok(Some(OpenBlob { size, reader: Box::pin(file) }))
}

/// Synced even if it was there before: whoever made it may not have come to that yet.
fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    sync(parent(path)?)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "the root of all files is no place for blobs")),
        Some(parent) if parent.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(parent) => Ok(parent),
    }
}

fn fault(doing: &'static str) -> impl Fn(io::Error) -> BlobError {
    move |source| BlobError::Fault { doing, source }
}
