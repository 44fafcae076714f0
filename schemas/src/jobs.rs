//! Jobs: one piece of work on one host, with a state, a log and a result.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    actions::ActionsOnJob,
    hosts::Selector,
    ids::{FleetUpdateId, HostId, JobId},
    problems::Problem,
};

/// What to do, typed per kind; never a shell string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "spec", rename_all = "snake_case")]
pub enum JobSpec {
    /// Run a program. Recovery: `once`.
    Run(RunSpec),
    /// Report the host's facts in full. Recovery: `converge`.
    Inspect(InspectSpec),
    /// Close the agent's circuit breakers: what did not answer is well again. Recovery: `converge`.
    ResetBreakers(ResetBreakersSpec),
    /// Bring the agent to a release. Recovery: `probe`.
    SelfUpdate(SelfUpdateSpec),
}

/// A program to run, without a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The program's absolute path and its arguments: 1 to 256 texts without NUL.
    pub argv: Vec<String>,
    /// Its whole environment but for `PATH`, which is the agent's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Where it runs: an absolute path. Absent: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// How much of its output is kept, in bytes: at most 16 MiB. Absent: 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_limit_bytes: Option<u64>,
}

/// Report the host's facts in full.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectSpec {}

/// Close the agent's circuit breakers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBreakersSpec {}

/// Bring the agent to a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfUpdateSpec {
    /// The release's version.
    pub version: String,
    /// SHA-256 of the signed manifest's payload, hexadecimal: which release exactly.
    pub manifest_sha256: String,
}

impl JobSpec {
    /// The kind as one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Inspect(_) => "inspect",
            Self::ResetBreakers(_) => "reset_breakers",
            Self::SelfUpdate(_) => "self_update",
        }
    }

    /// A spec from its two members, or the field that breaks a rule.
    pub fn from_parts(kind: &str, spec: &Value) -> Result<Self, Box<Problem>> {
        fn typed<T: serde::de::DeserializeOwned>(spec: &Value) -> Result<T, Box<Problem>> {
            // A list would be taken for an object's members in their order.
            if !spec.is_object() {
                return Err(Box::new(Problem::invalid("spec", "must be an object")));
            }
            serde_path_to_error::deserialize(spec).map_err(|error| {
                let path = error.path().to_string();
                let field = if path == "." { "spec".into() } else { format!("spec.{path}") };
                Box::new(Problem::invalid(field, error.inner()))
            })
        }
        match kind {
            "run" => typed(spec).map(Self::Run),
            "inspect" => typed(spec).map(Self::Inspect),
            "reset_breakers" => typed(spec).map(Self::ResetBreakers),
            "self_update" => typed(spec).map(Self::SelfUpdate),
            _ => Err(Box::new(Problem::invalid("kind", "must be run, inspect, reset_breakers or self_update"))),
        }
    }

    /// What to do about a job of this kind that was cut off after it had started.
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Run(_) => Recovery::Once,
            Self::Inspect(_) | Self::ResetBreakers(_) => Recovery::Converge,
            Self::SelfUpdate(_) => Recovery::Probe,
        }
    }
}

/// What the agent does about a job that was cut off after it had started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Run it again.
    Converge,
    /// Ask whether it happened, then finish or run it.
    Probe,
    /// Never again: report `interrupted`. Also what an unknown word means.
    #[serde(other)]
    Once,
}

/// Where a job is. The last six but one are final and never change; `presumed_lost` is corrected by a late report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Never offered.
    Queued,
    /// Offered; the host has not said that it has it.
    Offered,
    /// On the host's disk.
    Accepted,
    /// Started.
    Running,
    /// Past its deadline without a word; not final.
    PresumedLost,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Taken back before it had an effect, or stopped.
    Cancelled,
    /// Cut off in the middle and not to be repeated.
    Interrupted,
    /// Refused by the host.
    Rejected,
    /// A newer job for the same resource came first.
    Superseded,
    /// Not offered in time; never run.
    Expired,
}

impl JobState {
    /// Whether it never changes again.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Offered | Self::Accepted | Self::Running | Self::PresumedLost)
    }
}

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
    /// Output in bytes, with what was not kept.
    #[serde(default)]
    pub output_bytes: u64,
    /// Whether output over the limit was dropped.
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
    /// `signature`, `digest`, `size`, `platform`, `rollback`, `preflight`, `download`, `rolled_back`, `inconclusive`, …
    pub code: String,
    /// The same for people; up to 4 KiB.
    pub message: String,
}

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
    /// `run`, `inspect` or `reset_breakers`. An update of the agent goes through `/hosts/{id}/update` or a fleet update.
    pub kind: String,
    /// What to do, by kind.
    #[serde(default = "empty_object")]
    #[schema(value_type = Object)]
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

/// A job as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// Where it runs.
    pub host_id: HostId,
    /// Its place in the host's own order.
    pub sequence: u64,
    /// What to do.
    #[serde(flatten)]
    pub spec: JobSpec,
    /// Where it is.
    pub state: JobState,
    /// What it waits for, in words. Absent when it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<String>,
    /// What it acts on (`agent`): one job per resource runs at a time. Absent: nothing that others act on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who asked for it: `user:<id>`, `key:<id>`, or a fleet update's id.
    pub created_by: String,
    /// What people called it then: a user's or an API key's name. Empty for a fleet update.
    #[serde(default)]
    pub created_by_name: String,
    /// The fleet update it belongs to. Absent when an operator asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet_update_id: Option<FleetUpdateId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Latest start.
    pub start_by: Timestamp,
    /// How long it may run, in seconds.
    pub time_limit_seconds: u32,
    /// When it was first offered. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_at: Option<Timestamp>,
    /// When the host said that it has it. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When the host said that it has started. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became final. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether an operator wants it stopped.
    pub cancel_requested: bool,
    /// Bytes of log kept so far.
    pub log_bytes: u64,
    /// Bytes of output that the host could not keep until they were stored: the log has a line in place of each. Absent: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_lost_bytes: u64,
    /// How it ended, by the host's word. Absent until the host has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// The record's revision.
    pub revision: u64,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnJob,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
pub(crate) fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

/// The header that says from which byte a log goes on (`GET /jobs/{id}/log?after=`).
pub const LOG_NEXT_HEADER: &str = "muster-log-next";
/// The header that says whether the log is complete: `true` or `false`.
pub const LOG_COMPLETE_HEADER: &str = "muster-log-complete";

#[cfg(test)]
mod tests {
    use super::*;

    /// A result that is told again is compared with the one that was stored, and another one raises an alert.
    #[test]
    fn a_result_is_the_same_after_it_was_written_and_read_whatever_numbers_are_in_it() {
        for number in 1..10_000_u32 {
            let detail =
                serde_json::json!({ "load": f64::from(number) / 7.0, "rest": f64::from(number).exp2().recip() });
            let result =
                JobResult { detail: Some(detail), ..JobResult::new(Outcome::Succeeded, Timestamp::UNIX_EPOCH) };
            let text = serde_json::to_string(&result).expect("it is plain data");
            let read: JobResult = serde_json::from_str(&text).expect("it was written so");
            assert_eq!(read, result, "{text}");
        }
    }
}
