//! Accounts of people: create, list, change, delete. The last admin stays.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use muster_domain::{access, refused::Refused};
use muster_schemas::{
    access::{Role, UserChange, UserRequest, UserView},
    ids::UserId,
    pages::Page,
    problems::ProblemCode,
};

use super::{
    auth::{Operator, may},
    extract::{Id, IfMatch, JsonBody, Paging, etag},
    identity::{
        accounts::{self, Account},
        passwords,
    },
    lists::{List, page},
    problem::Failure,
    route::{self, PAGE, Route},
};
use crate::{
    app::App,
    commit::{keep_all_audited, keep_audited, put},
    records,
    store::{Consistency, Expect, Versioned, Write},
};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/users", create).says("Create an account.").takes::<UserRequest>().gives::<UserView>(201),
        route::get("/api/v1/users", list).says("List accounts.").asks(&PAGE).gives::<Page<UserView>>(200),
        route::patch("/api/v1/users/{id}", change)
            .says("Change the role or the password of an account.")
            .takes::<UserChange>()
            .gives::<UserView>(200),
        route::delete("/api/v1/users/{id}", delete).says("Delete an account.").ends(204),
    ]
}

/// `POST /api/v1/users`
pub async fn create(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    JsonBody { body, .. }: JsonBody<UserRequest>,
) -> Result<impl IntoResponse, Failure> {
    let created = accounts::add(&app, &operator.cause(), body).await?;
    Ok((StatusCode::CREATED, etag(1), Json(view(Versioned { record: created, revision: 1 }, operator.role(), false))))
}

/// `GET /api/v1/users`
pub async fn list(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Paging(params): Paging,
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
    JsonBody { body, .. }: JsonBody<UserChange>,
) -> Result<impl IntoResponse, Failure> {
    let found = load(&app, id).await?;
    if revision.is_some_and(|revision| revision != found.revision) {
        return Err(Failure::of(ProblemCode::RevisionMismatch));
    }
    let UserChange { password, role } = body;
    let mut next = found.record.clone();
    if let Some(password) = password {
        passwords::check(&password, &next.username)?;
        next.password_hash = passwords::hash(password).await?;
        next.password_version += 1;
    }
    next.role = role.unwrap_or(next.role);
    let stays = stays_administered(&app, &found.record, Some(next.role)).await?;
    let revision = found.revision + 1;
    let written =
        put(records::users::key(id), revision, records::users::found_by(id), &next, Expect::Revision(found.revision));
    let writes = [Some(written), stays].into_iter().flatten().collect();
    keep_all_audited(&app, writes, next.changes(&found.record), &operator.cause()).await?;
    app.roles.forget(&id);
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
    keep_audited(&app, writes, found.record.note("user.deleted"), &operator.cause()).await?;
    app.roles.forget(&id);
    Ok(StatusCode::NO_CONTENT)
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

/// The only admin, if there is just one.
async fn last_admin(app: &App) -> Result<Option<UserId>, Failure> {
    let admin = List::all("users").find::<Account>(app, |account| account.role == Role::Admin).await?;
    let Some(id) = admin.map(|admin| admin.record.id) else { return Ok(None) };
    Ok(other_admin(app, id).await?.is_none().then_some(id))
}

async fn load(app: &App, id: UserId) -> Result<Versioned<Account>, Failure> {
    let found = app.load::<Account>(&records::users::key(id), Consistency::Strong).await?;
    found.ok_or_else(|| Refused::not_found("account").into())
}

fn view(found: Versioned<Account>, caller: Role, is_last_admin: bool) -> UserView {
    let actions = access::actions(|action| access::allows_on_user(action, caller, is_last_admin));
    let Account { id, username, role, created_at, .. } = found.record;
    UserView { id, username, role, created_at, revision: found.revision, actions }
}
