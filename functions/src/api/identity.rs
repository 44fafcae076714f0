//! Authentication: one file for each kind of credential. [`super::auth`] asks them.

pub mod access_tokens;
pub mod accounts;
pub mod addresses;
pub mod api_keys;
pub mod credentials;
pub mod devices;
pub mod enrollment_tokens;
pub mod passwords;
pub mod refusals;
pub mod sessions;
pub mod throttle;

use std::net::IpAddr;

use jiff::Timestamp;
use muster_schemas::{access::Role, ids::UserId};

/// The identity of a person or a program.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `user:<id>` or `key:<id>`.
    pub actor: String,
    /// Its name, for people.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The session, if it is a person's.
    pub session: Option<String>,
    /// When the credential ends.
    pub expires_at: Timestamp,
    /// The request.
    pub request_id: String,
    /// Where it comes from, if that is known.
    pub address: Option<IpAddr>,
    /// The account behind it: the person's own, or that of whoever made the key. Absent: the key is older than this.
    pub account: Option<UserId>,
}
