//! Authentication: each way to say who one is, in a file of its own, which [`super::auth`] asks.

pub mod access_tokens;
pub mod accounts;
pub mod api_keys;
pub mod credentials;
pub mod enrollment_tokens;
pub mod passwords;
pub mod sessions;
pub mod throttle;

use jiff::Timestamp;
use muster_schemas::access::Role;

/// Who a person or a program is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `user:<id>` or `key:<id>`.
    pub actor: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The session, if it is a person's.
    pub session: Option<String>,
    /// When the credential ends.
    pub expires_at: Timestamp,
    /// The request.
    pub request_id: String,
}
