//! Hosts: machines with an agent. Their state, reports, names and labels.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{Action, Actions},
    ids::HostId,
    reports::{AgentReport, Facts},
    upstreams::Upstream,
};

/// Labels: `key=value` pairs that selectors match on.
pub type Labels = BTreeMap<String, String>;

/// The state of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// It gets work.
    Active,
    /// Two live copies of its identity (a clone) or wrong bytes were seen: it is blocked until an operator readmits it.
    Quarantined,
    /// Its identity is permanently revoked.
    Retired,
}

/// A host as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostView {
    /// The host's id.
    pub id: HostId,
    /// Its state.
    pub state: HostState,
    /// Why it is quarantined or retired. Absent while it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Its name: what an operator has given it, or else its hostname.
    pub name: String,
    /// Its labels, from its enrollment token and from operators.
    pub labels: BTreeMap<String, String>,
    /// Its facts, as it reported them.
    pub facts: Facts,
    /// Its agent. Absent until its first session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentReport>,
    /// The upstreams of its agent, as last reported.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    /// Whether it is connected, or was heard from lately and has not left since; derived when it is read.
    pub online: bool,
    /// Whether the server holds a check-in of it at this moment: it receives at once what is sent to it. Absent: it does not, or
    /// another process of the server does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub connected: bool,
    /// When it was last seen before it was connected, to within `presence_write_seconds` (300 by default). Absent until its
    /// first check-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// The number of its current session; 0 before the first.
    pub session: u64,
    /// Jobs that are not final.
    pub open_jobs: u32,
    /// Whether a published release is newer than its agent.
    pub update_available: bool,
    /// When it joined.
    pub enrolled_at: Timestamp,
    /// The record's revision: its `ETag` begins with it, and `If-Match` compares it.
    pub revision: u64,
    /// The actions that the caller may take on it now, and why the others are not allowed.
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

/// Selects hosts. An empty selector means every active host.
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

/// `POST /api/v1/hosts/{id}/update`: update the agent of one host.
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

/// [`ActionOnHost`], each decided.
pub type ActionsOnHost = Actions<ActionOnHost>;

/// Actions on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnHost {
    /// Run a job on it; if it is offline, only with `if_offline: queue`.
    Run,
    /// Update its agent to the newest release.
    Update,
    /// Change its name and labels.
    Change,
    /// Readmit it after a quarantine.
    Readmit,
    /// Close its agent's circuit breakers, by a job of that kind.
    ResetBreakers,
    /// Retire it permanently; if it has open jobs, only with `force=true`.
    Remove,
}

impl Action for ActionOnHost {
    const ALL: &'static [Self] =
        &[Self::Run, Self::Update, Self::Change, Self::Readmit, Self::ResetBreakers, Self::Remove];
}
