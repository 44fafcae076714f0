use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use muster_schemas::ids::JobId;
use tempfile::TempDir;

use super::*;
use crate::jobs::{
    queue::{MAX_BATCH_BYTES, MAX_HELD_BYTES},
    spool::Spool,
};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// A state directory with a spool of so many bytes, and the job whose outbox it is about.
struct Disk {
    state: TempDir,
    most: u64,
    job: JobId,
}

impl Disk {
    fn of(most: u64) -> Self {
        let state = tempfile::tempdir().expect("a folder can be made");
        Self { state, most, job: JobId::new(Timestamp::UNIX_EPOCH, 1) }
    }

    fn spool(&self) -> Arc<Spool> {
        let spool = Spool::bounded(self.state.path(), self.most);
        spool.sweep(|_| true);
        Arc::new(spool)
    }

    /// The outbox of a process that has just begun.
    fn outbox(&self, process: u128) -> Outbox {
        Outbox::after(0, JobSpool::new(self.spool(), self.job, self::process(process)))
    }

    /// The only file of the spool.
    fn file(&self) -> PathBuf {
        let folder = self.state.path().join("spool").join(self.job.to_string());
        let mut files = std::fs::read_dir(folder).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none());
        file
    }
}

fn process(number: u128) -> ProcessId {
    ProcessId::new(Timestamp::UNIX_EPOCH, number)
}

fn roomy() -> Disk {
    Disk::of(1 << 30)
}

fn through(number: u64) -> Stored {
    Stored { through: number, ..Stored::default() }
}

/// Everything that an outbox has to tell, in order, as a server that stores all of it hears it.
async fn heard(outbox: &Outbox) -> Vec<EventKind> {
    let mut heard = Vec::new();
    loop {
        let batch = tokio::select! {
            biased;
            batch = outbox.next() => batch,
            () = std::future::ready(()) => return heard,
        };
        let last = batch.events.last().unwrap().sequence;
        heard.extend(batch.events.into_iter().map(|event| event.kind));
        assert!(outbox.stored(batch.process, through(last)));
    }
}

fn output(text: &str) -> EventKind {
    EventKind::Output { text: text.into() }
}

fn text(kinds: &[EventKind]) -> String {
    kinds.iter().map(|kind| if let EventKind::Output { text } = kind { text.as_str() } else { "" }).collect()
}

fn lost(kinds: &[EventKind]) -> u64 {
    kinds.iter().map(|kind| if let EventKind::OutputLost { bytes, .. } = kind { *bytes } else { 0 }).sum()
}

#[tokio::test]
async fn output_is_gathered_and_keeps_its_place_among_events() {
    let disk = roomy();
    let outbox = disk.outbox(1);
    outbox.push(EventKind::Started);
    outbox.text(AT, "a");
    outbox.text(AT, "b");
    outbox.push(EventKind::Accepted);
    let kinds: Vec<_> = outbox.next().await.events.into_iter().map(|event| (event.sequence, event.kind)).collect();
    assert_eq!(kinds, [(1, EventKind::Started), (2, output("ab")), (3, EventKind::Accepted)]);
}

#[tokio::test]
async fn a_batch_is_bounded_and_is_sent_again_until_it_is_stored() {
    let disk = roomy();
    let outbox = disk.outbox(1);
    outbox.text(AT, &"ä".repeat(1024 * 1024));
    let batch = outbox.next().await;
    assert!(!batch.patient && batch.events.len() == 4, "there is more: it is not gathered for");
    assert_eq!(outbox.next().await, batch);
    assert!(outbox.stored(process(1), through(4)));
    assert_eq!(outbox.next().await.events[0].sequence, 5);
}

#[tokio::test]
async fn an_event_has_output_of_one_second_and_the_time_of_its_beginning() {
    let disk = roomy();
    let outbox = disk.outbox(1);
    let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
    for (millisecond, text) in [(1_000, "a"), (1_999, "b"), (2_000, "c"), (7_500, "d")] {
        outbox.text(at(millisecond), text);
    }
    let events = outbox.next().await.events.into_iter().map(|event| (event.at, event.kind)).collect::<Vec<_>>();
    assert_eq!(events, [(at(1_000), output("ab")), (at(2_000), output("c")), (at(7_500), output("d"))]);
}

