//! Jobs as text: the table of `jobs list`, the details of `jobs show`, and how a job ended.

use jiff::Timestamp;
use muster_schemas::jobs::{JobSpec, JobState, JobView, LogErased};

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

/// The state of a job in words, with who gave it up.
pub fn state_in_full(job: &JobView) -> String {
    let given_up = job.given_up_by.as_ref().map_or_else(String::new, |by| format!(", given up by {by}"));
    tables::printable(&format!("{}{given_up}", state(job.state)))
}

/// A table of jobs.
pub fn table(jobs: &[JobView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "HOST", "STATE", "CREATED", "WHAT"]);
    for job in jobs {
        let created = times::ago(job.created_at, now);
        table.row([job.id.to_string(), job.host_id.to_string(), state(job.state).into(), created, title(job)]);
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
        ("what", title(job)),
        ("program", cut_program(job).unwrap_or_default()),
        ("state", state_in_full(job)),
        ("waiting on", job.waiting_on.clone().unwrap_or_default()),
        ("error", error(job).unwrap_or_default()),
        ("exit code", exit_code.unwrap_or_default()),
        ("log", bytes(job.log_bytes)),
        ("log is cut", cut(job).unwrap_or_default()),
        ("output lost", bytes(job.output_lost_bytes)),
        ("log erased", job.log_erased.as_ref().map_or_else(String::new, |erased| log_erased(erased, now))),
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

fn log_erased(erased: &LogErased, now: Timestamp) -> String {
    let by = tables::actor(&erased.by, &erased.by_name);
    format!("{} by {by}: {}", times::ago(erased.at, now), erased.reason)
}

fn bytes(count: u64) -> String {
    if count > 0 { format!("{count} bytes") } else { String::new() }
}

/// How much output is missing in the log, if the job printed more than is kept.
pub fn cut(job: &JobView) -> Option<String> {
    let told = job.result.as_ref().map_or(0, |result| result.output_bytes);
    let (missing, limit) = (job.output_cut_bytes, job.spec.rules().log_limit_bytes());
    // While it runs, nobody has told yet how much it prints.
    let printed = told.max(job.log_bytes.saturating_add(missing).min(limit.saturating_add(missing)));
    let kept = printed.saturating_sub(missing);
    let cut = format!("{kept} of {printed} bytes of output are kept, and {missing} are missing (limit: {limit} bytes)");
    (missing > 0).then_some(cut)
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

/// The title of a job. A server that is older than titles sends none.
fn title(job: &JobView) -> String {
    if job.title.is_empty() { job.spec.rules().title() } else { job.title.clone() }
}

/// The whole command line of a program whose title is cut.
fn cut_program(job: &JobView) -> Option<String> {
    let JobSpec::Run(run) = &job.spec else { return None };
    Some(run.argv.join(" ")).filter(|program| tables::printable(program) != title(job))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn job(more: &Value) -> JobView {
        let at = "2026-01-01T00:00:00Z";
        let mut job = json!({
            "id": "job_00000000000000000000000001", "host_id": "host_00000000000000000000000001", "sequence": 1,
            "kind": "run", "spec": { "argv": ["/bin/echo", "x".repeat(200)] }, "state": "queued",
            "created_by": "user:ada", "created_at": at, "start_by": at, "time_limit_seconds": 60,
            "cancel_requested": false, "log_bytes": 0, "revision": 1,
        });
        job.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_job_is_shown_by_the_title_that_the_server_gives_it() {
        let titled = json!({ "kind": "inspect", "spec": {}, "title": "take a look" });
        assert_eq!(title(&job(&titled)), "take a look");
        assert_eq!(title(&job(&json!({ "kind": "inspect", "spec": {} }))), "inspect the host");
    }

    #[test]
    fn a_log_that_is_cut_says_how_much_is_kept_of_how_much() {
        let at = "2026-01-01T00:00:00Z";
        let result =
            json!({ "outcome": "failed", "finished_at": at, "output_bytes": 2_188_914, "output_truncated": true });
        let long = job(&json!({ "log_bytes": 1_048_700, "output_cut_bytes": 1_140_338, "result": result }));
        let told = "1048576 of 2188914 bytes of output are kept, and 1140338 are missing (limit: 1048576 bytes)";
        assert_eq!(cut(&long).as_deref(), Some(told));
        assert!(details(&long, long.created_at).contains(told));
        assert_eq!(cut(&job(&json!({ "log_bytes": 1_048_576 }))), None);
    }

    #[test]
    fn the_details_have_the_whole_program_if_its_title_is_cut() {
        let long = job(&json!({}));
        assert!(title(&long).ends_with('…'));
        assert!(details(&long, long.created_at).contains(&"x".repeat(200)));
        let short = job(&json!({ "spec": { "argv": ["/bin/true"] } }));
        assert_eq!(cut_program(&short), None);
    }
}
