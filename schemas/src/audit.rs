//! Audit trail: every change, and the actor that made it. Polls are not audited.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::AuditId;

/// The media type of entries as lines of JSON.
pub const JSON_LINES: &str = "application/x-ndjson";
/// The header that says where the next page of lines begins.
pub const AUDIT_NEXT_HEADER: &str = "muster-audit-next";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Its id; sorts by time.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// The actor: `user:<id>`, `key:<id>`, `host:<id>`, `tick`, `server` for what follows by the server's own rules, or `anonymous`
    /// for somebody who has not signed in.
    pub actor: String,
    /// The actor's display name at that time: a user's or an API key's name. Empty for hosts and the tick.
    #[serde(default)]
    pub actor_name: String,
    /// The action, as noun and event: `job.cancelled`.
    pub action: String,
    /// The id of the record that was changed.
    pub subject: String,
    /// Why or how, for people. Empty when the action says it all.
    #[serde(default)]
    pub detail: String,
    /// Whether it is an alert that needs attention.
    #[serde(default)]
    pub alert: bool,
    /// The request that caused it. Empty for the tick.
    #[serde(default)]
    pub request_id: String,
    /// Where that request came from: the address of the connection, or what a trusted proxy says. Empty when that is unknown, and
    /// for what the server does by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
}
