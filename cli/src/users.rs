//! User accounts: the `users` commands.

use jiff::Timestamp;
use muster_schemas::{
    access::{Role, UserChange, UserRequest, UserView},
    ids::UserId,
    pages::Page,
};
use reqwest::Method;

use crate::{
    client::{Answer, Client},
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
    prompts::{self, FromStdin},
    roles,
    tables::Table,
    times,
};

/// Environment variable with the password of another account. It is not `MUSTER_PASSWORD`: the caller's own password must
/// never become somebody else's.
const NEW_PASSWORD: &str = "MUSTER_NEW_PASSWORD";

/// The `users` commands.
#[derive(Debug, clap::Subcommand)]
pub enum UserCommand {
    /// List user accounts
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Create an account; takes its password from --password-stdin, `MUSTER_NEW_PASSWORD` or the terminal
    Create {
        /// Name of the account
        username: String,
        /// Role of the account, which decides what it may do
        #[arg(long, value_parser = roles::parse, value_name = roles::ALL)]
        role: Role,
        #[command(flatten)]
        from_stdin: FromStdin,
    },
    /// Set a new password and end all sessions of the account; takes the password as `create` does
    Password {
        /// Name or id of the account
        user: String,
        #[command(flatten)]
        from_stdin: FromStdin,
    },
    /// Change the role of an account
    Role {
        /// Name or id of the account
        user: String,
        /// New role
        #[arg(value_parser = roles::parse, value_name = roles::ALL)]
        role: Role,
    },
    /// Delete an account
    Delete {
        /// Name or id of the account
        user: String,
    },
}

/// Runs a `users` command.
pub async fn run(context: &Context, command: UserCommand) -> Result<Exit, Failure> {
    match command {
        UserCommand::List { paging } => {
            let render = |users: &[UserView]| table(users, Timestamp::now());
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
            context.done(&answer, &format!("Changed the password of {user}."))?;
        }
        UserCommand::Role { user, role } => {
            let client = context.client()?;
            let id = find(&client, &user).await?;
            let answer = change_user(&client, id, &UserChange { password: None, role: Some(role) }).await?;
            context.done(&answer, &format!("Changed the role of {user} to {}.", roles::text(role)))?;
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

async fn change_user(client: &Client, id: UserId, change: &UserChange) -> Result<Answer, Failure> {
    client.change(Method::PATCH, &["users", &id.to_string()], &[], Some(change)).await
}

/// Finds an account by its id or its name.
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
        let none = || Failure::Usage(format!("there is no account {user:?}; `muster users list` shows all accounts"));
        query.push(("cursor", page.next_cursor.ok_or_else(none)?));
    }
}

fn table(users: &[UserView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "ROLE", "CREATED"]);
    for user in users {
        let created = times::ago(user.created_at, now);
        table.row([user.id.to_string(), user.username.clone(), roles::text(user.role).into(), created]);
    }
    table.render("There are no accounts.")
}
