//! `keys`: API keys of programs.

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
    tables::Table,
    times,
};

/// What to do about API keys.
#[derive(Debug, clap::Subcommand)]
pub enum KeyCommand {
    /// List keys, without their texts
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Make a key; its text is shown once
    Create {
        /// What it is for
        name: String,
        /// What it may do
        #[arg(long, value_parser = roles::parse, value_name = roles::ALL)]
        role: Role,
        /// How long it is valid, such as 90d (the default)
        #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
        valid_for: Option<u32>,
    },
    /// Take a key back
    Revoke {
        /// The key's id (key_…)
        id: ApiKeyId,
    },
}

/// Does it.
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
                format!("{id}, until {until}. The key is shown only now:\n\n  MUSTER_TOKEN={}\n", key.reveal())
            })?;
        }
        KeyCommand::Revoke { id } => {
            let answer = context.client()?.delete(&["api-keys", &id.to_string()], &[]).await?;
            context.done(&answer, &format!("Revoked {id}."))?;
        }
    }
    Ok(Exit::Succeeded)
}

fn table(keys: &[ApiKeyView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "ROLE", "LAST USED", "EXPIRES"]);
    for key in keys {
        let (last_used, expires) = (times::ago_or_dash(key.last_used_at, now), times::ago(key.expires_at, now));
        table.row([key.id.to_string(), key.name.clone(), roles::text(key.role).into(), last_used, expires]);
    }
    table.render("No API keys.")
}
