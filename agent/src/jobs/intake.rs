//! Job intake: which offers become jobs on this host. An accepted job is in the journal before the server hears of it.

use std::{collections::btree_map::Entry as MapEntry, sync::Arc};

use jiff::Timestamp;
use muster_schemas::{
    commands::Command,
    ids::JobId,
    jobs::{JobResult, JobSpec, KINDS, Outcome},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{desk::Desk, life};
use crate::{
    errors::{chain, head},
    journal::{Entry, Ledger},
    runners::results,
    sys::files::FileError,
};

/// The most open jobs; the server offers the rest again.
const OPEN_JOBS: usize = 256;
/// The largest command, in bytes of JSON.
const MAX_COMMAND_BYTES: usize = 256 * 1024;
/// So much is kept of the kind of what is refused.
const REFUSED_KIND_BYTES: usize = 64;
/// By how much a sequence may be ahead of the highest one seen: a server hands them out one by one, and one that is taken over
/// must not use them up.
const LONGEST_LEAP: u64 = 1 << 32;
/// The longest name of a resource.
const MAX_RESOURCE_BYTES: usize = 256;

/// How many of the offered jobs were accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// All of them.
    All,
    /// Some were not, and will be offered again.
    Partly,
}

/// Takes up every job that the journal holds from before.
pub fn replay(desk: &Arc<Desk>) {
    let open: Vec<_> = desk.journal(|journal| journal.ledger().jobs().keys().copied().collect());
    desk.spool.sweep(|id| open.contains(&id));
    for id in open {
        info!(job.id = %id, "Job {id} resumes from the journal");
        begin(desk, id);
    }
}

/// Takes in what the server offers, in order: after one that cannot be journalled, none.
pub fn take(desk: &Arc<Desk>, commands: Vec<Command>) -> Intake {
    for command in commands {
        if command.host_id != desk.agent.host_id {
            error!(job.id = %command.id, "Ignoring job {}, which is for another host", command.id);
            continue;
        }
        match take_one(desk, command) {
            Ok(Intake::All) => {}
            Ok(Intake::Partly) => return Intake::Partly,
            Err(failed) => {
                error!("Cannot write a job to the journal, so it is not accepted: {}", chain(&failed));
                return Intake::Partly;
            }
        }
    }
    Intake::All
}

/// Cancels: what runs is stopped, what has not come can never run.
pub fn cancel(desk: &Arc<Desk>, ids: &[JobId]) {
    for id in ids.iter().take(OPEN_JOBS) {
        let running = desk.live(|live| live.get(id).cloned());
        if let Some(token) = running {
            token.cancel();
            continue;
        }
        let entry = desk.journal(|journal| entry_of_cancel(journal.ledger(), *id));
        if let Some(entry) = entry {
            match desk.journal(|journal| journal.append(entry)) {
                Ok(()) => begin(desk, *id),
                Err(failed) => {
                    error!(job.id = %id, "Cannot record that job {id} was cancelled: {}", chain(&failed));
                }
            }
        }
    }
}

/// The journal entry for a cancel of a job without a task; `None` when the job is there already, or there is no room.
fn entry_of_cancel(ledger: &Ledger, id: JobId) -> Option<Entry> {
    if ledger.jobs().contains_key(&id) || ledger.jobs().len() >= OPEN_JOBS {
        None
    } else if ledger.remembered(id).is_some() {
        Some(Entry::Recalled { id })
    } else if ledger.may_be_forgotten(id) {
        let message = "the job is older than this host's journal: it may have run before";
        Some(finished(id, results::ended_with(Outcome::Interrupted, "forgotten", message)))
    } else {
        Some(Entry::Cancelled { id, at: Timestamp::now() })
    }
}

fn take_one(desk: &Arc<Desk>, command: Command) -> Result<Intake, FileError> {
    let id = command.id;
    let verdict = desk.journal(|journal| judge(journal.ledger(), &command, desk.agent.client.clock.now()));
    let entries = match verdict {
        Verdict::Known => Vec::new(),
        Verdict::Full => return Ok(Intake::Partly),
        Verdict::New => match allowed(desk, &command) {
            Ok(()) => vec![received(command)],
            Err(refusal) => {
                warn!(job.id = %id, "Job {id} rejected: {}", message(&refusal));
                vec![received(in_short(command)), finished(id, *refusal)]
            }
        },
        Verdict::Recall => vec![Entry::Recalled { id }],
        Verdict::Ended(result) => {
            warn!(job.id = %id, "Job {id} not run: {}", message(&result));
            vec![received(in_short(Command { sequence: 0, ..command })), finished(id, *result)]
        }
    };
    if !entries.is_empty() {
        desk.journal(|journal| journal.append_all(entries))?;
    }
    begin(desk, id);
    Ok(Intake::All)
}

