//! Storage: where a server keeps everything, by its options: below a directory, or in a table and a bucket.

#[cfg(feature = "embedded")]
mod embedded;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_config::SdkConfig;
use muster_schemas::secrets::Secret;

use crate::{
    aws,
    blobs::{Blobs, s3::Bucket},
    store::{WholeTable, dynamodb::DynamoTable},
};

/// Where everything is kept.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// Where everything is kept; made if it is not there
    #[arg(long, env = "MUSTER_DATA", default_value = "muster-data", conflicts_with = "table")]
    data: PathBuf,
    /// The `DynamoDB` table that everything is kept in instead
    #[arg(long, env = "MUSTER_TABLE", requires = "bucket", value_parser = named)]
    table: Option<String>,
    /// The S3 bucket that files are kept in then
    #[arg(long, env = "MUSTER_BUCKET", requires = "table", value_parser = named)]
    bucket: Option<String>,
}

/// What an opened storage is made of.
pub struct Storage {
    /// The key-value table.
    pub table: Arc<dyn WholeTable>,
    /// The object store.
    pub blobs: Arc<dyn Blobs>,
    /// What else only this kind has.
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
    Services {
        /// The table.
        table: Arc<DynamoTable>,
        /// The bucket.
        bucket: Arc<Bucket>,
        /// How both are reached.
        configuration: Box<SdkConfig>,
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
            _ => self.embedded(),
        }
    }

    /// The same of an installation that is there already.
    pub async fn open_existing(&self) -> Result<Storage, StorageError> {
        if self.table.is_none() && !self.data.join("muster.sqlite").exists() {
            return Err(unusable(&self.data, "there is no installation in it"));
        }
        self.open().await
    }

    #[cfg(feature = "embedded")]
    fn embedded(&self) -> Result<Storage, StorageError> {
        embedded::open(&self.data)
    }

    #[cfg(not(feature = "embedded"))]
    fn embedded(&self) -> Result<Storage, StorageError> {
        Err(unusable(&self.data, "this program has no store of its own: MUSTER_TABLE and MUSTER_BUCKET are missing"))
    }
}

async fn services(table: &str, bucket: &str) -> Result<Storage, StorageError> {
    let configuration = aws::configuration().await.map_err(|error| StorageError::Services(error.into()))?;
    let (table, bucket) = (DynamoTable::new(&configuration, table), Bucket::new(&configuration, bucket));
    let (table, bucket) = (Arc::new(table), Arc::new(bucket));
    Ok(Storage {
        table: table.clone(),
        blobs: bucket.clone(),
        kind: Kind::Services { table, bucket, configuration: Box::new(configuration) },
    })
}

impl Storage {
    /// Whether services are there and let us in; what is our own was made or opened already.
    pub async fn check(&self) -> Result<(), StorageError> {
        #[cfg_attr(not(feature = "embedded"), expect(irrefutable_let_patterns, reason = "there is no other kind then"))]
        let Kind::Services { table, bucket, .. } = &self.kind else { return Ok(()) };
        table.check().await.map_err(|error| StorageError::Services(error.into()))?;
        bucket.check().await.map_err(|error| StorageError::Services(error.into()))
    }

    /// Makes table and bucket where there are none.
    pub async fn create(&self) -> Result<(), StorageError> {
        #[cfg_attr(not(feature = "embedded"), expect(irrefutable_let_patterns, reason = "there is no other kind then"))]
        let Kind::Services { table, bucket, .. } = &self.kind else { return Ok(()) };
        table.create().await.map_err(|error| StorageError::Services(error.into()))?;
        bucket.create().await.map_err(|error| StorageError::Services(error.into()))
    }

    /// The secret that signs access tokens. A server of its own makes one with its first start; losing it costs every host
    /// one more request. Servers that share a storage must be given one and the same.
    pub async fn token_secret(&self) -> Result<Secret, StorageError> {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded { data, .. } => {
                let file = data.join("token.key");
                embedded::secret(&file).map_err(|error| unusable(&file, error))
            }
            Kind::Services { configuration, .. } => given_secret(configuration).await,
        }
    }
}

/// By the environment alone: what is in an argument, everybody on the machine can read.
async fn given_secret(configuration: &SdkConfig) -> Result<Secret, StorageError> {
    let given = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (name, text) = match (given("MUSTER_TOKEN_SECRET"), given("MUSTER_TOKEN_SECRET_PARAMETER")) {
        (Some(text), None) => ("MUSTER_TOKEN_SECRET", text),
        (None, Some(parameter)) => {
            let text = aws::parameter(configuration, &parameter).await;
            ("MUSTER_TOKEN_SECRET_PARAMETER", text.map_err(|error| StorageError::Services(error.into()))?)
        }
        (Some(_), Some(_)) => {
            let both = "MUSTER_TOKEN_SECRET and MUSTER_TOKEN_SECRET_PARAMETER are both set: one of them is wanted";
            return Err(StorageError::Secret(both.into()));
        }
        (None, None) => {
            let none = "MUSTER_TOKEN_SECRET is missing: 64 hexadecimal digits, as `openssl rand -hex 32` makes them, \
                        or MUSTER_TOKEN_SECRET_PARAMETER, the name of the SSM parameter that holds them";
            return Err(StorageError::Secret(none.into()));
        }
    };
    secret(&text).map_err(|rule| StorageError::Secret(format!("{name} {rule}")))
}

/// Only what a generator makes passes: no empty text, no word, nothing out of an example.
fn secret(text: &str) -> Result<Secret, &'static str> {
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("must hold 64 hexadecimal digits, as `openssl rand -hex 32` makes them");
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
