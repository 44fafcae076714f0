//! Reports: what a host tells of itself, in sections. A section is told when a session starts, and when it has changed.
//!
//! Host and server compare one short digest over all that was told, however many sections there are, so that an idle
//! check-in does not grow with them.

use serde::{Deserialize, Serialize};

use crate::{check_ins::AgentReport, envelopes::sha256_hex, hosts::Facts, upstreams::Upstream};

/// How much of a digest tells one set of reports from another, in hexadecimal digits.
const DIGEST_LENGTH: usize = 16;

/// One section of what a host tells of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "section", content = "report", rename_all = "snake_case")]
pub enum Report {
    /// What runs: which bytes, in which process, and how the last update ended.
    Agent(AgentReport),
    /// What the machine is.
    Facts(Facts),
    /// The ways the agent goes, as this process has found them so far.
    Upstreams(Vec<Upstream>),
}

/// The name of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// What runs on the host.
    Agent,
    /// What the machine is.
    Facts,
    /// The ways the agent goes.
    Upstreams,
    /// A section that this side does not know.
    #[serde(other)]
    Unknown,
}

impl Section {
    /// Every section that this side knows.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Facts, Self::Upstreams];
}

impl Report {
    /// Which section it is.
    pub fn section(&self) -> Section {
        match self {
            Self::Agent(_) => Section::Agent,
            Self::Facts(_) => Section::Facts,
            Self::Upstreams(_) => Section::Upstreams,
        }
    }
}

/// What tells one set of reports from another: one short text, however many reports there are. They must be in the order
/// of their sections.
pub fn digest<'a>(reports: impl IntoIterator<Item = &'a Report>) -> String {
    let reports = reports.into_iter().collect::<Vec<_>>();
    let json = serde_json::to_vec(&reports).expect("reports are plain data");
    sha256_hex(&json)[..DIGEST_LENGTH].into()
}

/// How a server writes down the digest that a host has told: together with the sections that it took. A server that knows
/// more sections than the one before finds that something is missing.
pub fn as_stored(digest: &str) -> String {
    let known = serde_json::to_string(&Section::ALL).expect("words are plain data");
    sha256_hex(format!("{digest}{known}").as_bytes())[..DIGEST_LENGTH].into()
}
