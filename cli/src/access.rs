//! `users` and `keys`: accounts of people, keys of programs.

use jiff::Timestamp;
use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyRequest, ApiKeyView, Role, UserChange, UserRequest, UserView},
    ids::{ApiKeyId, UserId},
    pages::Page,
};
use reqwest::Method;

use crate::{
    client::{Answer, Client},
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
    prompts::{self, FromStdin},
    session,
    tables::Table,
    times,
};

/// Where a password for another account comes from. Not `MUSTER_PASSWORD`: one's own must never become somebody else's.
const NEW_PASSWORD: &str = "MUSTER_NEW_PASSWORD";

/// What to do about accounts.
#[derive(Debug, clap::Subcommand)]
pub enum UserCommand {
    /// List accounts
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Make an account; its password comes from `MUSTER_NEW_PASSWORD`, --password-stdin or the terminal
    Create {
        /// The account's name
        username: String,
        /// What it may do
        #[arg(long, value_parser = role, value_name = ROLES)]
        role: Role,
        #[command(flatten)]
        from_stdin: FromStdin,
    },
    /// Set a new password, from the same places; ends the person's sessions
    Password {
        /// The account's name or id
        user: String,
        #[command(flatten)]
        from_stdin: FromStdin,
    },
    /// Set what an account may do
    Role {
        /// The account's name or id
        user: String,
        /// What it may do from now on
        #[arg(value_parser = role, value_name = ROLES)]
        role: Role,
    },
    /// Remove an account
    Delete {
        /// The account's name or id
        user: String,
    },
}

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
        #[arg(long, value_parser = role, value_name = ROLES)]
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

const ROLES: &str = "viewer|operator|admin";

fn role(text: &str) -> Result<Role, String> {
    let roles = [Role::Viewer, Role::Operator, Role::Admin];
    roles.into_iter().find(|role| session::role(*role) == text).ok_or_else(|| format!("must be {ROLES}"))
}

/// Does it.
pub async fn users(context: &Context, command: UserCommand) -> Result<Exit, Failure> {
    match command {
        UserCommand::List { paging } => {
            let render = |users: &[UserView]| user_table(users, Timestamp::now());
            paging.list(context, (&["users"], Vec::new()), render).await?;
        }
        UserCommand::Create { username, role, from_stdin } => {
            let client = context.client()?;
            let password = prompts::password(&format!("Password for {username}"), NEW_PASSWORD, from_stdin)?;
            let answer = client.create(&["users"], &UserRequest { username, password, role }).await?;
            context.show(&answer, |user: &UserView| format!("Created {} ({}).\n", user.username, user.id))?;
        }
        UserCommand::Password { user, from_stdin } => {
            let client = context.client()?;
            let id = find(&client, &user).await?;
            let password = prompts::password(&format!("New password for {user}"), NEW_PASSWORD, from_stdin)?;
            let change = UserChange { password: Some(password), role: None };
            let answer = change_user(&client, id, &change).await?;
            context.done(&answer, &format!("{user} has a new password."))?;
        }
        UserCommand::Role { user, role } => {
            let client = context.client()?;
            let id = find(&client, &user).await?;
            let answer = change_user(&client, id, &UserChange { password: None, role: Some(role) }).await?;
            context.done(&answer, &format!("{user} is {} now.", session::role(role)))?;
        }
        UserCommand::Delete { user } => {
            let client = context.client()?;
            let id = find(&client, &user).await?;
            let answer = client.delete(&["users", &id.to_string()], &[]).await?;
            context.done(&answer, &format!("Deleted {user} ({id})."))?;
        }
    }
    Ok(Exit::Succeeded)
}

/// Does it.
pub async fn keys(context: &Context, command: KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::List { paging } => {
            let render = |keys: &[ApiKeyView]| key_table(keys, Timestamp::now());
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

async fn change_user(client: &Client, id: UserId, change: &UserChange) -> Result<Answer, Failure> {
    client.change(Method::PATCH, &["users", &id.to_string()], &[], Some(change)).await
}

/// An account by its id or its name.
async fn find(client: &Client, user: &str) -> Result<UserId, Failure> {
    if let Ok(id) = user.parse() {
        return Ok(id);
    }
    let mut query = vec![("limit", "200".to_owned())];
    loop {
        let page: Page<UserView> = client.get(&["users"], &query).await?.read()?;
        if let Some(found) = page.items.iter().find(|found| found.username == user) {
            return Ok(found.id);
        }
        query.truncate(1);
        let none = || Failure::Usage(format!("there is no account {user:?}; muster users list shows all"));
        query.push(("cursor", page.next_cursor.ok_or_else(none)?));
    }
}

fn user_table(users: &[UserView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "ROLE", "CREATED"]);
    for user in users {
        let created = times::ago(user.created_at, now);
        table.row([user.id.to_string(), user.username.clone(), session::role(user.role).into(), created]);
    }
    table.render("No accounts.")
}

fn key_table(keys: &[ApiKeyView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "ROLE", "LAST USED", "EXPIRES"]);
    for key in keys {
        let (last_used, expires) = (times::ago_or_dash(key.last_used_at, now), times::ago(key.expires_at, now));
        table.row([key.id.to_string(), key.name.clone(), session::role(key.role).into(), last_used, expires]);
    }
    table.render("No API keys.")
}
