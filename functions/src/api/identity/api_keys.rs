//! API keys: how programs sign in. Told once, stored as a hash.

use jiff::Timestamp;
use muster_schemas::{
    access::Role,
    ids::{ApiKeyId, UserId},
    secrets::Secret,
};
use serde::{Deserialize, Serialize};

use super::{Identity, accounts, credentials};
use crate::{
    api::problem::Failure,
    app::App,
    commit::{keep, put},
    records,
    store::{Consistency, Expect, StoreError, Versioned, Write},
};

/// The prefix of every API key.
const PREFIX: &str = "mst_";
/// How exact `last_used_at` is, in seconds.
const USE_WRITE_SECONDS: i64 = 300;

/// An API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name, for people.
    pub name: String,
    /// The digest of its text: nothing else of it is stored.
    pub secret_sha256: String,
    /// Its role, of which it has no more than its maker has.
    pub role: Role,
    /// The account that it ends with: its maker's, or that of the maker of the key that made it. Absent: the key is older than
    /// this, and ends by itself only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<UserId>,
    /// Who made it: `user:<id>` or `key:<id>`. Empty: the key is older than this.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// What people called it then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was used last; absent: never.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// A write of it over the revision before.
    pub fn write(&self, revision: u64, expect: Expect) -> Write {
        put(records::api_keys::key(self.id), revision, records::api_keys::found_by(self.id), self, expect)
    }

    /// The role that it has now: its own, or its maker's if that is less. Absent: its maker's account is gone, and so is it.
    pub async fn role_now(&self, app: &App) -> Result<Option<Role>, Failure> {
        let Some(account) = self.account else { return Ok(Some(self.role)) };
        let makers = accounts::role_now(app, account).await?;
        Ok(makers.map(|role| role.min(self.role)))
    }
}

/// A new text for the key with this id, and what is stored of it.
pub fn issue(id: ApiKeyId) -> (Secret, String) {
    credentials::issue(PREFIX, id)
}

/// Whether a bearer token says that it is one.
pub fn is_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The identity behind this key, if the key is valid.
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
    let Some(role) = found.record.role_now(app).await? else { return Ok(None) };
    used(app, &found, now).await?;
    let ApiKey { id, name, account, expires_at, .. } = found.record;
    let actor = format!("key:{id}");
    Ok(Some(Identity { actor, name, role, session: None, expires_at, request_id, address: None, account }))
}

async fn used(app: &App, found: &Versioned<ApiKey>, now: Timestamp) -> Result<(), Failure> {
    let recent = |at: Timestamp| now.duration_since(at).as_secs().abs() < USE_WRITE_SECONDS;
    if found.record.last_used_at.is_some_and(recent) {
        return Ok(());
    }
    let (record, revision) = (ApiKey { last_used_at: Some(now), ..found.record.clone() }, found.revision);
    match keep(app, vec![record.write(revision + 1, Expect::Revision(revision))]).await {
        // Another request of the same key has written the same.
        Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
