//! Authentication and roles: accounts, sessions of people, and API keys of programs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{Action, Actions},
    ids::{ApiKeyId, UserId},
    secrets::Secret,
};

/// The role of a caller. Each role includes the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May read everything but secrets.
    Viewer,
    /// May run jobs and change labels.
    Operator,
    /// May do everything: enrollment, releases, fleet updates, accounts.
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

/// How a session's secret is sent.
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
    /// The person.
    pub username: String,
    /// Their role.
    pub role: Role,
    /// When it expires at the latest.
    pub expires_at: Timestamp,
    /// The token that a browser must send as `X-CSRF-Token` with every change. Absent for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<Secret>,
    /// The secret for `Authorization: Bearer`; shown only once. Absent for browsers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// The actions of the caller that belong to no record, and why the others are not allowed.
    #[serde(flatten)]
    pub actions: ActionsOfCaller,
}

/// `POST /api/v1/users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// 1 to 64 characters of `a-z 0-9 . _ -`.
    pub username: String,
    /// 12 to 256 characters, of which at least 5 are different; neither a common password nor the name.
    pub password: Secret,
    /// Their role.
    pub role: Role,
}

/// `PATCH /api/v1/users/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserChange {
    /// A new password, by the rules of `POST /api/v1/users`; ends the person's sessions.
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
    /// Its role.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// The record's revision, the same as in its `ETag`.
    pub revision: u64,
    /// The actions that the caller may take on it now, and why the others are not allowed.
    #[serde(flatten)]
    pub actions: ActionsOnUser,
}

/// `POST /api/v1/api-keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRequest {
    /// Its purpose: 1 to 128 characters.
    pub name: String,
    /// Its role; not above its creator's.
    pub role: Role,
    /// How long it is valid, in seconds: 60 to 31 622 400 (366 days). Absent: 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_seconds: Option<u32>,
}

/// A new key: the only answer that contains its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApiKeyCreated {
    /// `mst_…`, the secret for `Authorization: Bearer`. The server does not store it.
    pub key: Secret,
    /// The stored part.
    #[serde(flatten)]
    pub view: ApiKeyView,
}

/// A key as operators see it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// Its purpose, for people.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The role that it has now: its own, or that of its maker's account if that is less. Absent: none, because its maker's
    /// account was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_now: Option<Role>,
    /// Who made it: `user:<id>` or `key:<id>`. Empty when it was made before this was written down.
    #[serde(default)]
    pub created_by: String,
    /// What people called that one then: a user's or an API key's name.
    #[serde(default)]
    pub created_by_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to within five minutes. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The actions that the caller may take on it now, and why the others are not allowed.
    #[serde(flatten)]
    pub actions: ActionsOnApiKey,
}

/// [`ActionOnUser`], each decided.
pub type ActionsOnUser = Actions<ActionOnUser>;

/// Actions on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnUser {
    /// Change its password or role; the last admin keeps the role.
    Change,
    /// Remove it.
    Remove,
}

impl Action for ActionOnUser {
    const ALL: &'static [Self] = &[Self::Change, Self::Remove];
}

/// [`ActionOnApiKey`], each decided.
pub type ActionsOnApiKey = Actions<ActionOnApiKey>;

/// Actions on an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnApiKey {
    /// Take it back.
    Revoke,
}

impl Action for ActionOnApiKey {
    const ALL: &'static [Self] = &[Self::Revoke];
}

/// [`ActionOfCaller`], each decided.
pub type ActionsOfCaller = Actions<ActionOfCaller>;

/// Actions of a caller that belong to no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOfCaller {
    /// Run jobs on hosts.
    CreateJobs,
    /// Start fleet updates.
    CreateFleetUpdates,
    /// Announce releases and upload their files.
    PublishReleases,
    /// Create enrollment tokens.
    CreateEnrollmentTokens,
    /// Create accounts.
    CreateUsers,
    /// Create API keys.
    CreateApiKeys,
    /// Read the audit trail.
    LookAtAudit,
    /// Read accounts.
    LookAtUsers,
    /// Read API keys.
    LookAtApiKeys,
    /// Read enrollment tokens.
    LookAtEnrollmentTokens,
}

impl Action for ActionOfCaller {
    const ALL: &'static [Self] = &[
        Self::CreateJobs,
        Self::CreateFleetUpdates,
        Self::PublishReleases,
        Self::CreateEnrollmentTokens,
        Self::CreateUsers,
        Self::CreateApiKeys,
        Self::LookAtAudit,
        Self::LookAtUsers,
        Self::LookAtApiKeys,
        Self::LookAtEnrollmentTokens,
    ];
}
