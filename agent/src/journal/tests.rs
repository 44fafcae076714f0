use std::io::Read;

use muster_schemas::{ids::HostId, jobs::Recovery};
use serde_json::json;
use tempfile::TempDir;

use super::*;

pub fn command(sequence: u64) -> muster_schemas::commands::Command {
    let at = jiff::Timestamp::UNIX_EPOCH;
    muster_schemas::commands::Command {
        id: id(sequence),
        host_id: HostId::new(at, 1),
        sequence,
        kind: "run".into(),
        spec: json!({ "argv": ["/bin/true"] }),
        recovery: Recovery::Once,
        resource: Some("agent".into()),
        generation: sequence,
        start_by: at,
        time_limit_seconds: 60,
    }
}

fn id(number: u64) -> muster_schemas::ids::JobId {
    muster_schemas::ids::JobId::new(jiff::Timestamp::UNIX_EPOCH, number.into())
}

fn received(sequence: u64) -> Entry {
    Entry::Received { command: Box::new(command(sequence)) }
}

fn started(number: u64) -> Entry {
    Entry::Started { id: id(number), at: jiff::Timestamp::UNIX_EPOCH }
}

fn finished(number: u64) -> Entry {
    let mut ledger = Ledger::default();
    ledger.apply(Entry::Cancelled { id: id(number), at: jiff::Timestamp::UNIX_EPOCH });
    let Stage::Finished(result) = ledger.jobs()[&id(number)].stage.clone() else { unreachable!() };
    Entry::Finished { id: id(number), result }
}

fn journal(entries: Vec<Entry>) -> (TempDir, Journal) {
    let state = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(state.path()).unwrap();
    for entry in entries {
        journal.append(entry).unwrap();
    }
    (state, journal)
}

fn bytes(state: &TempDir) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path(state.path())).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let (state, journal) = journal(vec![received(1), started(1), received(2), finished(2)]);
    let before = journal.ledger().clone();
    drop(journal);
    let (after, aside) = Journal::open(state.path()).unwrap();
    assert_eq!((after.ledger(), aside), (&before, None));
    assert_eq!(after.ledger().jobs()[&id(1)].stage, Stage::Started);
    assert_eq!(after.ledger().floor(), 2);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_nothing_else_is_lost() {
    let (state, journal) = journal(vec![received(1), started(1)]);
    let before = journal.ledger().clone();
    let whole = bytes(&state).len();
    drop(journal);
    let (mut again, _) = Journal::open(state.path()).unwrap();
    let base = bytes(&state);
    again.append(received(2)).unwrap();
    let full = bytes(&state);
    assert!(full.len() > base.len() && whole > 0);
    for length in base.len()..full.len() {
        fs::write(path(state.path()), &full[..length]).unwrap();
        let (mut torn, aside) = Journal::open(state.path()).unwrap();
        assert_eq!((torn.ledger(), aside), (&before, None), "cut at {length}");
        torn.append(received(3)).unwrap();
        drop(torn);
        assert_eq!(read(state.path()).unwrap().ledger.floor(), 3, "cut at {length}");
    }
}

#[test]
fn damage_in_the_middle_is_set_aside_and_what_is_unfinished_counts_as_started() {
    let (state, journal) = journal(vec![received(1), started(1), received(2), received(3)]);
    drop(journal);
    let full = bytes(&state);
    let second_last = full.windows(9).position(|window| window == b"\"started\"").unwrap();
    for (position, bit) in (second_last..second_last + 20).zip((0..8).cycle()) {
        let mut damaged = full.clone();
        damaged[position] ^= 1 << bit;
        fs::write(path(state.path()), &damaged).unwrap();
        assert_eq!(read(state.path()).unwrap().damage, Damage::Corrupt);
        let (opened, aside) = Journal::open(state.path()).unwrap();
        assert_eq!(fs::read(aside.unwrap()).unwrap(), damaged);
        assert_eq!(opened.ledger().floor(), 3);
        assert_eq!(opened.ledger().jobs()[&id(1)].stage, Stage::Started);
        assert_eq!(opened.ledger().jobs()[&id(3)].stage, Stage::Started);
        assert_eq!(read(state.path()).unwrap().damage, Damage::None);
    }
}

#[test]
fn a_whole_but_wrong_last_line_is_damage_not_a_torn_tail() {
    let (state, journal) = journal(vec![received(1), started(1)]);
    drop(journal);
    let mut damaged = bytes(&state);
    let last = damaged.len() - 5;
    damaged[last] ^= 1;
    fs::write(path(state.path()), &damaged).unwrap();
    let (opened, aside) = Journal::open(state.path()).unwrap();
    assert!(aside.is_some());
    assert_eq!(opened.ledger().jobs()[&id(1)].stage, Stage::Started);
}

