//! Error responses: RFC 9457 problems, from a closed list of codes.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The table of codes: each with what it means, its HTTP status, and its title, a short sentence for people.
macro_rules! codes {
    ($($(#[$meaning:meta])* $code:ident $status:literal $title:literal)*) => {
        /// The error, as a stable word that programs may match on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ProblemCode {
            $($(#[$meaning])* $code,)*
        }

        impl ProblemCode {
            fn row(self) -> (u16, &'static str) {
                match self {
                    $(Self::$code => ($status, $title),)*
                }
            }
        }
    };
}

codes! {
    /// The body or a parameter breaks a rule; `field` and `detail` say which.
    Invalid 422 "The request breaks a rule"
    /// The body is not JSON of the right shape.
    Malformed 400 "The request cannot be read"
    /// No credential, or an invalid or expired one.
    Unauthorized 401 "No valid credential"
    /// The caller may not do this.
    Forbidden 403 "Not allowed"
    /// A browser's state change without the right `Origin` or CSRF token.
    CsrfRefused 403 "Not sent by the console"
    /// Does not exist, or does not belong to the caller.
    NotFound 404 "Not found"
    /// No such host.
    HostNotFound 404 "No such host"
    /// The path exists, the method does not.
    MethodNotAllowed 405 "Method not allowed"
    /// The current state does not allow this.
    WrongState 409 "Not possible in this state"
    /// A resource with this name or content already exists.
    AlreadyExists 409 "Already exists"
    /// The host is offline; `last_seen_at` says since when.
    HostOffline 409 "The host is offline"
    /// The host still has open jobs; `open_jobs` says how many.
    HostInUse 409 "The host has open work"
    /// The host is quarantined: it is blocked until an operator readmits it.
    HostQuarantined 409 "The host is quarantined"
    /// This host was retired: the agent stops permanently.
    HostRetired 410 "The host was retired"
    /// A newer session of this host exists.
    SessionSuperseded 409 "A newer session of this host exists"
    /// The host already runs this release.
    AlreadyUpToDate 409 "The host is up to date"
    /// The host is being updated.
    UpdateInProgress 409 "The host is being updated"
    /// Another fleet update is active; `fleet_update_id` says which.
    FleetUpdateActive 409 "A fleet update is active"
    /// Another record holds a lock that this needs; `lock` says which.
    Locked 409 "Locked"
    /// A second, different result for a job that is final.
    ResultConflict 409 "The job already has another result"
    /// The `Idempotency-Key` was used with another request.
    IdempotencyKeyReused 422 "The idempotency key belongs to another request"
    /// `If-Match` names an older revision.
    RevisionMismatch 412 "Changed in the meantime"
    /// Too many writers at once; nothing was changed, try again.
    Contended 409 "Too many writers at once"
    /// The body is larger than allowed.
    TooLarge 413 "Too large"
    /// The enrollment token is unknown, used up, expired or revoked.
    EnrollmentTokenInvalid 401 "The enrollment token is not valid"
    /// The agent speaks a protocol that is too old; only the update path is served.
    AgentTooOld 426 "The agent is too old"
    /// More requests than allowed; `Retry-After` says when to retry.
    TooManyRequests 429 "Too many requests"
    /// The server is stopping or overloaded; `Retry-After` says when to retry.
    Unavailable 503 "Temporarily unavailable"
    /// A fault of the server; the detail is in its log under the request's id.
    Internal 500 "Internal server error"
    /// A code that this side does not know.
    #[serde(other)]
    Unknown 500 "Unknown problem"
}

impl ProblemCode {
    /// The HTTP status that goes with the code.
    pub fn status(self) -> u16 {
        self.row().0
    }

    /// The code as a short sentence for people.
    pub fn title(self) -> &'static str {
        self.row().1
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// An error as the caller sees it (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `/problems/` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code as a short sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The exact error and the rule behind it. Absent when the title says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The stable word to match on.
    pub code: ProblemCode,
    /// The request's id, to quote to the operator of the server. Absent in problems that no request caused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The field that breaks the rule, as a path (`spec.argv[0]`). Absent when no single field does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Members that belong to the code, such as `last_seen_at` or `fleet_update_id`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem of this code, without details.
    pub fn new(code: ProblemCode) -> Self {
        Self {
            kind: format!("/problems/{code}"),
            title: code.title().into(),
            status: code.status(),
            detail: None,
            code,
            instance: None,
            field: None,
            members: Map::new(),
        }
    }

    /// A field that breaks a rule.
    pub fn invalid(field: impl Into<String>, rule: impl fmt::Display) -> Self {
        let field = field.into();
        let detail = format!("{field}: {rule}");
        Self { field: Some(field), ..Self::new(ProblemCode::Invalid).detail(detail) }
    }

    /// Says what exactly is wrong.
    #[must_use]
    pub fn detail(self, detail: impl fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }

    /// Adds a member that belongs to the code.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.title),
            None => f.write_str(&self.title),
        }
    }
}

impl std::error::Error for Problem {}
