//! Upstreams and circuit breakers: the services that an agent calls, and how its calls go.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The server itself.
pub const API: &str = "api";
/// The object store that the server redirects hosts to for files.
pub const OBJECT_STORE: &str = "object_store";

/// One upstream, as the agent process has seen it since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Upstream {
    /// `api`, `object_store`.
    pub name: String,
    /// The state of its circuit breaker.
    pub breaker: BreakerState,
    /// How many calls have failed.
    #[serde(default)]
    pub failures: u64,
    /// How often the circuit breaker has opened.
    #[serde(default)]
    pub opened: u64,
    /// The last failed call. Absent: none has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The last outage that has ended, even if only one call failed. Absent: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outage: Option<LastOutage>,
    /// Output of jobs that waits for it on the host's disk (spool), in bytes. Absent: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spooled_bytes: u64,
}

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls are allowed.
    Closed,
    /// Calls are blocked for a while.
    Open,
    /// A few trial calls are allowed.
    HalfOpen,
    /// A state that this side does not know.
    #[serde(other)]
    Unknown,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LastFailure {
    /// When it failed, by the host's clock.
    pub at: Timestamp,
    /// The kind of failure.
    pub kind: FailureKind,
    /// The error, for people; up to 1 KiB.
    #[serde(default)]
    pub reason: String,
}

/// The kind of failure of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection: refused, reset, no route.
    Connection,
    /// The server's name cannot be resolved (DNS).
    Name,
    /// The certificate is not trusted, mostly because of a proxy that intercepts TLS.
    Certificate,
    /// No answer in time (timeout).
    TimedOut,
    /// The answer broke off.
    CutOff,
    /// A page instead of an answer, mostly from a captive portal.
    NotOurs,
    /// A proxy requires authentication.
    ProxyAuthentication,
    /// The answer is larger than allowed.
    TooLarge,
    /// The server failed (5xx).
    Server,
    /// A kind that this side does not know.
    #[serde(other)]
    Unknown,
}

/// An outage: a time without a successful call.
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
