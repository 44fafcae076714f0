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
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::{BlobError, BlobId, Blobs, Check, OpenBlob, Piece, UploadLink, fault, is_name};

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
        is_name(sha256).then(|| self.root.join(&sha256[..2]).join(&sha256[2..]))
    }

    async fn store(&self, id: &BlobId, pieces: BoxStream<'static, Piece>) -> Result<(), BlobError> {
        let place = self.place(&id.sha256).ok_or_else(|| fault("name a blob")("the name is not a SHA-256"))?;
        let (file, incoming) = IncomingFile::create(&self.incoming()).map_err(fault("make a file"))?;
        let file = receive(id, pieces, file).await?;
        // Once begun this runs to its end, even if nobody waits for it any more.
        tokio::task::spawn_blocking(move || keep(&file, &incoming, &place))
            .await
            .map_err(fault("finish a blob"))?
            .map_err(fault("keep a blob"))
    }
}

impl Blobs for Directory {
    fn put<'a>(&'a self, id: &'a BlobId, pieces: BoxStream<'static, Piece>) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.store(id, pieces))
    }

    fn open<'a>(&'a self, sha256: &'a str, offset: u64) -> BoxFuture<'a, Result<Option<OpenBlob>, BlobError>> {
        Box::pin(async move {
            let Some(place) = self.place(sha256) else { return Ok(None) };
            open_at(&place, offset).await.map_err(fault("open a blob"))
        })
    }

    fn has<'a>(&'a self, id: &'a BlobId) -> BoxFuture<'a, Result<bool, BlobError>> {
        Box::pin(async { Ok(self.open(&id.sha256, 0).await?.is_some_and(|found| found.size == id.size)) })
    }

    /// Nobody reaches a directory past the server.
    fn upload_link<'a>(&'a self, _: &'a BlobId) -> BoxFuture<'a, Result<Option<UploadLink>, BlobError>> {
        Box::pin(async { Ok(None) })
    }

    /// Nor to read from it.
    fn download_url<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<String>, BlobError>> {
        Box::pin(async { Ok(None) })
    }
}

/// A file that goes away unless it got its name.
struct IncomingFile {
    path: PathBuf,
}

impl IncomingFile {
    /// At once, not on another thread: an upload dropped meanwhile must not leave a file that comes after its guard.
    fn create(directory: &Path) -> io::Result<(File, Self)> {
        let path = directory.join(format!("{:032x}", rand::random::<u128>()));
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        Ok((file, Self { path }))
    }
}

impl Drop for IncomingFile {
    fn drop(&mut self) {
        // Not there if it got its name; otherwise the next start tries again.
        let _ = fs::remove_file(&self.path);
    }
}

async fn receive(id: &BlobId, mut pieces: BoxStream<'static, Piece>, file: File) -> Result<File, BlobError> {
    let mut file = tokio::fs::File::from_std(file);
    let mut check = Check::of(id);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(BlobError::BrokenOff)?;
        check.takes(&piece)?;
        file.write_all(&piece).await.map_err(fault("write a blob"))?;
    }
    check.ends()?;
    file.flush().await.map_err(fault("write a blob"))?;
    Ok(file.into_std().await)
}

/// First the bytes, then the name, each synced; the directory that holds the name may be new, so its name as well.
fn keep(file: &File, incoming: &IncomingFile, place: &Path) -> io::Result<()> {
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

/// Synced even if it was there before: the upload that made it may not have come to that yet.
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
