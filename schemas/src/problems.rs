//! Errors as RFC 9457 problems, from a closed list of codes.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What went wrong, as a stable word that programs may match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The body or a parameter breaks a rule; `field` and `detail` say which.
    Invalid,
    /// The body is not JSON of the right shape.
    Malformed,
    /// No credential, or one that is not valid (any more).
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// A browser's state change without the right `Origin` or CSRF token.
    CsrfRefused,
    /// No such thing, or not the caller's.
    NotFound,
    /// No such host.
    HostNotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The state of the thing does not allow this.
    WrongState,
    /// Something with this name or content exists already.
    AlreadyExists,
    /// The host was not heard from lately; `last_seen_at` says when.
    HostOffline,
    /// The host still has open work; counts say what.
    HostInUse,
    /// Two copies of this host's identity are alive: nothing is offered until an operator decides.
    HostQuarantined,
    /// This host was retired: the agent stops for good.
    HostRetired,
    /// A newer session of this host exists.
    SessionSuperseded,
    /// The host runs this release already.
    AlreadyUpToDate,
    /// The host is being updated.
    UpdateInProgress,
    /// A fleet update over this component is active; `fleet_update_id` says which.
    FleetUpdateActive,
    /// A second, different result for a job that is final.
    ResultConflict,
    /// The `Idempotency-Key` was used with another request.
    IdempotencyKeyReused,
    /// `If-Match` names an older revision.
    RevisionMismatch,
    /// Too many writers at once; nothing was changed, try again.
    Contended,
    /// The body is larger than allowed.
    TooLarge,
    /// The enrollment token is unknown, used up, expired or revoked.
    EnrollmentTokenInvalid,
    /// The agent is too old to talk; only the update path is served.
    AgentTooOld,
    /// More requests than allowed; `Retry-After` says when to come again.
    TooManyRequests,
    /// The server is stopping or overloaded; `Retry-After` says when to come again.
    Unavailable,
    /// A fault of the server; the detail is in its log under the request's id.
    Internal,
    /// A code that this side does not know.
    #[serde(other)]
    Unknown,
}

impl ProblemCode {
    /// The HTTP status that goes with the code.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthorized | Self::EnrollmentTokenInvalid => 401,
            Self::Forbidden | Self::CsrfRefused => 403,
            Self::NotFound | Self::HostNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::WrongState
            | Self::AlreadyExists
            | Self::HostOffline
            | Self::HostInUse
            | Self::HostQuarantined
            | Self::SessionSuperseded
            | Self::AlreadyUpToDate
            | Self::UpdateInProgress
            | Self::FleetUpdateActive
            | Self::ResultConflict
            | Self::Contended => 409,
            Self::HostRetired => 410,
            Self::RevisionMismatch => 412,
            Self::TooLarge => 413,
            Self::Invalid | Self::IdempotencyKeyReused => 422,
            Self::AgentTooOld => 426,
            Self::TooManyRequests => 429,
            Self::Internal | Self::Unknown => 500,
            Self::Unavailable => 503,
        }
    }

    /// The code as a short sentence for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Invalid => "The request breaks a rule",
            Self::Malformed => "The request cannot be read",
            Self::Unauthorized => "No valid credential",
            Self::Forbidden => "Not allowed",
            Self::CsrfRefused => "Not sent by the console",
            Self::NotFound => "Not found",
            Self::HostNotFound => "No such host",
            Self::MethodNotAllowed => "Method not allowed",
            Self::WrongState => "Not possible in this state",
            Self::AlreadyExists => "Exists already",
            Self::HostOffline => "The host is offline",
            Self::HostInUse => "The host has open work",
            Self::HostQuarantined => "The host is quarantined",
            Self::HostRetired => "The host was retired",
            Self::SessionSuperseded => "A newer session of this host exists",
            Self::AlreadyUpToDate => "The host is up to date",
            Self::UpdateInProgress => "The host is being updated",
            Self::FleetUpdateActive => "A fleet update is active",
            Self::ResultConflict => "The job has another result already",
            Self::IdempotencyKeyReused => "The idempotency key belongs to another request",
            Self::RevisionMismatch => "Changed in the meantime",
            Self::Contended => "Too many writers at once",
            Self::TooLarge => "Too large",
            Self::EnrollmentTokenInvalid => "The enrollment token is not valid",
            Self::AgentTooOld => "The agent is too old",
            Self::TooManyRequests => "Too many requests",
            Self::Unavailable => "Not available right now",
            Self::Internal => "A fault of the server",
            Self::Unknown => "Unknown problem",
        }
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
    /// What exactly is wrong and which rule says so. Absent when the title says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The stable word to match on.
    pub code: ProblemCode,
    /// The request's id, to be quoted to whoever runs the server. Absent in problems that no request caused.
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
