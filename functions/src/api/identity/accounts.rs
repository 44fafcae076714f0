//! Accounts of people: a name, a password, a role.

use jiff::Timestamp;
use muster_domain::{changes::Note, words::word};
use muster_schemas::{
    access::{Role, UserRequest},
    ids::UserId,
    problems::{Problem, ProblemCode},
};
use serde::{Deserialize, Serialize};

use super::passwords;
use crate::{
    api::problem::Failure,
    app::App,
    commit::{Cause, keep_audited, put},
    records,
    store::{Consistency, Expect, StoreError},
};

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Its name.
    pub username: String,
    /// The password's argon2id hash (PHC).
    pub password_hash: String,
    /// Grows with every new password, and ends the sessions of the old one.
    pub password_version: u64,
    /// Its role.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// An entry of the audit trail about it.
    pub fn note(&self, action: &'static str) -> Note {
        Note::new(action, self.id, format!("{}, {}", self.username, word(self.role)))
    }

    /// Entries of the audit trail about what has become of it: a new password is not a new role.
    pub fn changes(&self, before: &Self) -> Vec<Note> {
        let (name, was, is) = (&self.username, word(before.role), word(self.role));
        let role = (was != is).then(|| Note::new("user.role_changed", self.id, format!("{name}, {was} -> {is}")));
        let is_new = self.password_version != before.password_version;
        let password = is_new.then(|| Note::new("user.password_changed", self.id, format!("{name}, {is}")));
        role.into_iter().chain(password).collect()
    }
}

/// The role that an account has now, as it was a moment ago at the latest. Absent: there is no such account any more.
///
/// An API key has no more than this. Its own record is read with each request; this is read again only every few seconds, and
/// at once where this very process has changed the account.
pub async fn role_now(app: &App, id: UserId) -> Result<Option<Role>, Failure> {
    if let Some(role) = app.roles.get(&id, app.now()) {
        return Ok(role);
    }
    let found = app.load::<Account>(&records::users::key(id), Consistency::Strong).await?;
    let role = found.map(|found| found.record.role);
    app.roles.keep(id, role, app.now());
    Ok(role)
}

/// The account with this name.
pub async fn by_name(app: &App, username: &str) -> Result<Option<Account>, Failure> {
    let Some(id) = app.load::<UserId>(&records::users::by_name(username), Consistency::Strong).await? else {
        return Ok(None);
    };
    let found = app.load::<Account>(&records::users::key(id.record), Consistency::Strong).await?;
    Ok(found.map(|found| found.record))
}

/// Makes an account.
pub async fn add(app: &App, cause: &Cause, request: UserRequest) -> Result<Account, Failure> {
    let UserRequest { username, password, role } = request;
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if !(1..=64).contains(&username.len()) || !username.bytes().all(named) {
        return Err(Problem::invalid("username", "must be 1 to 64 characters of a-z 0-9 . _ -").into());
    }
    passwords::check(&password, &username)?;
    let account = Account {
        id: UserId::new(app.now(), rand::random()),
        username,
        password_hash: passwords::hash(password).await?,
        password_version: 1,
        role,
        created_at: app.now(),
    };
    let name = put(records::users::by_name(&account.username), 1, Vec::new(), &account.id, Expect::Absent);
    let record =
        put(records::users::key(account.id), 1, records::users::found_by(account.id), &account, Expect::Absent);
    match keep_audited(app, vec![name, record], account.note("user.created"), cause).await {
        Err(StoreError::Stale { .. }) => Err(Problem::new(ProblemCode::AlreadyExists)
            .detail(format_args!("the name {} is taken", account.username))
            .into()),
        done => Ok(done.map(|()| account)?),
    }
}
