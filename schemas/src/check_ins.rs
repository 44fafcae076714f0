//! Long poll: sessions (one per agent start) and check-ins, and the tokens that authenticate them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    PROTOCOL,
    commands::Command,
    ids::{HostId, JobId},
    reports::{AgentReport, Facts, Report, Section, digest},
    upstreams::Upstream,
};

/// `POST /api/v1/agent/session`: an agent process has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionRequest {
    /// The protocol the agent speaks.
    pub protocol: u32,
    /// The running agent.
    pub agent: AgentReport,
    /// The facts of the host.
    pub facts: Facts,
    /// The highest job sequence the host's journal has seen; 0 when none. A server that was restored from an old backup
    /// raises its own to this.
    #[serde(default)]
    pub highest_sequence: u64,
    /// The upstreams of the agent, as this process has seen them so far; at most 8. Empty: the agent does not report them.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    /// The digest of these reports: 16 hexadecimal digits. Empty: the agent does not compare digests.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reports_digest: String,
}

impl SessionRequest {
    /// A request with these reports. `None`: a section is missing that a session requires.
    pub fn of(highest_sequence: u64, reports: &[Report]) -> Option<Self> {
        let (mut agent, mut facts, mut upstreams) = (None, None, Vec::new());
        for report in reports.iter().cloned() {
            match report {
                Report::Agent(report) => agent = Some(report),
                Report::Facts(report) => facts = Some(report),
                Report::Upstreams(report) => upstreams = report,
            }
        }
        let reports_digest = digest(reports);
        Some(Self { protocol: PROTOCOL, agent: agent?, facts: facts?, highest_sequence, upstreams, reports_digest })
    }

    /// The host's reports, in sections.
    pub fn reports(&self) -> Vec<Report> {
        let Self { agent, facts, upstreams, .. } = self.clone();
        vec![Report::Agent(agent), Report::Facts(facts), Report::Upstreams(upstreams)]
    }
}

/// The answer to a new session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionResponse {
    /// The session's number: one more than the host's last. Every later request names it.
    pub session: u64,
    /// The server's clock.
    pub server_time: Timestamp,
    /// The sections that the server accepts; it compares `reports_digest`. Empty: it compares `facts_digest` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
}

/// `POST /api/v1/agent/session/end`: an agent process stops. A server of before does not know it, and presumes the host offline
/// later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionEnd {
    /// The session that ends.
    pub session: u64,
}

/// `POST /api/v1/agent/check-in`: the long poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CheckInRequest {
    /// The session this check-in belongs to.
    pub session: u64,
    /// How long the agent will wait for an answer, in seconds; 0 asks for one at once. The server may answer earlier.
    #[serde(default)]
    pub wait_seconds: u16,
    /// SHA-256 of the facts as last sent, hexadecimal. Empty: unknown, or the agent sends `reports_digest`.
    #[serde(default)]
    pub facts_digest: String,
    /// The digest of all reports as last sent, including those of this request: 16 hexadecimal digits. Empty: the agent does
    /// not compare digests.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reports_digest: String,
    /// The same digest before this request, where it carries some sections and not all of them: what is stored of them is only
    /// complete if the server had all that was told before. Empty: it carries all sections that the agent has, or none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest_before: String,
    /// The highest job sequence the host's journal has seen; 0 when none. A server that knows less was restored from a
    /// backup.
    #[serde(default)]
    pub highest_sequence: u64,
    /// Jobs in the agent's journal whose results are not stored by the server yet: they are not offered again in this
    /// session.
    #[serde(default)]
    pub open: Vec<JobId>,
    /// The running agent; sent when it has changed since the session started (mostly by a commit). Absent: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentReport>,
    /// The host's facts; sent when they have changed or were asked for. Absent: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// The upstreams of the agent; sent when one has changed. Absent: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstreams: Option<Vec<Upstream>>,
}

impl CheckInRequest {
    /// The sections that have changed.
    pub fn reports(&self) -> Vec<Report> {
        let Self { agent, facts, upstreams, .. } = self;
        let (agent, facts) = (agent.clone().map(Report::Agent), facts.clone().map(Report::Facts));
        let sections = [agent, facts, upstreams.clone().map(Report::Upstreams)];
        sections.into_iter().flatten().collect()
    }

    /// The request with a section.
    #[must_use]
    pub fn with(self, report: Report) -> Self {
        match report {
            Report::Agent(agent) => Self { agent: Some(agent), ..self },
            Report::Facts(facts) => Self { facts: Some(facts), ..self },
            Report::Upstreams(upstreams) => Self { upstreams: Some(upstreams), ..self },
        }
    }
}

/// The answer to a check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CheckInResponse {
    /// The server's clock.
    pub server_time: Timestamp,
    /// Open jobs that this session has not received yet, in sequence order.
    #[serde(default)]
    pub jobs: Vec<Command>,
    /// Jobs to cancel; also ids that the agent never received, so that a late offer cannot run.
    #[serde(default)]
    pub cancel: Vec<JobId>,
    /// Whether the next check-in must carry the facts.
    #[serde(default)]
    pub send_facts: bool,
    /// Sections that the next check-in must carry. Empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<Section>,
    /// When the next check-in is due, in seconds after this answer; 0: at once. The agent adds ±10 % jitter.
    pub next_check_in_seconds: u32,
    /// The longest pause between the agent's retries while the server does not answer, in seconds. The server chooses it by
    /// the number of hosts, so that they do not all return at once (thundering herd). 0: the server sets no limit.
    #[serde(default)]
    pub retry_cap_seconds: u32,
    /// Until when the host is asked to check in often. Absent: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention_until: Option<Timestamp>,
}

/// `POST /oauth/token`, form-encoded (RFC 7523). `client_assertion` is a JWT signed with the host's Ed25519 key: `iss` and
/// `sub` are the host id, `aud` the audience that enrollment answered with, `exp` at most 60 s after `iat`, `jti` drawn at random.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenRequest {
    /// `client_credentials`.
    pub grant_type: String,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    pub client_assertion_type: String,
    /// The signed assertion.
    pub client_assertion: crate::secrets::Secret,
}

/// The only `grant_type` that is served.
pub const GRANT_TYPE: &str = "client_credentials";
/// The only `client_assertion_type` that is served.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The claims of a client assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionClaims {
    /// The host.
    pub iss: HostId,
    /// The host again.
    pub sub: HostId,
    /// The installation's id, or one of its public URLs: what the agent learned at enrollment.
    pub aud: String,
    /// Unix seconds.
    pub iat: i64,
    /// Unix seconds, at most 60 after `iat`.
    pub exp: i64,
    /// Unique per assertion.
    pub jti: String,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenResponse {
    /// The token for `Authorization: Bearer`.
    pub access_token: crate::secrets::Secret,
    /// `Bearer`.
    pub token_type: String,
    /// How long it is valid, in seconds.
    pub expires_in: u32,
    /// The server's URL, if it had another one before: hosts that call it by that one follow. Absent: it had no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relocation: Option<Relocation>,
}

/// Another URL of the same server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Relocation {
    /// The server's public URL now.
    pub to: String,
    /// The public URLs that it had before. A host that calls it by none of them stays where it is.
    pub from: Vec<String>,
}
