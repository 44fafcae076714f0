//! Accounts of people. The last admin stays.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use muster_domain::{access, changes::Note, refused::Refused};
use muster_schemas::{
    access::{Role, UserChange, UserRequest, UserView},
    ids::UserId,
    pages::Page,
    problems::{Problem, ProblemCode},
    secrets::Secret,
};
use serde::{Deserialize, Serialize};

use super::{
    auth::{Operator, may},
    extract::{Id, IfMatch, Paged, Sent, etag},
    lists::{List, page},
    problem::Failure,
    session,
};
use crate::{
    app::App,
    commit::{Cause, keep_audited, put},
    records,
    store::{Consistency, Expect, StoreError, Versioned, Write},
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
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /api/v1/users`
pub async fn create(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Sent { body, .. }: Sent<UserRequest>,
) -> Result<impl IntoResponse, Failure> {
    let created = add(&app, &operator.cause(), body).await?;
    Ok((StatusCode::CREATED, etag(1), Json(view(Versioned { record: created, revision: 1 }, operator.role(), false))))
}

/// `GET /api/v1/users`
pub async fn list(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Paged(params): Paged,
) -> Result<Json<Page<UserView>>, Failure> {
    let last_admin = last_admin(&app).await?;
    let view = |found: Versioned<Account>| {
        let is_last_admin = last_admin == Some(found.record.id);
        Some(view(found, operator.role(), is_last_admin))
    };
    page(&app, List::all("users"), &params, view).await.map(Json)
}

/// `PATCH /api/v1/users/{id}`
pub async fn change(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Id(id): Id<UserId>,
    IfMatch(revision): IfMatch,
    Sent { body, .. }: Sent<UserChange>,
) -> Result<impl IntoResponse, Failure> {
    let found = load(&app, id).await?;
    if revision.is_some_and(|revision| revision != found.revision) {
        return Err(Failure::of(ProblemCode::RevisionMismatch));
    }
    let UserChange { password, role } = body;
    let mut next = found.record.clone();
    if let Some(password) = password {
        check_password(&password)?;
        next.password_hash = session::hash(password).await?;
        next.password_version += 1;
    }
    next.role = role.unwrap_or(next.role);
    let stays = stays_administered(&app, &found.record, Some(next.role)).await?;
    let revision = found.revision + 1;
    let written =
        put(records::users::key(id), revision, records::users::found_by(id), &next, Expect::Revision(found.revision));
    let note = note("user.changed", &next);
    keep_audited(&app, [Some(written), stays].into_iter().flatten().collect(), note, &operator.cause()).await?;
    let is_last_admin = last_admin(&app).await? == Some(id);
    Ok((etag(revision), Json(view(Versioned { record: next, revision }, operator.role(), is_last_admin))))
}

/// `DELETE /api/v1/users/{id}`
pub async fn delete(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Id(id): Id<UserId>,
) -> Result<StatusCode, Failure> {
    let found = load(&app, id).await?;
    let stays = stays_administered(&app, &found.record, None).await?;
    let gone = Write::Delete { key: records::users::key(id), expect: Expect::Revision(found.revision) };
    let name = Write::Delete { key: records::users::by_name(&found.record.username), expect: Expect::Any };
    let writes = [Some(gone), Some(name), stays].into_iter().flatten().collect();
    keep_audited(&app, writes, note("user.deleted", &found.record), &operator.cause()).await?;
    Ok(StatusCode::NO_CONTENT)
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
    check_password(&password)?;
    let account = Account {
        id: UserId::new(app.now(), rand::random()),
        username,
        password_hash: session::hash(password).await?,
        password_version: 1,
        role,
        created_at: app.now(),
    };
    let name = put(records::users::by_name(&account.username), 1, Vec::new(), &account.id, Expect::Absent);
    let record =
        put(records::users::key(account.id), 1, records::users::found_by(account.id), &account, Expect::Absent);
    match keep_audited(app, vec![name, record], note("user.created", &account), cause).await {
        Err(StoreError::Stale { .. }) => Err(Problem::new(ProblemCode::AlreadyExists)
            .detail(format_args!("the name {} is taken", account.username))
            .into()),
        done => Ok(done.map(|()| account)?),
    }
}

fn check_password(password: &Secret) -> Result<(), Failure> {
    if (12..=256).contains(&password.reveal().chars().count()) {
        Ok(())
    } else {
        Err(Problem::invalid("password", "must be 12 to 256 characters").into())
    }
}

/// That another admin stays one, as a check in the same commit; nothing when the account is or stays no admin matter.
async fn stays_administered(app: &App, account: &Account, role: Option<Role>) -> Result<Option<Write>, Failure> {
    if account.role != Role::Admin || role == Some(Role::Admin) {
        return Ok(None);
    }
    let other = other_admin(app, account.id).await?;
    access::stays_administered(other.is_none())?;
    Ok(other.map(|other| Write::Check {
        key: records::users::key(other.record.id),
        expect: Expect::Revision(other.revision),
    }))
}

async fn other_admin(app: &App, id: UserId) -> Result<Option<Versioned<Account>>, Failure> {
    List::all("users").find::<Account>(app, |other| other.role == Role::Admin && other.id != id).await
}

/// The admin beside whom there is no other.
async fn last_admin(app: &App) -> Result<Option<UserId>, Failure> {
    let admin = List::all("users").find::<Account>(app, |account| account.role == Role::Admin).await?;
    let Some(id) = admin.map(|admin| admin.record.id) else { return Ok(None) };
    Ok(other_admin(app, id).await?.is_none().then_some(id))
}

async fn load(app: &App, id: UserId) -> Result<Versioned<Account>, Failure> {
    let found = app.load::<Account>(&records::users::key(id), Consistency::Strong).await?;
    found.ok_or_else(|| Refused::not_found("account").into())
}

fn note(action: &'static str, account: &Account) -> Note {
    let role = muster_domain::words::word(account.role);
    Note::new(action, account.id, format!("{}, {role}", account.username))
}

fn view(found: Versioned<Account>, caller: Role, is_last_admin: bool) -> UserView {
    let actions = access::actions(|action| access::allows_on_user(action, caller, is_last_admin));
    let Account { id, username, role, created_at, .. } = found.record;
    UserView { id, username, role, created_at, revision: found.revision, actions }
}