#[test]
fn compaction_forgets_what_the_server_has_and_keeps_the_floors() {
    let entries = vec![
        received(7),
        started(7),
        finished(7),
        Entry::Acknowledged { id: id(7) },
        Entry::Cancelled { id: id(99), at: jiff::Timestamp::UNIX_EPOCH },
        received(8),
    ];
    let (state, mut journal) = journal(entries);
    let before = bytes(&state).len();
    journal.compact().unwrap();
    journal.append(received(9)).unwrap();
    drop(journal);
    assert!(bytes(&state).len() < before + 600);
    let (journal, _) = Journal::open(state.path()).unwrap();
    let ledger = journal.ledger();
    assert_eq!(ledger.jobs().keys().copied().collect::<Vec<_>>(), [id(8), id(9), id(99)]);
    assert!(ledger.floor() == 9 && ledger.is_tombstone(id(99)) && ledger.remembered(id(7)).is_some());
    assert!(ledger.is_outdated(&command(6)) && !ledger.is_outdated(&command(7)) && !ledger.is_outdated(&command(8)));
}

#[test]
fn another_job_of_the_same_generation_is_outdated() {
    let (_state, journal) = journal(vec![received(7), started(7)]);
    let twin = muster_schemas::commands::Command { id: id(70), ..command(7) };
    assert!(journal.ledger().is_outdated(&twin));
}

#[test]
fn a_job_cancelled_before_it_came_never_counts_as_received() {
    let (_state, mut journal) = journal(vec![Entry::Cancelled { id: id(5), at: jiff::Timestamp::UNIX_EPOCH }]);
    journal.append(received(5)).unwrap();
    assert!(matches!(journal.ledger().jobs()[&id(5)].stage, Stage::Finished(_)));
}

#[test]
fn an_entry_of_a_newer_agent_is_passed_over() {
    let json = r#"{"entry":"vouched","id":1}"#;
    let line = format!("{} {json}\n", &muster_schemas::envelopes::sha256_hex(json.as_bytes())[..16]);
    assert_eq!(frames::decode(line.as_bytes()), (vec![Entry::Unknown], Damage::None, line.len() as u64));
}

#[test]
fn tombstones_and_remembered_results_are_bounded() {
    let mut ledger = Ledger::default();
    for number in 0..3_000 {
        ledger.apply(Entry::Cancelled { id: id(number), at: jiff::Timestamp::UNIX_EPOCH });
        ledger.apply(Entry::Acknowledged { id: id(number) });
    }
    assert!(!ledger.is_tombstone(id(0)) && ledger.is_tombstone(id(2_999)) && ledger.jobs().is_empty());
    assert!(ledger.remembered(id(0)).is_none() && ledger.remembered(id(2_999)).is_some());
}

#[test]
fn a_result_too_deep_for_a_compaction_is_remembered_without_its_detail() {
    let deep = (0..125).fold(json!(1), |inner, _| json!([inner]));
    let Entry::Finished { result, .. } = finished(7) else { unreachable!() };
    let result = Box::new(muster_schemas::jobs::JobResult { detail: Some(deep), ..*result });
    let mut ledger = Ledger::default();
    for entry in [received(9), Entry::Finished { id: id(7), result }, Entry::Acknowledged { id: id(7) }] {
        ledger.apply(entry);
    }
    let (entries, ..) = frames::decode(&frames::encode_all(&ledger.snapshot()));
    let mut again = Ledger::default();
    for entry in entries {
        again.apply(entry);
    }
    assert_eq!(again, ledger);
}

/// A handle that neither writes nor cuts, like a disk that is gone.
fn broken(state: &TempDir) -> File {
    File::open(path(state.path())).unwrap()
}

#[test]
fn nothing_is_put_behind_half_a_frame_until_it_is_cut_off() {
    let (state, mut journal) = journal(vec![received(1)]);
    let before = journal.ledger().clone();
    let working = std::mem::replace(&mut journal.file, broken(&state));
    assert!(journal.append(received(2)).is_err());
    // The disk took half of the frame before it failed.
    open_append(&path(state.path())).unwrap().write_all(b"0123456789abcdef {\"entry").unwrap();
    assert!(journal.append(received(3)).is_err());
    assert_eq!(journal.ledger(), &before);
    journal.file = working;
    journal.append(received(4)).unwrap();
    drop(journal);
    let found = read(state.path()).unwrap();
    assert_eq!(
        (found.damage, found.ledger.jobs().keys().copied().collect::<Vec<_>>()),
        (Damage::None, vec![id(1), id(4)])
    );
}

#[test]
fn entries_that_belong_together_are_all_there_or_none_is() {
    let (state, mut journal) = journal(vec![]);
    let working = std::mem::replace(&mut journal.file, broken(&state));
    assert!(journal.append_all(vec![received(1), finished(1)]).is_err());
    assert_eq!((journal.ledger().jobs().len(), journal.ledger().floor()), (0, 0));
    journal.file = working;
    journal.append_all(vec![received(1), finished(1)]).unwrap();
    assert!(matches!(journal.ledger().jobs()[&id(1)].stage, Stage::Finished(_)));
}

