//! Access: roles, accounts, sessions of people, and keys of programs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{ActionsOfCaller, ActionsOnApiKey, ActionsOnUser},
    ids::{ApiKeyId, UserId},
    secrets::Secret,
};

/// What a caller may do. Each role may do all that the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look at everything but secrets.
    Viewer,
    /// Run jobs, change labels.
    Operator,
    /// Everything: enrolment, releases, fleet updates, accounts.
    Admin,
}

/// `POST /api/v1/session`: sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The account's name.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// How the session is kept. Absent: `cookie`.
    #[serde(default)]
    pub kind: SessionKind,
}

/// How a session's secret travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A browser's: an httpOnly cookie, ended by 15 minutes without a request.
    #[default]
    Cookie,
    /// A program's: in the answer, ended after 12 hours.
    Bearer,
}

/// A session of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionView {
    /// Who.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// What a browser must send as `X-CSRF-Token` with every change. Absent for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<Secret>,
    /// Goes into `Authorization: Bearer`; told once. Absent for browsers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// What the caller may do at all, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOfCaller,
}

/// `POST /api/v1/users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// 1 to 64 characters of `a-z 0-9 . _ -`.
    pub username: String,
    /// 12 to 256 characters.
    pub password: Secret,
    /// What they may do.
    pub role: Role,
}

/// `PATCH /api/v1/users/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserChange {
    /// A new password; ends the person's sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A new role. The last admin cannot lose theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UserView {
    /// Its id.
    pub id: UserId,
    /// Its name.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// The record's revision, the same as in its `ETag`.
    pub revision: u64,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnUser,
}

/// `POST /api/v1/api-keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRequest {
    /// What it is for: 1 to 128 characters.
    pub name: String,
    /// What it may do; not more than its maker.
    pub role: Role,
    /// How long it is valid, in seconds: 60 to 31 622 400 (366 days). Absent: 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_seconds: Option<u32>,
}

/// A key just made: the only time its text is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApiKeyCreated {
    /// `mst_…`; goes into `Authorization: Bearer`. Stored nowhere.
    pub key: Secret,
    /// What is kept of it.
    #[serde(flatten)]
    pub view: ApiKeyView,
}

/// A key as operators see it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, exact to five minutes. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnApiKey,
}
