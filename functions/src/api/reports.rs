//! What hosts say of themselves, within bounds: it is stored, told to operators, and written by whoever holds the host.

use muster_schemas::{
    check_ins::{AgentReport, LastUpdate},
    hosts::Facts,
    problems::Problem,
    upstreams::Upstream,
};

use super::problem::Failure;

/// The largest facts, in bytes of JSON.
const MAX_FACTS_BYTES: usize = 64 * 1024;
/// The longest word: a version, a digest, an id.
const MAX_WORD_BYTES: usize = 128;
/// The longest reason: 4 KiB of a failed start's last words, and what the supervisor makes of them.
const MAX_REASON_BYTES: usize = 8 * 1024;
/// How many upstreams an agent tells of.
const MAX_UPSTREAMS: usize = 8;
/// The longest reason of a call that failed.
const MAX_FAILURE_BYTES: usize = 1024;
/// No journal has seen so many jobs; a number above is no number of jobs.
pub const MAX_SEQUENCE: u64 = 1 << 53;

/// Facts of a size that a host can have.
pub fn check_facts(facts: &Facts) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(facts).map_err(Failure::broken)?.len();
    if bytes > MAX_FACTS_BYTES {
        return Err(Problem::invalid("facts", format_args!("must be at most {MAX_FACTS_BYTES} bytes")).into());
    }
    Ok(())
}

/// A report whose words are words.
pub fn check_agent(agent: &AgentReport) -> Result<(), Failure> {
    let AgentReport { version, executable_sha256, process_id: _, boot_id, committed: _, last_update } = agent;
    within("agent.version", version, MAX_WORD_BYTES)?;
    within("agent.executable_sha256", executable_sha256, MAX_WORD_BYTES)?;
    within("agent.boot_id", boot_id, MAX_WORD_BYTES)?;
    let Some(LastUpdate { transaction: _, to, outcome: _, reason, tries: _ }) = last_update else { return Ok(()) };
    within("agent.last_update.to", to, MAX_WORD_BYTES)?;
    within("agent.last_update.reason", reason, MAX_REASON_BYTES)
}

/// A sequence that jobs can have.
pub fn check_sequence(highest: u64) -> Result<(), Failure> {
    if highest > MAX_SEQUENCE {
        return Err(Problem::invalid("highest_sequence", format_args!("must be at most {MAX_SEQUENCE}")).into());
    }
    Ok(())
}

/// As many upstreams as an agent has, in few words.
pub fn check_upstreams(upstreams: &[Upstream]) -> Result<(), Failure> {
    if upstreams.len() > MAX_UPSTREAMS {
        return Err(Problem::invalid("upstreams", format_args!("must be at most {MAX_UPSTREAMS}")).into());
    }
    for Upstream { name, breaker: _, failures, opened, last_failure, last_outage, spooled_bytes } in upstreams {
        let outage = last_outage.as_ref().map_or([0; 2], |outage| [outage.seconds, outage.failures]);
        if [*failures, *opened, *spooled_bytes].into_iter().chain(outage).any(|count| count > MAX_SEQUENCE) {
            return Err(Problem::invalid("upstreams", format_args!("must count to {MAX_SEQUENCE} at most")).into());
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
