//! API keys: create, list, revoke.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use muster_domain::{
    access::{actions, allows_on_api_key},
    changes::Note,
    refused::Refused,
    times::after,
};
use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyRequest, ApiKeyView, Role},
    ids::ApiKeyId,
    pages::Page,
    problems::Problem,
};

use super::{
    auth::{Operator, may},
    extract::{DigestedBody, Id, IdempotencyKey, Paging},
    idempotency::Once,
    identity::api_keys::{self, ApiKey},
    lists::{List, page},
    problem::Failure,
    route::{self, PAGE, Route},
};
use crate::{
    app::App,
    commit::{Cause, keep_audited},
    records,
    store::{Consistency, Expect, Versioned, Write},
};

const DEFAULT_SECONDS: u32 = 90 * 86_400;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/api-keys", create)
            .says("Create an API key.")
            .takes::<ApiKeyRequest>()
            .gives::<ApiKeyCreated>(201),
        route::get("/api/v1/api-keys", list).says("List API keys.").asks(&PAGE).gives::<Page<ApiKeyView>>(200),
        route::delete("/api/v1/api-keys/{id}", delete).says("Revoke an API key.").ends(204),
    ]
}

/// `POST /api/v1/api-keys`
pub async fn create(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    key: IdempotencyKey,
    DigestedBody { body, sha256, .. }: DigestedBody<ApiKeyRequest>,
) -> Result<impl IntoResponse, Failure> {
    let ApiKeyRequest { name, role, valid_for_seconds } = body;
    if !(1..=128).contains(&name.chars().count()) {
        return Err(Problem::invalid("name", "must be 1 to 128 characters").into());
    }
    let seconds = valid_for_seconds.unwrap_or(DEFAULT_SECONDS);
    if !(60..=366 * 86_400).contains(&seconds) {
        return Err(Problem::invalid("valid_for_seconds", "must be 60 to 31622400 (366 days)").into());
    }
    let mut once = Once::of(&operator.cause(), key, "api-key", &sha256);
    once.refuse_repeat(&app).await?;
    let (id, now) = (ApiKeyId::new(app.now(), rand::random()), app.now());
    let (secret, secret_sha256) = api_keys::issue(id);
    let Cause { actor: created_by, name: created_by_name, .. } = operator.cause();
    let record = ApiKey {
        id,
        name,
        secret_sha256,
        role,
        account: operator.identity.account,
        created_by,
        created_by_name,
        created_at: now,
        expires_at: after(now, seconds),
        last_used_at: None,
    };
    let detail = format!("{}, {}", record.name, muster_domain::words::word(role));
    let mut writes = vec![record.write(1, Expect::Absent)];
    writes.extend(once.write(&app, &id));
    keep_audited(&app, writes, Note::new("api_key.created", id, detail), &operator.cause()).await?;
    Ok((StatusCode::CREATED, Json(ApiKeyCreated { key: secret, view: view(record, Some(role), operator.role()) })))
}

/// `GET /api/v1/api-keys`
pub async fn list(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Paging(params): Paging,
) -> Result<Json<Page<ApiKeyView>>, Failure> {
    let keys = page(&app, List::all("api-keys"), &params, |found: Versioned<ApiKey>| Some(found.record)).await?;
    let mut items = Vec::new();
    for key in keys.items {
        let role = key.role_now(&app).await?;
        items.push(view(key, role, operator.role()));
    }
    Ok(Json(Page { items, next_cursor: keys.next_cursor }))
}

/// `DELETE /api/v1/api-keys/{id}`
pub async fn delete(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, Failure> {
    let found = app.load::<ApiKey>(&records::api_keys::key(id), Consistency::Strong).await?;
    let found = found.ok_or_else(|| Refused::not_found("API key"))?;
    let gone = Write::Delete { key: records::api_keys::key(id), expect: Expect::Any };
    let note = Note::new("api_key.revoked", id, found.record.name);
    keep_audited(&app, vec![gone], note, &operator.cause()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(record: ApiKey, role_now: Option<Role>, caller: Role) -> ApiKeyView {
    let actions = actions(|action| allows_on_api_key(action, caller));
    let ApiKey { id, name, role, created_by, created_by_name, created_at, expires_at, last_used_at, .. } = record;
    ApiKeyView { id, name, role, role_now, created_by, created_by_name, created_at, expires_at, last_used_at, actions }
}
