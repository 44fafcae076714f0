//! Results of jobs: how a job ended, by the host's word.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a job ended, by the host's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Stopped on request.
    Cancelled,
    /// Cut off and not to be repeated.
    Interrupted,
    /// Refused before anything was done.
    Rejected,
}

/// A job's result. The same result may be reported any number of times; another one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobResult {
    /// How it ended.
    pub outcome: Outcome,
    /// The program's exit code. Absent when there was no program or a signal ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Why it did not succeed. Absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// What the job found out (`inspect`: the facts); up to 64 KiB. Absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Value>,
    /// When it was started, by the host's clock. Absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended, by the host's clock.
    pub finished_at: Timestamp,
    /// Output in bytes, with what was not kept. It is counted as the log is: as text, in which bytes that are not UTF-8 are
    /// replaced.
    #[serde(default)]
    pub output_bytes: u64,
    /// Whether there was more output than the limit: its middle was dropped.
    #[serde(default)]
    pub output_truncated: bool,
}

impl JobResult {
    /// An end of which nothing else is to be said.
    pub fn new(outcome: Outcome, finished_at: Timestamp) -> Self {
        Self {
            outcome,
            exit_code: None,
            error: None,
            detail: None,
            started_at: None,
            finished_at,
            output_bytes: 0,
            output_truncated: false,
        }
    }
}

/// Why a job did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobError {
    /// A stable word: `exit_code`, `signal`, `time_limit`, `policy`, `unknown_kind`, `start_by_passed`, `agent_restarted`,
    /// `signature`, `digest`, `size`, `platform`, `rollback`, `preflight`, `download`, `rolled_back`, `inconclusive`, `reboot_refused`, `not_restarted`, …
    pub code: String,
    /// The same for people; up to 4 KiB.
    pub message: String,
}
