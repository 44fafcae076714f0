//! What a job writes, on its way to the server: any text, in any pieces. Lines are pieces; one that is `!stored N` is the server
//! saying that it has so many events.

use std::sync::{Arc, LazyLock};

use futures_util::FutureExt;
use muster_agent::jobs::{
    outbox::{Outbox, Stored},
    spool::{JobSpool, Spool},
};
use muster_schemas::commands::{Event, EventKind, EventsRequest};
use muster_server::api::commands::check;

use crate::given::{directory, other_job, other_process};

/// The largest body that the server reads.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// So large that one input fills several events and batches.
static LONG: LazyLock<String> = LazyLock::new(|| "\u{1b}ä\"".repeat(16_000));

/// Everything is told, in order, in requests that the server takes.
pub fn outbox(bytes: &[u8]) {
    let state = directory();
    let spool = Arc::new(Spool::of_state(state.path()));
    let outbox = Outbox::after(0, JobSpool::new(spool.clone(), other_job(), other_process()));
    let (mut written, mut told) = (String::new(), Vec::new());
    for line in String::from_utf8_lossy(bytes).split_inclusive('\n').take(64) {
        if let Some(count) = line.trim_end().strip_prefix("!stored ").and_then(|count| count.parse::<u64>().ok()) {
            outbox.push(EventKind::Started);
            sends(&outbox, &mut told, count);
        } else {
            let text = if line.trim_end() == "!long" { LONG.as_str() } else { line };
            outbox.text(jiff::Timestamp::UNIX_EPOCH, text);
            written.push_str(text);
        }
    }
    outbox.push(EventKind::Started);
    while told.len() < usize::try_from(outbox.last()).expect("it is a small number") {
        sends(&outbox, &mut told, u64::MAX);
    }
    let numbers: Vec<_> = told.iter().map(|event: &Event| event.sequence).collect();
    assert_eq!(numbers, (1..=outbox.last()).collect::<Vec<_>>(), "each event once, in order");
    let text = |event: &Event| match &event.kind {
        EventKind::Output { text } => Some(text.clone()),
        _ => None,
    };
    assert_eq!(told.iter().filter_map(text).collect::<String>(), written);
    assert_eq!(spool.used(), 0, "what is stored takes no room");
}

/// One request, of which the server stores so many events.
fn sends(outbox: &Outbox, told: &mut Vec<Event>, count: u64) {
    let next = || outbox.next().now_or_never().expect("what is not told yet is there to be sent");
    let batch = next();
    assert_eq!(next(), batch, "what is not stored is sent again");
    let request = EventsRequest { session: 1, process_id: batch.process, events: batch.events.clone() };
    let body = serde_json::to_vec(&request).expect("events are plain data");
    assert!(body.len() <= MAX_BODY_BYTES, "{} bytes", body.len());
    assert!(check(&request.events).is_ok());
    let stored: Vec<_> = batch.events.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
    let through = stored.last().map_or(0, |event| event.sequence);
    let forward = outbox.stored(batch.process, Stored { through, ..Stored::default() });
    assert_eq!(forward, !stored.is_empty());
    told.extend(stored);
}
