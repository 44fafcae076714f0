//! Reports: what a host tells of itself, in sections. A section is told when a session starts and when it has changed.

use serde::{Deserialize, Serialize};

use crate::{check_ins::AgentReport, hosts::Facts, upstreams::Upstream};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// See [`Report::Agent`].
    Agent,
    /// See [`Report::Facts`].
    Facts,
    /// See [`Report::Upstreams`].
    Upstreams,
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
