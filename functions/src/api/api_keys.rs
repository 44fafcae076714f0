//! API keys: how programs sign in. Told once, stored as a hash.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
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
use serde::{Deserialize, Serialize};

use super::{
    auth::{Identity, Operator, may},
    credentials,
    extract::{Id, IdempotencyKey, Paged, Sent},
    idempotency::Once,
    lists::{List, page},
    problem::Failure,
};
use crate::{
    app::App,
    commit::{keep, keep_audited, put},
    records,
    store::{Consistency, Expect, StoreError, Versioned, Write},
};

/// What every API key begins with.
pub const PREFIX: &str = "mst_";
const DEFAULT_SECONDS: u32 = 90 * 86_400;
/// How exact `last_used_at` is, in seconds.
const USE_WRITE_SECONDS: i64 = 300;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ApiKey {
    id: ApiKeyId,
    name: String,
    secret_sha256: String,
    role: Role,
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

/// `POST /api/v1/api-keys`
pub async fn create(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    key: IdempotencyKey,
    Sent { body, sha256 }: Sent<ApiKeyRequest>,
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
    let (secret, secret_sha256) = credentials::issue(PREFIX, id);
    let record =
        ApiKey { id, name, secret_sha256, role, created_at: now, expires_at: after(now, seconds), last_used_at: None };
    let detail = format!("{}, {}", record.name, muster_domain::words::word(role));
    let written = put(records::api_keys::key(id), 1, records::api_keys::found_by(id), &record, Expect::Absent);
    let mut writes = vec![written];
    writes.extend(once.write(&app, &id));
    keep_audited(&app, writes, Note::new("api_key.created", id, detail), &operator.cause()).await?;
    Ok((StatusCode::CREATED, Json(ApiKeyCreated { key: secret, view: view(record, operator.role()) })))
}

/// `GET /api/v1/api-keys`
pub async fn list(
    operator: Operator<may::ManageAccess>,
    State(app): State<App>,
    Paged(params): Paged,
) -> Result<Json<Page<ApiKeyView>>, Failure> {
    let view = |found: Versioned<ApiKey>| Some(view(found.record, operator.role()));
    page(&app, List::all("api-keys"), &params, view).await.map(Json)
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

/// Who has this key, if it is valid.
pub async fn identify(app: &App, text: &str, request_id: String) -> Result<Option<Identity>, Failure> {
    let id = credentials::ulid(PREFIX, text).and_then(|ulid| format!("{}{ulid}", ApiKeyId::PREFIX).parse().ok());
    let Some(id) = id else { return Ok(None) };
    let Some(found) = app.load::<ApiKey>(&records::api_keys::key(id), Consistency::Strong).await? else {
        return Ok(None);
    };
    let now = app.now();
    if now >= found.record.expires_at || !credentials::matches(text, &found.record.secret_sha256) {
        return Ok(None);
    }
    used(app, &found, now).await?;
    let ApiKey { id, name, role, expires_at, .. } = found.record;
    Ok(Some(Identity { actor: format!("key:{id}"), name, role, session: None, expires_at, request_id }))
}

async fn used(app: &App, found: &Versioned<ApiKey>, now: Timestamp) -> Result<(), Failure> {
    let recent = |at: Timestamp| now.duration_since(at).as_secs() < USE_WRITE_SECONDS;
    if found.record.last_used_at.is_some_and(recent) {
        return Ok(());
    }
    let (record, revision) = (ApiKey { last_used_at: Some(now), ..found.record.clone() }, found.revision);
    let write = put(
        records::api_keys::key(record.id),
        revision + 1,
        records::api_keys::found_by(record.id),
        &record,
        Expect::Revision(revision),
    );
    match keep(app, vec![write]).await {
        // Another request of the same key has written the same.
        Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn view(record: ApiKey, role: Role) -> ApiKeyView {
    let actions = actions(|action| allows_on_api_key(action, role));
    let ApiKey { id, name, secret_sha256: _, role, created_at, expires_at, last_used_at } = record;
    ApiKeyView { id, name, role, created_at, expires_at, last_used_at, actions }
}
