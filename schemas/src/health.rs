//! Health check and version of the server: public, without credentials.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, or `failing` when a deep check could not reach the store.
    pub status: HealthStatus,
    /// The server's version.
    pub version: String,
    /// The server's clock.
    pub time: Timestamp,
}

/// The health of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// The server works.
    Ok,
    /// The store did not answer (`?deep=true` only).
    Failing,
    /// A status that this side does not know.
    #[serde(other)]
    Unknown,
}

/// `GET /api/v1/version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Version {
    /// The server's version, as built in.
    pub version: String,
    /// The commit it was built from; `unknown` when built outside a checkout.
    pub commit: String,
    /// The protocol it speaks with agents.
    pub protocol: u32,
}
