//! `admin`: commands on a storage itself, from a machine that may reach it, without the API.

use std::{path::PathBuf, sync::Arc};

use muster_domain::pacing::Pacing;
use muster_schemas::{access::Role, envelopes::hex, secrets::Secret};

use super::{
    accounts::{self, AccountError},
    moving::{self, MoveError},
    storage::{self, StorageError},
};
use crate::{
    app::{App, Settings},
    clock::SystemClock,
};

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
                max_target_bytes: 0,
                max_blob_part_bytes: None,
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
    }
}

fn role(text: &str) -> Result<Role, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be admin, operator or viewer")
}
