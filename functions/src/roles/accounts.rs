//! Accounts that are made from the machine, not through the API: the first one, and those that an operator adds there.

use std::io::{self, Write as _};

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

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the account {username}: {reason}")]
pub struct AccountError {
    username: String,
    reason: String,
}

/// The account `admin`, unless there is an account already.
pub(super) async fn first(app: &App) -> Result<(), AccountError> {
    let broken = |failure| AccountError { username: ADMIN.into(), reason: reason(failure) };
    if List::all("users").find::<Account>(app, |_| true).await.map_err(broken)?.is_some() {
        return Ok(());
    }
    match add(app, ADMIN, Role::Admin, "first start").await {
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

/// With the password from the environment, or a random one that is told once.
async fn add(app: &App, username: &str, role: Role, actor: &str) -> Result<(), Failure> {
    let given = std::env::var("MUSTER_ADMIN_PASSWORD").ok().filter(|password| !password.is_empty());
    let password = given.clone().unwrap_or_else(|| hex(&rand::random::<[u8; 12]>()));
    let request = UserRequest { username: username.into(), password: Secret::new(password.clone()), role };
    accounts::add(app, &Cause { actor: actor.into(), name: String::new(), request_id: String::new() }, request).await?;
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
