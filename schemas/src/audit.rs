//! The audit trail: every change, who made it, and what it was. Polls are not audited.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::AuditId;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Its id; sorts by time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who: `user:<id>`, `key:<id>`, `host:<id>`, or `tick`.
    pub actor: String,
    /// What people called it then: a user's or an API key's name. Empty for hosts and the tick.
    #[serde(default)]
    pub actor_name: String,
    /// What was done, as noun and event: `job.cancelled`.
    pub action: String,
    /// To what: the id of the thing.
    pub subject: String,
    /// Why or how, for people. Empty when the action says it all.
    #[serde(default)]
    pub detail: String,
    /// Whether somebody should look at it.
    #[serde(default)]
    pub alert: bool,
    /// The request that caused it. Empty for the tick.
    #[serde(default)]
    pub request_id: String,
}