/// The verdict on an offer.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It is there already: its life goes on, or its result is told again.
    Known,
    /// It is over and was told; it is to be told again.
    Recall,
    /// It is new.
    New,
    /// It must not run; this is to be told.
    Ended(Box<JobResult>),
    /// There is no room now.
    Full,
}

/// Judges an offer by the journal and the server's clock.
pub fn judge(ledger: &Ledger, command: &Command, now: Timestamp) -> Verdict {
    if ledger.jobs().contains_key(&command.id) {
        return Verdict::Known;
    }
    if ledger.jobs().len() >= OPEN_JOBS {
        return Verdict::Full;
    }
    if ledger.remembered(command.id).is_some() {
        return Verdict::Recall;
    }
    if ledger.is_tombstone(command.id) {
        return Verdict::Ended(Box::new(results::ended(Outcome::Cancelled)));
    }
    if command.sequence <= ledger.floor() {
        // It was here once, and what became of it is forgotten: whether it ran cannot be told any more.
        let message = "the job is older than the newest one of this host: it may have run before";
        return Verdict::Ended(Box::new(results::ended_with(Outcome::Interrupted, "sequence", message)));
    }
    // The server numbers generations by sequences.
    let leaps = command.sequence > ledger.floor().saturating_add(LONGEST_LEAP);
    if leaps || command.generation > command.sequence {
        let code = if leaps { "sequence" } else { "generation" };
        let message = "the job's sequence is too far ahead of the highest one on this host";
        return Verdict::Ended(Box::new(results::ended_with(Outcome::Rejected, code, message)));
    }
    if command.start_by < now {
        let message = "it arrived after its latest start";
        return Verdict::Ended(Box::new(results::ended_with(Outcome::Rejected, "start_by_passed", message)));
    }
    Verdict::New
}

/// Whether this host does such a thing at all.
fn allowed(desk: &Desk, command: &Command) -> Result<(), Box<JobResult>> {
    let refuse = |code: &str, message: String| Box::new(results::ended_with(Outcome::Rejected, code, message));
    let too_large = serde_json::to_string(&command.spec).map_or(0, |spec| spec.len()) > MAX_COMMAND_BYTES
        || command.resource.as_ref().is_some_and(|resource| resource.len() > MAX_RESOURCE_BYTES);
    if too_large {
        return Err(refuse("too_large", "the command is larger than this host accepts".into()));
    }
    if KINDS.iter().all(|known| known.name != command.kind) {
        return Err(refuse(
            "unknown_kind",
            format!("this agent does not support {:?}", head(command.kind.clone(), REFUSED_KIND_BYTES)),
        ));
    }
    let spec =
        JobSpec::from_parts(&command.kind, &command.spec).map_err(|problem| refuse("invalid", problem.to_string()))?;
    spec.rules().check().map_err(|problem| refuse("invalid", problem.to_string()))?;
    desk.allows(&spec).map_err(|message| refuse("policy", message))
}

/// Gives a job of the journal a task, unless it has one.
fn begin(desk: &Arc<Desk>, id: JobId) {
    let token = CancellationToken::new();
    let is_new = desk.live(|live| match live.entry(id) {
        MapEntry::Vacant(place) => {
            place.insert(token.clone());
            true
        }
        MapEntry::Occupied(_) => false,
    });
    if is_new {
        desk.agent.spawn(life::live(desk.clone(), id, token));
    }
}

fn received(command: Command) -> Entry {
    Entry::Received { command: Box::new(command) }
}

fn finished(id: JobId, result: JobResult) -> Entry {
    Entry::Finished { id, result: Box::new(result) }
}

/// A rejected job is never run, so its spec is not kept: of its own texts only the beginning of its kind, and nothing that it acts on.
fn in_short(command: Command) -> Command {
    let kind = head(command.kind, REFUSED_KIND_BYTES);
    Command { kind, spec: serde_json::Value::Null, resource: None, ..command }
}

