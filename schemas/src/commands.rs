//! Commands and events: jobs as agents get them, and what agents report about them.

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
    /// The host that it is for; an agent ignores jobs of other hosts.
    pub host_id: HostId,
    /// Its place in the host's own order, growing by one per job of the host.
    pub sequence: u64,
    /// The kind; an agent rejects a kind that it does not know.
    pub kind: String,
    /// The spec, with the members of that kind.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// The rule for a job that was interrupted after its start.
    pub recovery: Recovery,
    /// The resource that it acts on: one job at a time per resource, and no other job beside one that acts on `host`. Absent: it
    /// needs no resource for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Its generation on that resource: an agent never starts an older generation than one it has already started.
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
    /// The events, in order.
    pub events: Vec<Event>,
}

/// An event of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Numbers the events of this job from this process, from 1. An event that is already stored is skipped.
    pub sequence: u64,
    /// When it happened, by the host's clock.
    pub at: Timestamp,
    /// The kind of event.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kind of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The job is in the host's journal.
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
    /// Output of the job that is missing here: the server writes a line in its place.
    OutputLost {
        /// How much of it, in bytes. With `over_limit`, 0: nobody knows, because the agent that held it is gone.
        bytes: u64,
        /// Whether it is missing because the job printed more than its limit: what comes behind it is the end of the output.
        /// Absent: the host had to drop it before it was sent.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over_limit: bool,
    },
    /// The job has ended.
    Finished {
        /// Its result.
        result: JobResult,
    },
}

impl EventKind {
    /// Output that the host had to drop before it was sent, in bytes.
    pub fn lost(bytes: u64) -> Self {
        Self::OutputLost { bytes, over_limit: false }
    }

    /// The middle of the output of a job that printed more than its limit, in bytes.
    pub fn cut(bytes: u64) -> Self {
        Self::OutputLost { bytes, over_limit: true }
    }
}

/// The answer to events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventsResponse {
    /// The highest event sequence of this process that is stored.
    pub accepted_through: u64,
    /// Whether the job must be stopped, or not be started.
    pub cancel: bool,
    /// How long to gather output before the next request, in seconds: shorter while somebody watches.
    pub send_every_seconds: u32,
}

/// The largest text of one output event, in bytes.
pub const MAX_OUTPUT_EVENT_BYTES: usize = 64 * 1024;
