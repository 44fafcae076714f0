//! A request for jobs, and its answer: the same work on one host or several.

mod document;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::JobView;
use crate::{hosts::Selector, ids::HostId, problems::Problem};

/// What to do when a host is offline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfOffline {
    /// Refuse with 409 `host_offline`.
    #[default]
    Fail,
    /// Keep the job until `start_by`.
    Queue,
}

/// `POST /api/v1/jobs`: the same work on one host or several, a job each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// Which hosts, by id; at most 100. Either this or `selector`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_ids: Vec<HostId>,
    /// Which hosts, by what they are; must match at most 100. Either this or `host_ids`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// The kind of job, of those that are not asked for by something else.
    #[schema(schema_with = document::kinds)]
    pub kind: String,
    /// What to do, by kind.
    #[serde(default = "empty_object")]
    #[schema(schema_with = document::specs)]
    pub spec: Value,
    /// What to do when a host is offline. Absent: `fail`.
    #[serde(default)]
    pub if_offline: IfOffline,
    /// Latest start. Absent: an hour from now. Past it the job is never run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_by: Option<Timestamp>,
    /// How long it may run, in seconds, from 1 to 86 400; enforced by the agent. Absent: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_seconds: Option<u32>,
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

/// The answer to `POST /api/v1/jobs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobsCreated {
    /// A job per host that takes it.
    pub items: Vec<JobView>,
    /// Hosts that do not, each with its problem. A request for a single host answers with the problem itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<HostRefused>,
}

/// A host that does not take a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostRefused {
    /// The host.
    pub host_id: HostId,
    /// Why not.
    pub problem: Problem,
}
