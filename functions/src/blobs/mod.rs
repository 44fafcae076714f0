//! Blobs: bytes that never change, named by their SHA-256. What they mean is the caller's business.

pub mod directory;

use std::pin::Pin;

use futures_util::{future::BoxFuture, stream::BoxStream};
use tokio::io::AsyncRead;

/// Which bytes exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobId {
    /// SHA-256, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
}

/// A piece of an upload.
pub type Piece = std::io::Result<Vec<u8>>;

/// A blob opened for reading.
pub struct OpenBlob {
    /// The whole blob's size in bytes.
    pub size: u64,
    /// Its bytes from the wanted offset on.
    pub reader: Pin<Box<dyn AsyncRead + Send>>,
}

/// Why a blob was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More or fewer bytes than announced. Nothing was kept.
    #[error("{found} bytes came, {announced} were announced")]
    WrongSize {
        /// How many came, as far as they were read.
        found: u64,
        /// How many were announced.
        announced: u64,
    },
    /// Other bytes than announced. Nothing was kept.
    #[error("the bytes have SHA-256 {found}, not the one announced")]
    WrongDigest {
        /// What came.
        found: String,
    },
    /// The upload broke off. Nothing was kept.
    #[error("the upload broke off")]
    BrokenOff(#[source] std::io::Error),
    /// The store itself failed.
    #[error("the blob store failed to {doing}")]
    Fault {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

/// The object store.
pub trait Blobs: Send + Sync {
    /// Stores the bytes if they are the ones announced; once acknowledged they are durable. Again is harmless.
    fn put<'a>(&'a self, id: &'a BlobId, pieces: BoxStream<'a, Piece>) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Opens a blob from `offset` on; none if it is not here or the offset is past its end.
    fn open<'a>(&'a self, sha256: &'a str, offset: u64) -> BoxFuture<'a, Result<Option<OpenBlob>, BlobError>>;
}
