//! Shared storage, for any number of processes: a table of `DynamoDB` and a bucket of S3.

use std::sync::Arc;

use aws_config::SdkConfig;
use muster_schemas::secrets::Secret;

use super::{Kind, Storage, StorageError};
use crate::{aws, blobs::s3::Bucket, store::dynamodb::DynamoTable};

/// Says how it is reached, and asks nothing of it yet.
pub(super) async fn open(table: &str, bucket: &str) -> Result<Storage, StorageError> {
    let configuration = aws::configuration().await.map_err(unusable)?;
    let (table, bucket) = (DynamoTable::new(&configuration, table), Bucket::new(&configuration, bucket));
    let (table, bucket) = (Arc::new(table), Arc::new(bucket));
    Ok(Storage {
        table: table.clone(),
        blobs: bucket.clone(),
        kind: Kind::Services { table, bucket, configuration: Box::new(configuration) },
    })
}

/// Whether both are there and let us in.
pub(super) async fn check(table: &DynamoTable, bucket: &Bucket) -> Result<(), StorageError> {
    table.check().await.map_err(unusable)?;
    bucket.check().await.map_err(unusable)
}

/// Makes both where there are none.
pub(super) async fn create(table: &DynamoTable, bucket: &Bucket) -> Result<(), StorageError> {
    table.create().await.map_err(unusable)?;
    bucket.create().await.map_err(unusable)
}

/// By the environment alone: what is in an argument, everybody on the machine can read.
pub(super) async fn secret(configuration: &SdkConfig) -> Result<Secret, StorageError> {
    let given = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (name, text) = match (given("MUSTER_TOKEN_SECRET"), given("MUSTER_TOKEN_SECRET_PARAMETER")) {
        (Some(text), None) => ("MUSTER_TOKEN_SECRET", text),
        (None, Some(parameter)) => {
            let text = aws::parameter(configuration, &parameter).await.map_err(unusable)?;
            ("MUSTER_TOKEN_SECRET_PARAMETER", text)
        }
        (Some(_), Some(_)) => {
            let both = "MUSTER_TOKEN_SECRET and MUSTER_TOKEN_SECRET_PARAMETER are both set: set only one of them";
            return Err(StorageError::Secret(both.into()));
        }
        (None, None) => {
            let none = "MUSTER_TOKEN_SECRET is missing: 64 hexadecimal digits, as `openssl rand -hex 32` prints them, \
                        or MUSTER_TOKEN_SECRET_PARAMETER, the name of the SSM parameter that holds them";
            return Err(StorageError::Secret(none.into()));
        }
    };
    super::secret(&text).map_err(|rule| StorageError::Secret(format!("{name} {rule}")))
}

fn unusable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    StorageError::Services(error.into())
}
