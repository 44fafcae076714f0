//! Where a world keeps everything: in a directory of its own, or with services.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use muster_server::{
    blobs::{Blobs, directory::Directory},
    roles::storage::Storage,
    store::{Table, sqlite::SqliteTable},
};
use tempfile::TempDir;

use super::{BadNetwork, Service};

/// A table and an object store, empty, that nobody else knows.
#[derive(Clone)]
pub struct Stores {
    /// The table.
    pub table: Arc<dyn Table>,
    blobs: Option<Arc<dyn Blobs>>,
    directory: Option<Arc<TempDir>>,
}

impl Stores {
    /// Those that `MUSTER_TEST_STORE` names: `dynamodb`, or the embedded ones.
    pub async fn new() -> Self {
        match std::env::var("MUSTER_TEST_STORE").as_deref() {
            Ok("dynamodb") => Self::services().await.expect("both services are there"),
            Ok("sqlite") | Err(_) => Self::embedded(),
            Ok(other) => panic!("MUSTER_TEST_STORE is {other}: sqlite and dynamodb are there"),
        }
    }

    /// The embedded ones.
    pub fn embedded() -> Self {
        // In memory where the machine has such a place: that commits survive a crash is proven elsewhere.
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let table = SqliteTable::open(&directory.path().join("muster.sqlite")).unwrap();
        Self { table: Arc::new(table), blobs: None, directory: Some(Arc::new(directory)) }
    }

    /// `DynamoDB` and S3; none where they were not started.
    pub async fn services() -> Option<Self> {
        let (engine, emulator) = (Service::engine()?, Service::emulator()?);
        let (table, blobs) = (engine.new_table().await, emulator.new_bucket().await);
        Some(Self { table: Arc::new(table), blobs: Some(Arc::new(blobs)), directory: None })
    }

    /// A table of a service over a network on which things will go wrong; files stay on this machine.
    pub async fn over(network: &BadNetwork) -> Option<Self> {
        let table = Service::engine()?.new_table_over(network).await;
        Some(Self { table: Arc::new(table), ..Self::embedded() })
    }

    /// Those of a server's storage.
    pub fn of(storage: &Storage) -> Self {
        Self { table: storage.table.clone(), blobs: Some(storage.blobs.clone()), directory: None }
    }

    /// The object store, as a process finds it that has just started.
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        let opened = || Arc::new(Directory::open(self.directory().unwrap().join("blobs")).unwrap());
        self.blobs.clone().unwrap_or_else(|| opened())
    }

    /// The directory, if there is one.
    pub fn directory(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.path().into())
    }
}
