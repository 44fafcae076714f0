//! Blobs (object store): bytes that never change, named by their SHA-256.

pub mod directory;
#[cfg(feature = "services")]
pub mod s3;

use std::{collections::BTreeMap, pin::Pin};

use futures_util::{future::BoxFuture, stream::BoxStream};
use muster_schemas::envelopes::hex;
use sha2::{Digest, Sha256};
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

/// How to put a blob into the store without going through the server: one `PUT` that is good for these bytes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLink {
    /// The URL. It is a credential: anybody who has it may put this one blob.
    pub url: String,
    /// Headers that must be sent, as they are.
    pub headers: BTreeMap<String, String>,
}

/// Why a blob was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More or fewer bytes than announced. Nothing was kept.
    #[error("{found} bytes arrived, {announced} were announced")]
    WrongSize {
        /// How many came, as far as they were read.
        found: u64,
        /// How many were announced.
        announced: u64,
    },
    /// Other bytes than announced. Nothing was kept.
    #[error("the bytes have SHA-256 {found}, not the one announced")]
    WrongDigest {
        /// The bytes that came.
        found: String,
    },
    /// The upload broke off. Nothing was kept.
    #[error("the upload ended early")]
    BrokenOff(#[source] std::io::Error),
    /// The store does not answer, or has too much to do; later it may.
    #[error("the object store was unavailable to {doing}")]
    Unavailable {
        /// The action that was tried.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store itself failed.
    #[error("the object store failed to {doing}")]
    Fault {
        /// The action that was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The object store.
pub trait Blobs: Send + Sync {
    /// Stores the bytes if they are the ones announced; once acknowledged they are durable. Again is harmless.
    fn put<'a>(&'a self, id: &'a BlobId, pieces: BoxStream<'static, Piece>) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Opens a blob from `offset` on; none if it is not here or the offset is past its end.
    fn open<'a>(&'a self, sha256: &'a str, offset: u64) -> BoxFuture<'a, Result<Option<OpenBlob>, BlobError>>;

    /// Whether just these bytes are here.
    fn has<'a>(&'a self, id: &'a BlobId) -> BoxFuture<'a, Result<bool, BlobError>>;

    /// Where a caller may put a blob, if the store can be reached past the server.
    fn upload_link<'a>(&'a self, id: &'a BlobId) -> BoxFuture<'a, Result<Option<UploadLink>, BlobError>>;

    /// Where a caller may get a blob, if the store can be reached past the server. Whether it is there is not asked.
    fn download_url<'a>(&'a self, sha256: &'a str) -> BoxFuture<'a, Result<Option<String>, BlobError>>;
}

/// Whether what comes is what was announced.
struct Check {
    id: BlobId,
    digest: Sha256,
    found: u64,
}

impl Check {
    fn of(id: &BlobId) -> Self {
        Self { id: id.clone(), digest: Sha256::new(), found: 0 }
    }

    fn takes(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.found += piece.len() as u64;
        self.digest.update(piece);
        if self.found > self.id.size { Err(self.wrong_size()) } else { Ok(()) }
    }

    fn ends(&self) -> Result<(), BlobError> {
        if self.found != self.id.size {
            return Err(self.wrong_size());
        }
        let found = hex(&self.digest.clone().finalize());
        if found == self.id.sha256 { Ok(()) } else { Err(BlobError::WrongDigest { found }) }
    }

    fn wrong_size(&self) -> BlobError {
        BlobError::WrongSize { found: self.found, announced: self.id.size }
    }
}

/// Whether a text is a blob's name: nothing but hexadecimal digits.
fn is_name(sha256: &str) -> bool {
    sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn fault<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &'static str) -> impl Fn(E) -> BlobError {
    move |source| BlobError::Fault { doing, source: source.into() }
}
