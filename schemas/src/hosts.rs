//! Hosts: machines with an agent, what they say of themselves, and what operators say of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::ActionsOnHost,
    ids::HostId,
    reports::{AgentReport, Facts},
    upstreams::Upstream,
};

/// Labels: `key=value` pairs that selectors match on.
pub type Labels = BTreeMap<String, String>;

/// What the server makes of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// It is served.
    Active,
    /// Two live copies of its identity were seen, or the wrong bytes: nothing is offered until an operator readmits it.
    Quarantined,
    /// Its identity is revoked for good.
    Retired,
}

/// A host as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostView {
    /// The host's id.
    pub id: HostId,
    /// Whether it is served.
    pub state: HostState,
    /// Why it is quarantined or retired. Absent while it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// What operators call it: the host's own name at enrolment until somebody changes it.
    pub name: String,
    /// Its labels, from its enrollment token and from operators.
    pub labels: BTreeMap<String, String>,
    /// What it says of itself.
    pub facts: Facts,
    /// What runs on it. Absent until its first session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentReport>,
    /// The ways its agent goes, as it last told of them.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    /// Whether it was heard from within the offline threshold; derived when it is read.
    pub online: bool,
    /// When it was last heard from, exact to `presence_write_seconds` (300 by default). Absent until its first check-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// The number of its current session; 0 before the first.
    pub session: u64,
    /// Jobs that are not final.
    pub open_jobs: u32,
    /// Whether a published release is newer than what it runs.
    pub update_available: bool,
    /// When it joined.
    pub enrolled_at: Timestamp,
    /// The record's revision: what its `ETag` begins with, and `If-Match` compares.
    pub revision: u64,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnHost,
}

/// `PATCH /api/v1/hosts/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HostChange {
    /// A new name: 1 to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels to set, or to remove where the value is null.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
}

/// Which hosts are meant. An empty selector means every active host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Selector {
    /// Labels that a host must all have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The operating system a host must have. Absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
}

/// `POST /api/v1/hosts/{id}/update`: bring one host's agent to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HostUpdateRequest {
    /// The release's version; must be published.
    pub version: String,
}

/// `POST /api/v1/hosts/{id}/readmit`: why an operator decided so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For people: 1 to 1 024 characters.
    pub reason: String,
}