fn message(result: &JobResult) -> &str {
    result.error.as_ref().map_or("it has already ended", |error| &error.message)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use muster_schemas::{ids::HostId, jobs::Recovery};

    use super::*;

    fn id(number: u64) -> JobId {
        JobId::new(Timestamp::UNIX_EPOCH, number.into())
    }

    fn command(sequence: u64) -> Command {
        Command {
            id: id(sequence),
            host_id: HostId::new(Timestamp::UNIX_EPOCH, 1),
            sequence,
            kind: "inspect".into(),
            spec: serde_json::json!({}),
            recovery: Recovery::Converge,
            resource: None,
            generation: 0,
            start_by: Timestamp::UNIX_EPOCH,
            time_limit_seconds: 1,
        }
    }

    fn ledger(entries: Vec<Entry>) -> Ledger {
        let mut ledger = Ledger::default();
        for entry in entries {
            ledger.apply(entry);
        }
        ledger
    }

    fn verdict(entries: Vec<Entry>, sequence: u64) -> String {
        match judge(&ledger(entries), &command(sequence), Timestamp::UNIX_EPOCH) {
            Verdict::Ended(result) => format!("{:?}", result.outcome),
            verdict => format!("{verdict:?}"),
        }
    }

    #[test]
    fn a_job_that_is_there_goes_on_and_one_that_is_told_is_told_again() {
        let told = vec![received(command(5)), finished(id(5), results::ended(Outcome::Succeeded))];
        assert_eq!(verdict(vec![], 5), "New");
        assert_eq!(verdict(told.clone(), 5), "Known");
        assert_eq!(verdict([told, vec![Entry::Acknowledged { id: id(5) }]].concat(), 5), "Recall");
    }

    #[test]
    fn a_forgotten_job_never_runs_again_and_nothing_false_is_said_of_it() {
        let base = |tombstones: &[JobId]| {
            let (generations, tombstones) = ([].into(), tombstones.iter().copied().collect());
            vec![Entry::Base { floor: 5, generations, tombstones, remembered: [].into(), forgotten: None }]
        };
        assert_eq!(verdict(base(&[]), 5), "Interrupted");
        assert_eq!(verdict(base(&[]), 6), "New");
        assert_eq!(verdict(base(&[id(6)]), 6), "Cancelled");
    }

    #[test]
    fn a_late_job_is_rejected_by_the_servers_clock() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1);
        assert!(
            matches!(judge(&Ledger::default(), &command(1), now), Verdict::Ended(result) if result.outcome == Outcome::Rejected)
        );
    }

    #[test]
    fn a_cancel_buries_what_never_came_and_recalls_what_is_over() {
        let told = [received(command(5)), finished(id(5), results::ended(Outcome::Succeeded))];
        let over = [&told[..], &[Entry::Acknowledged { id: id(5) }]].concat();
        assert!(matches!(entry_of_cancel(&ledger(vec![]), id(5)), Some(Entry::Cancelled { .. })));
        assert_eq!(entry_of_cancel(&ledger(told.to_vec()), id(5)), None);
        assert_eq!(entry_of_cancel(&ledger(over), id(5)), Some(Entry::Recalled { id: id(5) }));
    }

    #[test]
    fn a_cancel_of_what_may_be_forgotten_says_nothing_false() {
        let base = |forgotten| {
            let (generations, tombstones, remembered) = ([].into(), [id(4)].into(), [].into());
            ledger(vec![Entry::Base { floor: 9, generations, tombstones, remembered, forgotten }])
        };
        let outcome = |number| match entry_of_cancel(&base(Some(id(5))), id(number)) {
            Some(Entry::Finished { result, .. }) => Some(result.outcome),
            _ => None,
        };
        assert_eq!((outcome(4), outcome(5), outcome(6)), (None, Some(Outcome::Interrupted), None));
    }

    #[test]
    fn little_is_kept_of_what_is_refused() {
        let resource = Some("r".repeat(1_000_000));
        let huge = Command { kind: "ä".repeat(1_000_000), spec: "x".repeat(9).into(), resource, ..command(1) };
        let kept = in_short(huge);
        assert!(serde_json::to_string(&kept).unwrap().len() < 500);
    }
}
