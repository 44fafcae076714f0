use jiff::Timestamp;
use muster_schemas::{
    commands::EventKind,
    ids::{JobId, ProcessId},
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::jobs::{
    outbox::Stored,
    spool::{JobSpool, Spool},
};

const MIB: u64 = 1024 * 1024;

fn outbox(state: &TempDir, process: u128) -> Arc<Outbox> {
    let (job, process) = (JobId::new(Timestamp::UNIX_EPOCH, 1), ProcessId::new(Timestamp::UNIX_EPOCH, process));
    let spool = Spool::bounded(state.path(), 64 * MIB);
    spool.sweep(|_| true);
    Arc::new(Outbox::after(0, JobSpool::new(Arc::new(spool), job, process)))
}

/// Everything that there is to send, as a server that stores all of it hears it.
fn heard(outbox: &Outbox) -> Vec<EventKind> {
    use futures_util::FutureExt;
    let mut heard = Vec::new();
    while let Some(batch) = outbox.next().now_or_never() {
        let through = batch.events.last().map_or(0, |event| event.sequence);
        heard.extend(batch.events.into_iter().map(|event| event.kind));
        assert!(outbox.stored(batch.process, Stored { through, ..Stored::default() }));
    }
    heard
}

/// What is heard before the gap, how much is missing in it, and what is heard behind it.
fn parts(heard: &[EventKind]) -> (String, u64, String) {
    let (mut before, mut missing, mut behind) = (String::new(), None, String::new());
    for kind in heard {
        match kind {
            EventKind::Output { text } if missing.is_none() => before.push_str(text),
            EventKind::Output { text } => behind.push_str(text),
            EventKind::OutputLost { bytes, over_limit: true } if missing.is_none() => missing = Some(*bytes),
            other => panic!("{other:?}"),
        }
    }
    (before, missing.unwrap_or(0), behind)
}

/// Prints a text in pieces of this size, with this limit.
fn printed(text: &str, limit: u64, size: usize) -> (Printed, (String, u64, String)) {
    let state = tempfile::tempdir().unwrap();
    let outbox = outbox(&state, 1);
    let output = Output::new(outbox.clone(), limit);
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
        output.text(piece);
        rest = after;
    }
    let printed = output.end();
    (printed, parts(&heard(&outbox)))
}

#[test]
fn a_long_output_keeps_its_beginning_and_its_end_and_says_how_much_is_missing_between_them() {
    let lines = (0..40_000).map(|number| format!("line {number} of the build, with some words to fill it up\n"));
    let text = lines.collect::<String>() + "ERROR: the disk is full\n";
    let (printed, (before, missing, behind)) = printed(&text, MIB, 16 * 1024);
    assert_eq!((before.len(), behind.len()), (256 * 1024, 768 * 1024));
    assert!(text.starts_with(&before) && text.ends_with(&behind));
    assert_eq!(missing, text.len() as u64 - MIB);
    assert_eq!(printed, Printed { bytes: text.len() as u64, missing });
}

#[test]
fn an_output_within_its_limit_is_whole() {
    let text = "x".repeat(1_000_000) + "the end";
    let (printed, (before, missing, behind)) = printed(&text, MIB, 1000);
    assert_eq!((printed.missing, missing, before + &behind == text), (0, 0, true));
}

#[test]
fn the_beginning_is_sent_at_once_and_the_rest_when_the_job_has_ended() {
    let state = tempfile::tempdir().unwrap();
    let outbox = outbox(&state, 1);
    let output = Output::new(outbox.clone(), 8);
    output.text("ab");
    assert_eq!(parts(&heard(&outbox)).0, "ab");
    output.text("cdefghijkl");
    assert!(heard(&outbox).is_empty());
    output.end();
    assert_eq!(parts(&heard(&outbox)), (String::new(), 4, "ghijkl".into()));
}

#[test]
fn what_a_killed_agent_had_held_back_is_told_as_missing_by_the_next_process() {
    let state = tempfile::tempdir().unwrap();
    let killed = outbox(&state, 1);
    Output::new(killed.clone(), 8).text("abcdef");
    drop(killed);
    assert_eq!(heard(&outbox(&state, 2)), [EventKind::Output { text: "ab".into() }, EventKind::cut(0)]);
}

#[test]
fn how_much_is_missing_is_told_after_a_crash_too() {
    let state = tempfile::tempdir().unwrap();
    let killed = outbox(&state, 1);
    let output = Output::new(killed.clone(), 8);
    output.text("abcdefghijkl");
    output.end();
    drop((output, killed));
    assert_eq!(parts(&heard(&outbox(&state, 2))), ("ab".into(), 4, "ghijkl".into()));
}

#[test]
fn the_end_of_an_output_has_the_times_at_which_it_was_printed() {
    let state = tempfile::tempdir().unwrap();
    let outbox = outbox(&state, 1);
    let output = Output::new(outbox.clone(), 8);
    let at = |second| Timestamp::from_second(second).unwrap();
    for (second, text) in [(1, "ab"), (2, "cd"), (3, "ef"), (60, "gh")] {
        output.printed(at(second), text);
    }
    output.end();
    let mut told = Vec::new();
    while let Some(batch) = futures_util::FutureExt::now_or_never(outbox.next()) {
        let through = batch.events.last().map_or(0, |event| event.sequence);
        told.extend(batch.events.into_iter().map(|event| event.at.as_second()));
        outbox.stored(batch.process, Stored { through, ..Stored::default() });
    }
    assert_eq!(told, [1, 2, 3, 60]);
}

proptest! {
    /// Whatever is printed: every byte of it is in the log or counted as missing, and the log has no more than its limit.
    #[test]
    fn every_byte_is_kept_or_counted(text in "[a-zä€🦀\u{0}\n]{0,400}", limit in 0..200_u64, size in 1..50_usize) {
        let (printed, (before, missing, behind)) = printed(&text, limit, size);
        prop_assert!(text.starts_with(&before) && text.ends_with(&behind));
        let kept = (before.len() + behind.len()) as u64;
        prop_assert_eq!(kept + missing, text.len() as u64);
        prop_assert!(kept <= limit);
        prop_assert!(missing == 0 || kept + 6 >= limit, "{} of {}", kept, limit);
        prop_assert_eq!(printed, Printed { bytes: text.len() as u64, missing });
    }
}
