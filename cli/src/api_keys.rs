//! API keys: the `keys` commands.

use jiff::Timestamp;
use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyRequest, ApiKeyView, Role},
    ids::ApiKeyId,
};

use crate::{
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
    roles,
    tables::{self, Table},
    times,
};

/// The `keys` commands.
#[derive(Debug, clap::Subcommand)]
pub enum KeyCommand {
    /// List API keys, without their secrets
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Create an API key; its secret is shown only once
    Create {
        /// Name of the key, such as the program that uses it
        name: String,
        /// Role of the key, which decides what it may do
        #[arg(long, value_parser = roles::parse, value_name = roles::ALL)]
        role: Role,
        /// How long the key is valid (default: 90d)
        #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
        valid_for: Option<u32>,
    },
    /// Revoke an API key
    Revoke {
        /// Id of the key (key_…)
        id: ApiKeyId,
    },
}

/// Runs a `keys` command.
pub async fn run(context: &Context, command: KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::List { paging } => {
            let render = |keys: &[ApiKeyView]| table(keys, Timestamp::now());
            paging.list(context, (&["api-keys"], Vec::new()), render).await?;
        }
        KeyCommand::Create { name, role, valid_for } => {
            let request = ApiKeyRequest { name, role, valid_for_seconds: valid_for };
            let answer = context.client()?.create(&["api-keys"], &request).await?;
            context.show(&answer, |created: &ApiKeyCreated| {
                let ApiKeyCreated { key, view } = created;
                let (id, until) = (view.id, view.expires_at);
                format!(
                    "Created {id}, valid until {until}. The key is not shown again:\n\n  MUSTER_API_KEY={}\n",
                    key.reveal()
                )
            })?;
        }
        KeyCommand::Revoke { id } => {
            let answer = context.client()?.delete(&["api-keys", &id.to_string()], &[]).await?;
            context.done(&answer, &format!("Revoked {id}."))?;
        }
    }
    Ok(Exit::Succeeded)
}

/// The role of a key, and what its maker has left of it.
fn role(key: &ApiKeyView) -> String {
    let own = roles::text(key.role);
    match key.role_now {
        // A server of before does not say.
        None if key.created_by.is_empty() => own.into(),
        None => "ended with its maker".into(),
        Some(now) if now < key.role => format!("{} (made as {own})", roles::text(now)),
        Some(_) => own.into(),
    }
}

fn table(keys: &[ApiKeyView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "ROLE", "MADE BY", "LAST USED", "EXPIRES"]);
    for key in keys {
        let maker =
            if key.created_by.is_empty() { "-".into() } else { tables::actor(&key.created_by, &key.created_by_name) };
        let (last_used, expires) = (times::ago_or_dash(key.last_used_at, now), times::ago(key.expires_at, now));
        table.row([key.id.to_string(), key.name.clone(), role(key), maker, last_used, expires]);
    }
    table.render("There are no API keys.")
}
