//! Jobs as text: the table of `jobs list`, the details of `jobs show`, and how a job ended.

use jiff::Timestamp;
use muster_schemas::jobs::{JobSpec, JobState, JobView};

use crate::{
    tables::{self, Table},
    times,
};

/// The state of a job in words.
pub fn state(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Offered => "offered",
        JobState::Accepted => "accepted",
        JobState::Running => "running",
        JobState::PresumedLost => "presumed lost",
        JobState::Succeeded => "succeeded",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
        JobState::Interrupted => "interrupted",
        JobState::Rejected => "rejected",
        JobState::Superseded => "superseded",
        JobState::Expired => "expired",
    }
}

/// A table of jobs.
pub fn table(jobs: &[JobView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "HOST", "STATE", "CREATED", "WHAT"]);
    for job in jobs {
        let created = times::ago(job.created_at, now);
        table.row([job.id.to_string(), job.host_id.to_string(), state(job.state).into(), created, what(&job.spec)]);
    }
    table.render("There are no jobs.")
}

/// All details of a job.
pub fn details(job: &JobView, now: Timestamp) -> String {
    let result = job.result.as_ref();
    let exit_code = result.and_then(|result| result.exit_code).map(|code| code.to_string());
    let detail = result.and_then(|result| result.detail.as_ref()).map(ToString::to_string);
    let age = |at: Option<Timestamp>| at.map_or_else(String::new, |at| times::ago(at, now));
    tables::facts(&[
        ("id", job.id.to_string()),
        ("host", job.host_id.to_string()),
        ("what", what(&job.spec)),
        ("state", state(job.state).into()),
        ("waiting on", job.waiting_on.clone().unwrap_or_default()),
        ("error", error(job).unwrap_or_default()),
        ("exit code", exit_code.unwrap_or_default()),
        ("log", bytes(job.log_bytes)),
        ("output lost", bytes(job.output_lost_bytes)),
        ("created by", tables::actor(&job.created_by, &job.created_by_name)),
        ("created", age(Some(job.created_at))),
        ("offered", age(job.offered_at)),
        ("accepted", age(job.accepted_at)),
        ("started", age(job.started_at)),
        ("ended", age(job.ended_at)),
        ("start by", if job.state.is_final() { String::new() } else { job.start_by.to_string() }),
        ("time limit", times::span(job.time_limit_seconds.into())),
        ("detail", detail.unwrap_or_default()),
    ])
}

fn bytes(count: u64) -> String {
    if count > 0 { format!("{count} bytes") } else { String::new() }
}

/// How a job ended, in one line.
pub fn ending(job: &JobView) -> String {
    let why = error(job).or_else(|| job.waiting_on.clone());
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    tables::printable(&format!("{} on {}: {}{why}", job.id, job.host_id, state(job.state)))
}

fn error(job: &JobView) -> Option<String> {
    let error = job.result.as_ref()?.error.as_ref()?;
    Some(format!("{}: {}", error.code, error.message))
}

fn what(spec: &JobSpec) -> String {
    match spec {
        JobSpec::Run(run) => run.argv.join(" "),
        JobSpec::Inspect(_) => "inspect".into(),
        JobSpec::ResetBreakers(_) => "reset circuit breakers".into(),
        JobSpec::SelfUpdate(update) => format!("update the agent to {}", update.version),
    }
}
