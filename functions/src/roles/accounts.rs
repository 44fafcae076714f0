//! Accounts that are made from the machine, not through the API: the first one, and those that an operator adds there.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use muster_schemas::{
    access::{Role, UserRequest},
    envelopes::hex,
    secrets::Secret,
};

use crate::{
    api::{
        identity::accounts::{self, Account},
        lists::List,
        problem::Failure,
    },
    app::App,
    commit::Cause,
    errors::chain,
};

/// The account that the first start makes.
const ADMIN: &str = "admin";

/// The file in the data directory that the first password is written to where no terminal shows it: a log is kept, and read by
/// many.
const FIRST_PASSWORD: &str = "first-password";

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the account {username}: {reason}")]
pub struct AccountError {
    username: String,
    reason: String,
}

/// The account `admin`, unless there is an account already. Without a password from the environment and without a terminal, its
/// password is in a file below the data directory; where there is no such directory, there is no account yet.
pub(super) async fn first(app: &App, data: Option<&Path>) -> Result<(), AccountError> {
    let broken = |failure| AccountError { username: ADMIN.into(), reason: reason(failure) };
    if List::all("users").find::<Account>(app, |_| true).await.map_err(broken)?.is_some() {
        return Ok(());
    }
    let done = if given().is_some() || io::stderr().is_terminal() {
        add(app, ADMIN, Role::Admin, "first start").await
    } else if let Some(data) = data {
        add_with_file(app, &data.join(FIRST_PASSWORD)).await
    } else {
        tracing::warn!(
            "There is no account yet: set MUSTER_ADMIN_PASSWORD, or run `muster-server admin create-account`."
        );
        return Ok(());
    };
    match done {
        // Another server of the same storage was a moment faster, or the list lags behind.
        Err(Failure::Refused(problem)) if problem.code == muster_schemas::problems::ProblemCode::AlreadyExists => {
            Ok(())
        }
        done => done.map_err(broken),
    }
}

/// An account of this name and role.
pub(super) async fn create(app: &App, username: &str, role: Role) -> Result<(), AccountError> {
    let done = add(app, username, role, "admin command").await;
    done.map_err(|failure| AccountError { username: username.into(), reason: reason(failure) })
}

/// The password in the environment.
fn given() -> Option<String> {
    std::env::var("MUSTER_ADMIN_PASSWORD").ok().filter(|password| !password.is_empty())
}

fn random() -> String {
    hex(&rand::random::<[u8; 12]>())
}

/// With a random password that only a file tells, which its owner alone may read.
async fn add_with_file(app: &App, file: &Path) -> Result<(), Failure> {
    let password = random();
    let written = || {
        // A file of an earlier start that went wrong: it may have another mode.
        drop(fs::remove_file(file));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        writeln!(file, "{password}")?;
        file.sync_all()
    };
    // First, so that there is no account whose password nobody knows.
    written().map_err(Failure::broken)?;
    let request = UserRequest { username: ADMIN.into(), password: Secret::new(password.clone()), role: Role::Admin };
    if let Err(failure) = accounts::add(app, &Cause::nobody("first start"), request).await {
        drop(fs::remove_file(file));
        return Err(failure);
    }
    let file = file.display();
    tracing::warn!("The account {ADMIN} was created. Its password is in {file}: change it, and remove the file.");
    Ok(())
}

/// With the password from the environment, or a random one that is told once.
async fn add(app: &App, username: &str, role: Role, actor: &str) -> Result<(), Failure> {
    let given = given();
    let password = given.clone().unwrap_or_else(random);
    let request = UserRequest { username: username.into(), password: Secret::new(password.clone()), role };
    accounts::add(app, &Cause::nobody(actor), request).await?;
    if given.is_none() {
        // To the terminal and not to the log: it is told this once.
        drop(writeln!(io::stderr(), "The account {username} has the password {password}"));
    }
    Ok(())
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Refused(problem) => problem.to_string(),
        Failure::Broken(error) | Failure::Unavailable(error) => chain(&*error),
    }
}