#[test]
fn a_journal_that_cannot_be_compacted_is_written_all_the_same() {
    let (state, mut journal) = journal(vec![received(1)]);
    fs::create_dir(state.path().join("journal.tmp")).unwrap();
    journal.compact_above = 0;
    journal.append(received(2)).unwrap();
    assert!(journal.compact_above > 0);
    let full = bytes(&state);
    drop(journal);
    let (mut again, _) = Journal::open(state.path()).unwrap();
    again.append(received(3)).unwrap();
    assert!(bytes(&state).starts_with(&full), "a small whole journal is not rewritten");
    assert_eq!(read(state.path()).unwrap().ledger.floor(), 3);
}

#[test]
fn a_damaged_journal_that_cannot_be_replaced_still_serves() {
    let (state, journal) = journal(vec![received(1), received(2)]);
    drop(journal);
    let mut damaged = bytes(&state);
    damaged[3] ^= 1;
    fs::write(path(state.path()), &damaged).unwrap();
    fs::create_dir(state.path().join("journal.copy")).unwrap();
    let (mut opened, aside) = Journal::open(state.path()).unwrap();
    assert_eq!((aside, &opened.ledger().jobs()[&id(2)].stage), (None, &Stage::Started));
    opened.append(finished(2)).unwrap();
    assert!(bytes(&state).starts_with(&damaged));
}

#[test]
fn a_job_whose_own_frame_is_lost_is_told_about_and_never_run() {
    let mut ledger = Ledger::default();
    for entry in [started(1), started(2), finished(2), finished(3)] {
        ledger.apply(entry);
    }
    let again = |ledger: &Ledger| {
        let mut again = Ledger::default();
        ledger.snapshot().into_iter().for_each(|entry| again.apply(entry));
        again
    };
    assert_eq!(again(&ledger), ledger);
    let record = &ledger.jobs()[&id(1)];
    assert_eq!((&record.command, &record.stage), (&None, &Stage::Started));
    for number in [2, 3] {
        assert!(matches!(ledger.jobs()[&id(number)].stage, Stage::Finished(_)), "{number}");
    }
}

#[test]
fn a_result_that_is_told_again_stays_what_it_was_and_is_no_cancelled_job() {
    let (state, mut journal) = journal(vec![received(1), started(1), finished(1), Entry::Acknowledged { id: id(1) }]);
    journal.append(Entry::Recalled { id: id(1) }).unwrap();
    let before = journal.ledger().clone();
    journal.compact().unwrap();
    drop(journal);
    let found = read(state.path()).unwrap();
    assert_eq!(found.ledger, before);
    assert!(!found.ledger.is_tombstone(id(1)));
}

#[test]
fn what_may_have_been_forgotten_is_known_as_such() {
    let mut ledger = Ledger::default();
    for number in 1..=300 {
        let told = [received(number), finished(number), Entry::Acknowledged { id: id(number) }];
        for entry in told {
            ledger.apply(entry);
        }
    }
    let mut again = Ledger::default();
    ledger.snapshot().into_iter().for_each(|entry| again.apply(entry));
    assert_eq!(again, ledger);
    assert!(ledger.may_be_forgotten(id(1)) && ledger.may_be_forgotten(id(44)) && !ledger.may_be_forgotten(id(45)));
}

#[test]
fn generations_are_bounded_and_none_is_forgotten() {
    let mut ledger = Ledger::default();
    let on = |number: u64, generation| muster_schemas::commands::Command {
        resource: Some(format!("r{number}")),
        generation,
        ..command(number)
    };
    for number in 1..=1024 {
        ledger.apply(Entry::Received { command: Box::new(on(number, number)) });
        ledger.apply(started(number));
    }
    assert!(ledger.is_full_for(&on(2_000, 1)) && !ledger.is_full_for(&on(2_000, 0)) && !ledger.is_full_for(&on(7, 8)));
    assert!(ledger.is_outdated(&on(7, 6)));
    let mut unnumbered = Ledger::default();
    unnumbered.apply(Entry::Received { command: Box::new(on(1, 0)) });
    unnumbered.apply(started(1));
    assert!(format!("{:?}", unnumbered.snapshot()[0]).contains("generations: {}"));
}

#[test]
fn the_secrets_of_a_job_leave_the_disk_with_its_end_and_are_there_until_then() {
    let state = TempDir::new().unwrap();
    let mut secret = command(1);
    secret.spec = json!({ "argv": ["/bin/true"], "secret_environment": { "TOKEN": "hunter2" } });
    let on_disk = || String::from_utf8_lossy(&fs::read(path(state.path())).unwrap()).contains("hunter2");
    let (mut journal, _) = Journal::open(state.path()).unwrap();
    journal.append_all(vec![Entry::Received { command: Box::new(secret) }, started(1)]).unwrap();
    drop(journal);
    let (mut journal, _) = Journal::open(state.path()).unwrap();
    assert!(on_disk(), "after a restart the job may still have to run");
    journal.append(finished(1)).unwrap();
    assert!(!on_disk());
    let kept = read(state.path()).unwrap().ledger;
    assert!(matches!(kept.jobs()[&id(1)].stage, Stage::Finished(_)), "the result is still to be told");
    assert_eq!(kept.jobs()[&id(1)].command.as_ref().unwrap().spec["secret_environment"]["TOKEN"], "***");
}
