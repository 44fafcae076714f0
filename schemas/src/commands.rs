//! Commands: jobs on the wire, and what the agent tells about them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{HostId, JobId, ProcessId},
    jobs::{JobResult, Recovery},
};

/// A job as the agent gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Command {
    /// The job.
    pub id: JobId,
    /// Whom it is for; an agent refuses another host's.
    pub host_id: HostId,
    /// Its place in the host's own order, growing by one per job of the host.
    pub sequence: u64,
    /// What to do, by kind; an agent rejects what it does not know.
    pub kind: String,
    /// The kind's own members.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// What to do when it was cut off after its start.
    pub recovery: Recovery,
    /// What it acts on: one at a time per resource, and none beside one that acts on `host`. Absent: nothing that others act on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Its generation on that resource: an agent never starts one older than what it has started already.
    #[serde(default)]
    pub generation: u64,
    /// Latest start, by the server's clock.
    pub start_by: Timestamp,
    /// How long it may run, in seconds; enforced by the agent.
    pub time_limit_seconds: u32,
}

/// `POST /api/v1/agent/jobs/{job_id}/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventsRequest {
    /// The agent's session. An older one gets 409 `session_superseded`.
    pub session: u64,
    /// The agent process that numbers the events.
    pub process_id: ProcessId,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Numbers the events of this job from this process, from 1. One that is stored already is passed over.
    pub sequence: u64,
    /// When, by the host's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The job is on the host's disk.
    Accepted,
    /// The job is about to start: the agent starts it only after this was answered in its current session. A job that
    /// must not run twice is granted to one process; another one that asks ends it as `interrupted`.
    Starting,
    /// The job has started.
    Started,
    /// Output of the job.
    Output {
        /// The text, at most 64 KiB; bytes that are not UTF-8 are replaced.
        text: String,
    },
    /// Output of the job that the host could not keep until it was stored: the server writes a line in its place.
    OutputLost {
        /// How much of it, in bytes.
        bytes: u64,
    },
    /// The job has ended.
    Finished {
        /// How.
        result: JobResult,
    },
}

/// The answer to events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventsResponse {
    /// The highest event sequence of this process that is stored.
    pub accepted_through: u64,
    /// Whether the job shall be stopped, or not be started.
    pub cancel: bool,
    /// How long to gather output before the next send, in seconds: shorter while somebody watches.
    pub send_every_seconds: u32,
}

/// The largest text of one output event, in bytes.
pub const MAX_OUTPUT_EVENT_BYTES: usize = 64 * 1024;
