//! Enrolment: how a host joins.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::ActionsOnEnrollmentToken,
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
    /// What it is for, for people; up to 256 characters.
    pub note: String,
}

/// An enrollment token just made: the only time its text is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollmentTokenCreated {
    /// The text to give to `muster-agent enroll --token`. Stored nowhere.
    pub token: Secret,
    /// The line to type on each host: it installs the agent of the newest release, and lets the host join.
    pub install_command: Secret,
    /// What is kept of it.
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
    /// How many have.
    pub used: u32,
    /// Labels for the hosts that join with it.
    pub labels: BTreeMap<String, String>,
    /// What it is for.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnEnrollmentToken,
}

/// Whether a host can join with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentTokenState {
    /// It can.
    Open,
    /// Every seat is taken.
    UsedUp,
    /// Its time is over.
    Expired,
    /// An operator took it back.
    Revoked,
}

/// `POST /api/v1/agent/enroll`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollRequest {
    /// The token's text.
    pub enrollment_token: Secret,
    /// The host's Ed25519 public key: 32 bytes, base64url without padding. The same key again gets the same host.
    pub public_key: String,
    /// What the host says of itself.
    pub facts: Facts,
}

/// The answer to a host that joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrollResponse {
    /// Who the host is from now on.
    pub host_id: HostId,
    /// What client assertions name as `aud`.
    pub audience: String,
    /// The server's clock.
    pub server_time: Timestamp,
}
