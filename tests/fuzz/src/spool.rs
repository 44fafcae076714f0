//! What a killed process has left in the spool, as a disk may give it back. A line that begins with `!` gets its checksum.

use std::{fs, sync::Arc};

use futures_util::FutureExt;
use jiff::Timestamp;
use muster_agent::jobs::{
    outbox::{Outbox, Stored},
    spool::{JobSpool, Spool},
};
use muster_schemas::{commands::EventKind, ids::ProcessId};

use crate::given::{directory, other_job, other_process, with_checksums};

const NUMBER: u64 = 3;

/// Whatever the file holds, it is told by its number as output or as a loss or not at all, and nothing is in its way or left.
pub fn spool(bytes: &[u8]) {
    let (state, killed) = (directory(), ProcessId::new(Timestamp::UNIX_EPOCH, 1));
    let bytes = with_checksums(bytes);
    let folder = state.path().join("spool").join(other_job().to_string());
    fs::create_dir_all(&folder).expect("the directory is ours");
    fs::write(folder.join(format!("{killed}-{NUMBER:020}")), &bytes).expect("the directory is ours");
    let spool = Arc::new(Spool::of_state(state.path()));
    spool.sweep(|_| true);
    assert_eq!(spool.used(), bytes.len() as u64);
    let outbox = Outbox::after(0, JobSpool::new(spool.clone(), other_job(), other_process()));
    outbox.push(EventKind::Started);
    let next = || outbox.next().now_or_never().expect("what is not told yet is there to be sent");
    let mut batch = next();
    if batch.process == killed {
        assert_eq!(next(), batch, "what is not stored is sent again");
        match &batch.events[..] {
            [event] if event.sequence == NUMBER => assert!(is_of(&event.kind, &bytes), "{:?}", event.kind),
            events => panic!("{events:?}"),
        }
        assert!(outbox.stored(killed, Stored { through: NUMBER, ..Stored::default() }));
        batch = next();
    }
    assert_eq!((batch.process, &batch.events[0].kind), (other_process(), &EventKind::Started));
    assert_eq!(spool.used(), 0, "what is told takes no room");
}

/// Whether this can be told of these bytes: no more text than they are.
fn is_of(kind: &EventKind, bytes: &[u8]) -> bool {
    match kind {
        EventKind::Output { text } => !text.is_empty() && text.len() < bytes.len(),
        EventKind::OutputLost { .. } => !bytes.is_empty(),
        _ => false,
    }
}
