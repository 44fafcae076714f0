//! `admin`: commands on a storage itself, from a machine that may reach it, without the API.

use std::{path::PathBuf, sync::Arc};

use muster_domain::{pacing::Pacing, retention::Retention};
use muster_schemas::{access::Role, envelopes::hex, secrets::Secret};

#[cfg(feature = "embedded")]
use super::backup::{self, BackupError};
use super::{
    accounts::{self, AccountError},
    moving::{self, MoveError},
    storage::{self, StorageError},
};
use crate::{
    app::{App, BODY_MEMORY_BYTES, Settings},
    clock::SystemClock,
};
#[cfg(feature = "embedded")]
use crate::{clock::Clock as _, store::Sizes};

/// The command.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create the table and the bucket if they do not exist, for places without a template
    Setup {
        /// Where everything is kept.
        #[command(flatten)]
        storage: storage::Options,
    },
    /// Create an account; its password is in `MUSTER_ADMIN_PASSWORD`, or a random one is printed once
    CreateAccount {
        /// Where everything is kept.
        #[command(flatten)]
        storage: storage::Options,
        /// Its name
        #[arg(long, default_value = "admin")]
        username: String,
        /// Its role: admin, operator or viewer
        #[arg(long, default_value = "admin", value_parser = role)]
        role: Role,
    },
    /// Export a whole installation into a directory; stop its servers and its tick first
    Export {
        /// Where everything is kept.
        #[command(flatten)]
        storage: storage::Options,
        /// The directory; must not exist yet
        #[arg(long, value_name = "DIRECTORY")]
        to: PathBuf,
    },
    /// Import such a directory into an empty storage; an interrupted import continues when it is run again
    Import {
        /// Where everything is kept.
        #[command(flatten)]
        storage: storage::Options,
        /// The directory
        #[arg(long, value_name = "DIRECTORY")]
        from: PathBuf,
    },
    /// Print how much a data directory holds, of what; its server may run
    #[cfg(feature = "embedded")]
    Sizes {
        /// Where everything is kept.
        #[command(flatten)]
        storage: storage::Options,
    },
    /// Back up a data directory, beside its running server; into the directory of an earlier backup only what is new is copied
    #[cfg(feature = "embedded")]
    Backup {
        /// The data directory
        #[arg(long, env = "MUSTER_DATA", default_value = "muster-data")]
        data: PathBuf,
        /// The directory of the backup; created if it does not exist
        #[arg(long, value_name = "DIRECTORY")]
        to: PathBuf,
    },
    /// Restore such a backup, verified, into a data directory that is empty or does not exist
    #[cfg(feature = "embedded")]
    Restore {
        /// The data directory
        #[arg(long, env = "MUSTER_DATA", default_value = "muster-data")]
        data: PathBuf,
        /// The directory of the backup
        #[arg(long, value_name = "DIRECTORY")]
        from: PathBuf,
    },
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The storage cannot be used.
    #[error("cannot use the storage")]
    Storage(#[from] StorageError),
    /// There is no account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Not everything was moved.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// There is no backup, or it was not restored.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// Does it, and says what was done.
pub async fn run(command: Command) -> Result<String, AdminError> {
    match command {
        Command::Setup { storage } => {
            storage.open().await?.create().await?;
            Ok("The storage is there.".into())
        }
        Command::CreateAccount { storage, username, role } => {
            let storage = storage.open().await?;
            // Nobody is given an access token by this process.
            let token_secret = Secret::new(hex(&rand::random::<[u8; 32]>()));
            let settings = Settings {
                public_url: String::new(),
                console_url: String::new(),
                token_secret,
                pacing: Pacing::default(),
                retention: Retention::default(),
                max_target_bytes: 0,
                max_blob_part_bytes: None,
                body_memory_bytes: BODY_MEMORY_BYTES,
            };
            let app = App::new(storage.table, storage.blobs, Arc::new(SystemClock), settings);
            accounts::create(&app, &username, role).await?;
            Ok(format!("The account {username} is there."))
        }
        Command::Export { storage, to } => {
            let moved = moving::export(&storage.open_existing().await?, &to).await?;
            Ok(format!("{moved} were written to {}.", to.display()))
        }
        Command::Import { storage, from } => {
            let moved = moving::import(&storage.open().await?, &from).await?;
            Ok(format!("{moved} were read from {}.", from.display()))
        }
        #[cfg(feature = "embedded")]
        Command::Sizes { storage } => Ok(told(&storage.sizes().await?)),
        #[cfg(feature = "embedded")]
        Command::Backup { data, to } => {
            let totals = backup::backup(&data, &to, SystemClock.now())?;
            Ok(format!("The backup in {} holds {totals}.", to.display()))
        }
        #[cfg(feature = "embedded")]
        Command::Restore { data, from } => {
            let totals = backup::restore(&from, &data)?;
            Ok(format!("{} holds {totals}, as they were when the backup was made.", data.display()))
        }
    }
}

/// Sizes as a table, the largest first.
#[cfg(feature = "embedded")]
fn told(sizes: &Sizes) -> String {
    let mut kinds = sizes.kinds.iter().map(|(kind, (records, bytes))| (*bytes, *records, kind)).collect::<Vec<_>>();
    kinds.sort_unstable_by(|one, other| other.cmp(one));
    let lines = kinds.iter().map(|(bytes, records, kind)| format!("{kind:<20} {records:>12} {bytes:>16}"));
    let head = format!("{:<20} {:>12} {:>16}", "KIND", "RECORDS", "BYTES");
    let foot = sizes.file.map(|(file, log)| format!("The file has {file} bytes, its write-ahead log {log}."));
    std::iter::once(head).chain(lines).chain(foot).collect::<Vec<_>>().join("\n")
}

fn role(text: &str) -> Result<Role, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be admin, operator or viewer")
}
