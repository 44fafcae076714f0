//! Validation: bounds of what requests bring. A host's reports are stored and shown to operators, and anybody who holds the
//! host writes them.

use std::collections::BTreeMap;

use muster_schemas::{
    problems::Problem,
    reports::{AgentReport, Facts, LastUpdate, Report},
    upstreams::Upstream,
};

use super::problem::Failure;

/// The largest facts, in bytes of JSON.
const MAX_FACTS_BYTES: usize = 64 * 1024;
/// The longest word: a version, a digest, an id.
const MAX_WORD_BYTES: usize = 128;
/// The longest reason: 4 KiB of a failed start's last words, and what the supervisor makes of them.
const MAX_REASON_BYTES: usize = 8 * 1024;
/// How many upstreams an agent reports.
const MAX_UPSTREAMS: usize = 8;
/// The longest reason of a call that failed.
const MAX_FAILURE_BYTES: usize = 1024;
/// No journal has seen so many jobs; a higher number is not a count of jobs.
pub const MAX_SEQUENCE: u64 = 1 << 53;

/// A text for people, within its bound.
pub fn check_text(field: &str, text: &str, most: usize) -> Result<(), Failure> {
    if text.chars().count() > most {
        return Err(Problem::invalid(field, format_args!("must be at most {most} characters")).into());
    }
    Ok(())
}

/// Labels within the bounds; a value that is absent removes the label.
pub fn check_labels<'a>(labels: impl Iterator<Item = (&'a String, Option<&'a String>)>) -> Result<(), Failure> {
    let labels = labels.collect::<BTreeMap<_, _>>();
    if labels.len() > 32 {
        return Err(Problem::invalid("labels", "must be at most 32 entries").into());
    }
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    for (key, value) in labels {
        if !(1..=64).contains(&key.len()) || !key.bytes().all(named) {
            return Err(Problem::invalid(
                format!("labels.{key}"),
                "a key must be 1 to 64 characters of a-z A-Z 0-9 . _ / -",
            )
            .into());
        }
        if value.is_some_and(|value| value.chars().count() > 128 || value.chars().any(char::is_control)) {
            return Err(
                Problem::invalid(format!("labels.{key}"), "a value must be at most 128 printable characters").into()
            );
        }
    }
    Ok(())
}

/// A section of a report within its bounds.
pub fn check_report(report: &Report) -> Result<(), Failure> {
    match report {
        Report::Agent(agent) => check_agent(agent),
        Report::Facts(facts) => check_facts(facts),
        Report::Upstreams(upstreams) => check_upstreams(upstreams),
    }
}

/// Facts of a size that a host can have.
pub fn check_facts(facts: &Facts) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(facts).map_err(Failure::broken)?.len();
    if bytes > MAX_FACTS_BYTES {
        return Err(Problem::invalid("facts", format_args!("must be at most {MAX_FACTS_BYTES} bytes")).into());
    }
    Ok(())
}

/// A report whose words are words.
fn check_agent(agent: &AgentReport) -> Result<(), Failure> {
    let AgentReport { version, executable_sha256, process_id: _, boot_id, committed: _, last_update } = agent;
    within("agent.version", version, MAX_WORD_BYTES)?;
    check_digest("agent.executable_sha256", executable_sha256)?;
    within("agent.boot_id", boot_id, MAX_WORD_BYTES)?;
    let Some(LastUpdate { transaction: _, to, outcome: _, reason, tries: _ }) = last_update else { return Ok(()) };
    within("agent.last_update.to", to, MAX_WORD_BYTES)?;
    within("agent.last_update.reason", reason, MAX_REASON_BYTES)
}

/// A SHA-256 as everybody writes it: reasons name it, and people read them.
fn check_digest(field: &str, digest: &str) -> Result<(), Failure> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digest.len() != 64 || !digest.bytes().all(is_digit) {
        return Err(Problem::invalid(field, "must be a SHA-256: 64 digits of 0-9 and a-f").into());
    }
    Ok(())
}

/// A sequence that jobs can have.
pub fn check_sequence(highest: u64) -> Result<(), Failure> {
    if highest > MAX_SEQUENCE {
        return Err(Problem::invalid("highest_sequence", format_args!("must be at most {MAX_SEQUENCE}")).into());
    }
    Ok(())
}

/// As many upstreams as an agent has, in few words.
fn check_upstreams(upstreams: &[Upstream]) -> Result<(), Failure> {
    if upstreams.len() > MAX_UPSTREAMS {
        return Err(Problem::invalid("upstreams", format_args!("must be at most {MAX_UPSTREAMS} entries")).into());
    }
    for Upstream { name, breaker: _, failures, opened, last_failure, last_outage, spooled_bytes } in upstreams {
        let outage = last_outage.as_ref().map_or([0; 2], |outage| [outage.seconds, outage.failures]);
        if [*failures, *opened, *spooled_bytes].into_iter().chain(outage).any(|count| count > MAX_SEQUENCE) {
            return Err(Problem::invalid("upstreams", format_args!("counts must be at most {MAX_SEQUENCE}")).into());
        }
        within("upstreams.name", name, MAX_WORD_BYTES)?;
        let reason = last_failure.as_ref().map_or("", |failure| &failure.reason);
        within("upstreams.last_failure.reason", reason, MAX_FAILURE_BYTES)?;
    }
    Ok(())
}

fn within(field: &str, text: &str, most: usize) -> Result<(), Failure> {
    if text.len() > most {
        return Err(Problem::invalid(field, format_args!("must be at most {most} bytes")).into());
    }
    Ok(())
}
