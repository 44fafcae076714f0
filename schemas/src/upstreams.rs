//! Upstreams: what an agent tells of the ways it goes, and what operators see of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The server itself.
pub const API: &str = "api";
/// Where the server sends hosts for files.
pub const OBJECT_STORE: &str = "object_store";

/// What an agent knows of one upstream, since its process started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Upstream {
    /// `api`, `object_store`.
    pub name: String,
    /// Whether calls are let through.
    pub breaker: BreakerState,
    /// How many calls have failed.
    #[serde(default)]
    pub failures: u64,
    /// How often the circuit breaker has opened.
    #[serde(default)]
    pub opened: u64,
    /// How the last call that failed did. Absent: none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The last outage that is over, of however few calls. Absent: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outage: Option<LastOutage>,
    /// Output of jobs that waits for it on the host's disk, in bytes. Absent: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spooled_bytes: u64,
}

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// None is made for a while.
    Open,
    /// A few are made, to see how they end.
    HalfOpen,
    /// A state that this side does not know.
    #[serde(other)]
    Unknown,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LastFailure {
    /// When, by the host's clock.
    pub at: Timestamp,
    /// How, in one word.
    pub kind: FailureKind,
    /// How, for people; up to 1 KiB.
    #[serde(default)]
    pub reason: String,
}

/// How a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection: refused, reset, no route.
    Connection,
    /// The name is not known.
    Name,
    /// The certificate is not one to believe: a proxy that reads along, mostly.
    Certificate,
    /// No answer in time.
    TimedOut,
    /// The answer broke off.
    CutOff,
    /// A page instead of an answer: a captive portal, mostly.
    NotOurs,
    /// A proxy wants to know who asks.
    ProxyAuthentication,
    /// More than anybody needs to say.
    TooLarge,
    /// The server's own fault.
    Server,
    /// A kind that this side does not know.
    #[serde(other)]
    Unknown,
}

/// A time without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LastOutage {
    /// When the first call failed, by the host's clock.
    pub began_at: Timestamp,
    /// How long it was until the next success, in seconds.
    pub seconds: u64,
    /// How many calls failed in it.
    pub failures: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
pub(crate) fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}
