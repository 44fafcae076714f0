//! Services that `cargo xtask test` has started: Amazon's, as emulators make them on this machine.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

use super::BadNetwork;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_dynamodb::config::Credentials;
use muster_server::{blobs::s3::Bucket, store::dynamodb::DynamoTable};

/// Where a service is.
#[derive(Debug, Clone)]
pub struct Service {
    url: String,
}

impl Service {
    /// `DynamoDB` alone, fast, in memory.
    pub fn engine() -> Option<Self> {
        Self::named("MUSTER_TEST_DYNAMODB")
    }

    /// `DynamoDB`, S3 and more, by other people.
    pub fn emulator() -> Option<Self> {
        Self::named("MUSTER_TEST_AWS")
    }

    /// None, said aloud, where it was not started; in CI that is a failure.
    fn named(variable: &str) -> Option<Self> {
        if let Ok(url) = env::var(variable) {
            return Some(Self { url });
        }
        let missing = format!("{variable} is not set: `cargo xtask test` starts what this test needs");
        assert!(env::var_os("CI").is_none(), "{missing}");
        eprintln!("SKIP: {missing}");
        None
    }

    /// How it is reached.
    pub fn configuration(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&self.url)
            .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(Credentials::new(
                "test",
                "test",
                None,
                None,
                "these tests",
            )))
            // Without TLS: its certificates are read for every client anew.
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::standard())
            .build()
    }

    /// A table of its own, empty, over a network on which things will go wrong.
    pub async fn new_table_over(&self, network: &BadNetwork) -> DynamoTable {
        let configuration = self.configuration().into_builder().http_client(network.clone());
        // As the server itself does it.
        let configuration = configuration.retry_config(muster_server::aws::retries()).build();
        let table = DynamoTable::new(&configuration, &name());
        table.create().await.unwrap();
        table
    }

    /// A table of its own, empty.
    pub async fn new_table(&self) -> DynamoTable {
        let table = DynamoTable::new(&self.configuration(), &name());
        table.create().await.unwrap();
        table
    }

    /// A bucket of its own, empty.
    pub async fn new_bucket(&self) -> Bucket {
        let bucket = Bucket::new(&self.configuration(), &name());
        bucket.create().await.unwrap();
        bucket
    }
}

/// A name that nobody has used.
fn name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("muster-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
