//! Storage: where a server keeps everything, by its options: below a directory, or in a table and a bucket.

#[cfg(feature = "embedded")]
pub(super) mod embedded;
#[cfg(feature = "services")]
mod services;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use muster_schemas::secrets::Secret;

#[cfg(feature = "embedded")]
use crate::store::Sizes;
use crate::{blobs::Blobs, store::WholeTable};

#[cfg(not(any(feature = "embedded", feature = "services")))]
compile_error!("a server without the features `embedded` and `services` has nowhere to keep anything");

/// Where everything is kept.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The data directory; created if it does not exist
    #[arg(long, env = "MUSTER_DATA", default_value = "muster-data", conflicts_with = "table")]
    data: PathBuf,
    /// The `DynamoDB` table that holds everything instead
    #[arg(long, env = "MUSTER_TABLE", requires = "bucket", value_parser = named)]
    table: Option<String>,
    /// The S3 bucket that holds files then
    #[arg(long, env = "MUSTER_BUCKET", requires = "table", value_parser = named)]
    bucket: Option<String>,
}

/// An opened storage.
pub struct Storage {
    /// The key-value table.
    pub table: Arc<dyn WholeTable>,
    /// The object store.
    pub blobs: Arc<dyn Blobs>,
    /// The parts that only this kind has.
    pub kind: Kind,
}

/// Which kind of storage it is.
pub enum Kind {
    /// One process has it for itself.
    #[cfg(feature = "embedded")]
    Embedded {
        /// The directory.
        data: PathBuf,
        /// Held as long as the storage: two processes would clear each other's uploads away.
        lock: std::fs::File,
    },
    /// Any number of processes share it.
    #[cfg(feature = "services")]
    Services {
        /// The table.
        table: Arc<crate::store::dynamodb::DynamoTable>,
        /// The bucket.
        bucket: Arc<crate::blobs::s3::Bucket>,
        /// How both are reached.
        configuration: Box<aws_config::SdkConfig>,
    },
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Something below the data directory.
    #[error("cannot use {path}")]
    Data {
        /// Which path.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A service.
    #[error("cannot use the services")]
    Services(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The secret that signs access tokens.
    #[error("{0}")]
    Secret(String),
}

impl Options {
    /// Opens it. Of services nothing is asked yet.
    pub async fn open(&self) -> Result<Storage, StorageError> {
        match (&self.table, &self.bucket) {
            (Some(table), Some(bucket)) => services(table, bucket).await,
            _ => open_embedded(&self.data),
        }
    }

    /// How much there is of what, also beside a running server.
    #[cfg(feature = "embedded")]
    pub async fn sizes(&self) -> Result<Sizes, StorageError> {
        use crate::store::sqlite::SqliteTable;

        if self.table.is_some() {
            let why = "DynamoDB tells no sizes by kind of record without being read as a whole";
            return Err(StorageError::Services(why.into()));
        }
        let file = self.data.join(embedded::DATABASE);
        if !file.exists() {
            return Err(unusable(&self.data, "there is no installation in it"));
        }
        let path = file.clone();
        let measured = tokio::task::spawn_blocking(move || SqliteTable::sizes_of(&path)).await;
        measured.map_err(|panic| unusable(&file, panic))?.map_err(|error| unusable(&file, error))
    }

    /// The same of an installation that is there already.
    pub async fn open_existing(&self) -> Result<Storage, StorageError> {
        if self.table.is_none() && !self.data.join("muster.sqlite").exists() {
            return Err(unusable(&self.data, "there is no installation in it"));
        }
        self.open().await
    }
}

#[cfg(feature = "embedded")]
use embedded::open as open_embedded;

#[cfg(not(feature = "embedded"))]
fn open_embedded(data: &Path) -> Result<Storage, StorageError> {
    Err(unusable(data, "this program has no store of its own: MUSTER_TABLE and MUSTER_BUCKET are missing"))
}

#[cfg(feature = "services")]
use services::open as services;

#[cfg(not(feature = "services"))]
#[expect(clippy::unused_async, reason = "services are waited for where there are any")]
async fn services(_: &str, _: &str) -> Result<Storage, StorageError> {
    Err(StorageError::Services("this program was built without DynamoDB and S3 (its feature `services`)".into()))
}

impl Kind {
    /// The directory that is this process's own, if there is one.
    pub fn data(&self) -> Option<&Path> {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded { data, .. } => Some(data),
            #[cfg(feature = "services")]
            Self::Services { .. } => None,
        }
    }
}

#[cfg_attr(not(feature = "services"), expect(clippy::unused_async, reason = "services are what is waited for"))]
impl Storage {
    /// Whether other processes use it, too.
    pub fn is_shared(&self) -> bool {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded { .. } => false,
            #[cfg(feature = "services")]
            Kind::Services { .. } => true,
        }
    }

    /// Whether services are there and let us in; what is our own was made or opened already.
    pub async fn check(&self) -> Result<(), StorageError> {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded { .. } => Ok(()),
            #[cfg(feature = "services")]
            Kind::Services { table, bucket, .. } => services::check(table, bucket).await,
        }
    }

    /// Creates the table and the bucket if they do not exist.
    pub async fn create(&self) -> Result<(), StorageError> {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded { .. } => Ok(()),
            #[cfg(feature = "services")]
            Kind::Services { table, bucket, .. } => services::create(table, bucket).await,
        }
    }

    /// The secret that signs access tokens. A server of its own makes one with its first start; losing it costs every host
    /// one more request. Servers that share a storage must be given one and the same.
    pub async fn token_secret(&self) -> Result<Secret, StorageError> {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded { data, .. } => {
                let file = data.join(embedded::SECRET);
                embedded::secret(&file).map_err(|error| unusable(&file, error))
            }
            #[cfg(feature = "services")]
            Kind::Services { configuration, .. } => services::secret(configuration).await,
        }
    }
}

/// Only what a generator makes passes: no empty text, no word, nothing out of an example.
fn secret(text: &str) -> Result<Secret, &'static str> {
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("must hold 64 hexadecimal digits, as `openssl rand -hex 32` prints them");
    }
    let digits = text.bytes().collect::<std::collections::BTreeSet<_>>();
    if digits.len() < 8
        || text.as_bytes().chunks(16).any(|part| text.matches(&*String::from_utf8_lossy(part)).count() > 1)
    {
        return Err("holds no random digits: make some with `openssl rand -hex 32`");
    }
    Ok(Secret::new(text))
}

fn named(name: &str) -> Result<String, &'static str> {
    if name.is_empty() { Err("must not be empty") } else { Ok(name.into()) }
}

fn unusable(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    StorageError::Data { path: path.to_owned(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_generator_makes_is_a_secret() {
        let made = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert!(secret(made).is_ok());
        assert!(secret(&format!("{made}\n")).is_ok(), "as a file ends");
        let repeated = "0123456789abcdef".repeat(4);
        let zeros = "0".repeat(64);
        for text in ["", " ", "changeme", "the secret that signs the access tokens", &made[1..], &repeated, &zeros] {
            assert!(secret(text).is_err(), "{text}");
        }
    }
}
