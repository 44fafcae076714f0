//! Enrollment: tokens, and how a host joins.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{Action, Actions},
    ids::{EnrollmentTokenId, HostId},
    reports::Facts,
    secrets::Secret,
};

/// `POST /api/v1/enrollment-tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnrollmentTokenRequest {
    /// How many hosts may join with it: 1 to 10 000. Absent: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<u32>,
    /// How long it is valid, in seconds: 60 to 2 592 000 (30 days). Absent: 3 600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for_seconds: Option<u32>,
    /// Labels that every host gets that joins with it.
    pub labels: BTreeMap<String, String>,
    /// Its purpose, for people; up to 256 characters.
    pub note: String,
}

/// A new enrollment token: the only answer that contains its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollmentTokenCreated {
    /// The text for `muster-agent enroll --token`. The server does not store it.
    pub token: Secret,
    /// The command to run on each host: it installs the agent of the newest release, and enrolls the host.
    pub install_command: Secret,
    /// The stored part.
    #[serde(flatten)]
    pub view: EnrollmentTokenView,
}

/// An enrollment token as operators see it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollmentTokenView {
    /// Its id.
    pub id: EnrollmentTokenId,
    /// Whether a host can join with it.
    pub state: EnrollmentTokenState,
    /// How many hosts may join with it.
    pub seats: u32,
    /// How many have joined.
    pub used: u32,
    /// Labels for the hosts that join with it.
    pub labels: BTreeMap<String, String>,
    /// Its purpose, for people.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The actions that the caller may take on it now, and why the others are not allowed.
    #[serde(flatten)]
    pub actions: ActionsOnEnrollmentToken,
}

/// Whether a host can join with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentTokenState {
    /// A host can join.
    Open,
    /// All seats are taken.
    UsedUp,
    /// It has expired.
    Expired,
    /// An operator revoked it.
    Revoked,
}

/// `POST /api/v1/agent/enroll`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollRequest {
    /// The token's text.
    pub enrollment_token: Secret,
    /// The host's Ed25519 public key: 32 bytes, base64url without padding. The same key again gets the same host.
    pub public_key: String,
    /// The facts of the host.
    pub facts: Facts,
}

/// The answer to a host that joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollResponse {
    /// The host's id from now on.
    pub host_id: HostId,
    /// The value of `aud` in client assertions.
    pub audience: String,
    /// The server's clock.
    pub server_time: Timestamp,
}

/// [`ActionOnEnrollmentToken`], each decided.
pub type ActionsOnEnrollmentToken = Actions<ActionOnEnrollmentToken>;

/// Actions on an enrollment token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnEnrollmentToken {
    /// Take it back.
    Revoke,
}

impl Action for ActionOnEnrollmentToken {
    const ALL: &'static [Self] = &[Self::Revoke];
}
