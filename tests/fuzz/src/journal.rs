//! Journals as a disk may give them back. A line that begins with `!` gets the checksum of what follows, because a fuzzer
//! cannot guess one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use jiff::Timestamp;
use muster_agent::journal::{
    self, Damage, Entry, Journal, Ledger, Stage,
    frames::{decode, encode_all},
};
use muster_schemas::{envelopes::sha256_hex, ids::JobId};

use crate::given::{directory, other_job, with_checksums};

/// Whatever the file holds, the journal opens, says what the readable frames say, takes more, and finds it again.
pub fn journal(bytes: &[u8]) {
    let bytes = with_checksums(bytes);
    let (entries, damage, whole) = decode(&bytes);
    reads_what_is_whole(&bytes, &entries, damage, whole);
    let mut ledger = replayed(&entries);
    if damage == Damage::Corrupt {
        ledger.doubt();
    }
    survives_its_snapshot(&ledger, &named(&entries));
    opens_and_goes_on(&bytes, &ledger, damage);
}

fn reads_what_is_whole(bytes: &[u8], entries: &[Entry], damage: Damage, whole: u64) {
    let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
    assert!(entries.len() <= lines, "{} entries of {lines} lines", entries.len());
    let whole = usize::try_from(whole).expect("the input is in memory");
    assert!(whole <= bytes.len() && !bytes[whole..].contains(&b'\n'));
    let expected = match (entries.len() == lines, whole == bytes.len()) {
        (false, _) => Damage::Corrupt,
        (true, false) => Damage::TornTail,
        (true, true) => Damage::None,
    };
    assert_eq!(damage, expected);
    let is_genuine = |line: &[u8]| line.get(17..).is_some_and(|json| sha256_hex(json).as_bytes()[..16] == line[..16]);
    let genuine = bytes[..whole].split(|byte| *byte == b'\n').filter(|line| is_genuine(line)).count();
    assert!(entries.len() <= genuine, "a frame with another checksum was read");
    // What was read can be written, and is read again the same.
    assert_eq!(decode(&encode_all(entries)).0, entries);
}

fn replayed(entries: &[Entry]) -> Ledger {
    let mut ledger = Ledger::default();
    for entry in entries {
        let floor = ledger.floor();
        ledger.apply(entry.clone());
        assert!(ledger.floor() >= floor, "the highest sequence seen never falls");
    }
    ledger
}

/// A compaction forgets nothing that keeps a job from running twice.
fn survives_its_snapshot(ledger: &Ledger, ids: &BTreeSet<JobId>) {
    let frames = encode_all(&ledger.snapshot());
    let (entries, damage, _) = decode(&frames);
    assert_eq!(damage, Damage::None);
    let again = replayed(&entries);
    assert_eq!(again.floor(), ledger.floor());
    assert_eq!(stages(&again), stages(ledger));
    for id in ids {
        assert_eq!(again.is_tombstone(*id), ledger.is_tombstone(*id));
        assert_eq!(again.remembered(*id), ledger.remembered(*id));
        assert_eq!(again.may_be_forgotten(*id), ledger.may_be_forgotten(*id));
    }
    assert_eq!(replayed(&decode(&encode_all(&again.snapshot())).0), again, "a second compaction changes nothing");
}

/// The jobs that entries name.
fn named(entries: &[Entry]) -> BTreeSet<JobId> {
    let of_entry = |entry: &Entry| match entry {
        Entry::Base { tombstones, remembered, .. } => {
            tombstones.iter().copied().chain(remembered.iter().map(|(id, _)| *id)).collect()
        }
        Entry::Received { command } => vec![command.id],
        Entry::Cancelled { id, .. }
        | Entry::Started { id, .. }
        | Entry::Finished { id, .. }
        | Entry::Recalled { id }
        | Entry::Acknowledged { id } => vec![*id],
        Entry::Unknown => Vec::new(),
    };
    entries.iter().flat_map(of_entry).collect()
}

fn stages(ledger: &Ledger) -> BTreeMap<JobId, (Stage, bool)> {
    let stage = |(id, record): (&JobId, &journal::Record)| (*id, (record.stage.clone(), record.command.is_some()));
    ledger.jobs().iter().map(stage).collect()
}

fn opens_and_goes_on(bytes: &[u8], ledger: &Ledger, damage: Damage) {
    let state = directory();
    let path = state.path().join("journal");
    fs::write(&path, bytes).expect("there is room");
    let (mut opened, aside) = Journal::open(state.path()).expect("a journal always opens");
    assert_eq!(opened.ledger(), ledger);
    assert_eq!(aside.is_some(), damage == Damage::Corrupt);
    if let Some(aside) = aside {
        assert_eq!(fs::read(aside).expect("it was moved there"), bytes, "what was damaged is kept");
    }

    let added = [
        Entry::Cancelled { id: other_job(), at: Timestamp::UNIX_EPOCH },
        Entry::Started { id: other_job(), at: Timestamp::UNIX_EPOCH },
    ];
    for entry in added {
        opened.append(entry).expect("there is room");
    }
    let after = opened.ledger().clone();
    drop(opened);
    let found = journal::read(state.path()).expect("it is there");
    assert_eq!(found.damage, Damage::None, "what is appended stands on whole lines");
    assert_eq!((stages(&found.ledger), found.ledger.floor()), (stages(&after), after.floor()));
    let (reopened, aside) = Journal::open(state.path()).expect("a journal always opens");
    assert_eq!((reopened.ledger(), aside), (&found.ledger, None));
    assert!(reopened.ledger().jobs().contains_key(&other_job()));
}