#[tokio::test]
async fn output_that_waits_for_long_does_not_become_an_event_for_each_second() {
    let disk = roomy();
    let outbox = disk.outbox(1);
    for second in 0..36_000 {
        outbox.text(Timestamp::from_second(second).unwrap(), "x");
    }
    let heard = heard(&outbox).await;
    assert_eq!(text(&heard).len(), 36_000);
    assert!(heard.len() < 800, "{}", heard.len());
}

#[tokio::test]
async fn an_answer_that_stores_nothing_brings_nothing_forward() {
    let disk = roomy();
    let outbox = disk.outbox(1);
    outbox.push(EventKind::Accepted);
    assert!(!outbox.stored(process(1), Stored::default()));
    assert!(outbox.stored(process(1), through(u64::MAX)));
}

#[tokio::test]
async fn a_batch_is_bounded_by_what_is_sent() {
    let disk = roomy();
    let outbox = disk.outbox(1);
    outbox.text(AT, &"\u{1b}\"\n".repeat(200_000));
    let sent = serde_json::to_string(&outbox.next().await.events).unwrap();
    assert!(sent.len() < MAX_BATCH_BYTES + 1024, "{}", sent.len());
}

#[tokio::test]
async fn what_a_process_had_not_told_when_it_was_killed_the_next_one_tells_first_by_the_same_numbers() {
    let disk = roomy();
    let killed = disk.outbox(1);
    killed.push(EventKind::Started);
    killed.text(AT, "first");
    killed.push(EventKind::Accepted);
    killed.text(AT, "second, ");
    killed.text(AT, "not even sent");
    let sent = killed.next().await;
    drop(killed);
    let next = disk.outbox(2);
    next.push(EventKind::Started);
    let batch = next.next().await;
    assert_eq!(batch.process, process(1), "the server knows its numbers and takes nothing twice");
    assert_eq!(batch.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(batch.events[0].kind, sent.events[1].kind);
    assert_eq!(heard(&next).await, [output("first"), output("second, not even sent"), EventKind::Started]);
    assert_eq!(disk.spool().used(), 0, "nothing is left");
}

#[tokio::test]
async fn what_several_killed_processes_have_left_is_told_in_their_order() {
    let disk = roomy();
    for number in 1..=3 {
        disk.outbox(number).text(AT, &format!("by {number}\n"));
    }
    assert_eq!(text(&heard(&disk.outbox(4)).await), "by 1\nby 2\nby 3\n");
}

#[tokio::test]
async fn a_spool_that_is_full_gives_up_the_oldest_output_and_tells_how_much_in_its_place() {
    let disk = Disk::of(300_000);
    let outbox = disk.outbox(1);
    outbox.push(EventKind::Started);
    let line = |number| format!("{number:099}\n");
    for number in 0..10_000 {
        outbox.text(AT, &line(number));
    }
    outbox.push(EventKind::Accepted);
    assert!(disk.spool().used() <= 300_000, "{}", disk.spool().used());
    let heard = heard(&outbox).await;
    assert_eq!((&heard[0], heard.last()), (&EventKind::Started, Some(&EventKind::Accepted)));
    let (text, lost) = (text(&heard), lost(&heard));
    assert_eq!(lost + text.len() as u64, 1_000_000, "every byte is told or counted");
    assert_eq!(heard.iter().filter(|kind| matches!(kind, EventKind::OutputLost { .. })).count(), 1, "in one place");
    assert!(text.ends_with(&line(9_999)) && !text.contains(&line(0)), "the newest is kept");
    assert!(matches!(heard[1], EventKind::OutputLost { .. }), "{:?}", heard[1]);
}

#[tokio::test]
async fn how_much_was_given_up_is_told_after_a_crash_too() {
    let disk = Disk::of(300_000);
    let outbox = disk.outbox(1);
    outbox.text(AT, &"x".repeat(1_000_000));
    drop(outbox);
    let heard = heard(&disk.outbox(2)).await;
    assert_eq!(lost(&heard) + text(&heard).len() as u64, 1_000_000);
    assert!(lost(&heard) > 0);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_made_up_for_by_a_bounded_memory() {
    let disk = Disk::of(0);
    let outbox = disk.outbox(1);
    for _ in 0..40 {
        outbox.text(AT, &"y".repeat(100_000));
    }
    assert!(outbox.queue(|queue| queue.held_bytes()) <= MAX_HELD_BYTES);
    let heard = heard(&outbox).await;
    assert_eq!(lost(&heard) + text(&heard).len() as u64, 4_000_000);
    assert!(text(&heard).len() > MAX_HELD_BYTES / 2);
}

#[tokio::test]
async fn a_cut_off_end_is_cut_off_and_other_damage_is_told_as_a_loss() {
    for (damage, told) in [
        (
            Box::new(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 3)) as Box<dyn Fn(&mut Vec<u8>)>,
            vec![output("one ")],
        ),
        (Box::new(|bytes: &mut Vec<u8>| *bytes = String::from_utf8_lossy(bytes).replace("one", "two").into()), vec![]),
        (Box::new(Vec::clear), vec![]),
    ] {
        let disk = roomy();
        let outbox = disk.outbox(1);
        outbox.text(AT, "one ");
        outbox.text(AT, "two");
        drop(outbox);
        let mut bytes = std::fs::read(disk.file()).unwrap();
        damage(&mut bytes);
        std::fs::write(disk.file(), &bytes).unwrap();
        let heard = heard(&disk.outbox(2)).await;
        let known = heard.iter().filter(|kind| matches!(kind, EventKind::Output { .. })).cloned().collect::<Vec<_>>();
        assert_eq!(known, told);
        assert_eq!(lost(&heard) > 0, told.is_empty() && !bytes.is_empty(), "{heard:?}");
    }
}

#[tokio::test]
async fn output_that_a_server_refuses_is_told_as_lost_and_nothing_else_with_it() {
    let disk = roomy();
    disk.outbox(1).text(AT, "old");
    let outbox = disk.outbox(2);
    let former = outbox.next().await;
    outbox.refused(former.process, former.events[0].sequence);
    assert_eq!(heard(&outbox).await, [EventKind::lost(3)]);
    outbox.text(AT, "sent");
    let sent = outbox.next().await;
    outbox.push(EventKind::Accepted);
    outbox.text(AT, "not yet");
    outbox.refused(sent.process, sent.events[0].sequence);
    let lost = EventKind::lost(4);
    assert_eq!(outbox.next().await.events[0].kind, lost);
    outbox.refused(sent.process, sent.events[0].sequence);
    assert_eq!(heard(&outbox).await, [EventKind::Accepted, output("not yet")], "refused again, it is not told");
    assert_eq!(disk.spool().used(), 0);
}

#[tokio::test]
async fn what_killed_processes_have_left_is_the_oldest_and_given_up_first() {
    let disk = Disk::of(300_000);
    disk.outbox(1).text(AT, &"o".repeat(200_000));
    let outbox = disk.outbox(2);
    outbox.text(AT, &"n".repeat(200_000));
    let heard = heard(&outbox).await;
    assert_eq!(text(&heard).matches('n').count(), 200_000);
    assert_eq!(lost(&heard) + text(&heard).len() as u64, 400_000);
}

#[test]
fn what_no_known_job_has_left_is_removed() {
    let disk = roomy();
    disk.outbox(1).text(AT, "old");
    let spool = Spool::bounded(disk.state.path(), 1_000);
    spool.sweep(|_| false);
    assert_eq!((spool.used(), disk.outbox(2).queue(|queue| queue.former.len())), (0, 0));
}

#[tokio::test]
async fn what_nobody_has_taken_for_a_week_is_given_up() {
    let disk = roomy();
    disk.outbox(1).text(AT, "old");
    let week = std::time::SystemTime::now() - std::time::Duration::from_hours(7 * 24 + 1);
    std::fs::File::options().write(true).open(disk.file()).unwrap().set_modified(week).unwrap();
    let heard = heard(&disk.outbox(2)).await;
    assert!(matches!(heard[..], [EventKind::OutputLost { .. }]), "{heard:?}");
}
