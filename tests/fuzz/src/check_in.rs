//! Sessions and check-ins of a host, with what happens to its mailbox in between, at any times.

use std::collections::BTreeSet;

use jiff::Timestamp;
use muster_domain::{
    jobs::NewJob,
    machine::{Machine, Step},
    mailboxes::{Event, HostNews, Mailbox},
    pacing::Pacing,
};
use muster_schemas::{
    check_ins::{CheckInRequest, SessionRequest},
    hosts::HostState,
    ids::JobId,
    jobs::JobRequest,
};
use muster_server::{
    api::{
        check_ins::{news_of_check_in, news_of_session},
        extract::json,
        jobs::asked,
    },
    commit::Cause,
};
use serde::Deserialize;
use serde_json::Value;

use crate::given::{Happens, host, public};

/// How many writes belong to one commit at most.
const MAX_EFFECTS: usize = 90;
/// What one item holds at most.
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// Bodies as they come over the wire, and what operators do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Session(Value),
    CheckIn(Value),
    Job(Value),
    Cancel(JobId),
    Remove(JobId),
    Quarantine(String),
    Readmit(String),
    Retire(bool),
}

/// A body that keeps the rules never breaks the mailbox: sessions and sequences only grow, retired is retired, and everything
/// stays small enough to be stored.
pub fn check_in(bytes: &[u8]) {
    let Ok(story) = serde_json::from_slice::<Vec<Happens<What>>>(bytes) else { return };
    let mut mailbox = Mailbox::new(host(), &public(0).to_string());
    let mut taken = BTreeSet::new();
    for Happens { at, what } in story.into_iter().take(200) {
        let Some(event) = event(what, at) else { continue };
        // The store has one record per job, and would refuse a second one.
        if let Event::Enqueue(job) = &event
            && !taken.insert(job.id)
        {
            continue;
        }
        if let Ok(Step { next, effects }) = mailbox.transition(&event, at) {
            assert!(effects.len() <= MAX_EFFECTS, "{} effects", effects.len());
            holds(&mailbox, &event, &next);
            mailbox = next;
        }
        paces(&mailbox, at);
    }
}

/// What the server makes of a body before it decides; none when it refuses it.
fn event(what: What, at: Timestamp) -> Option<Event> {
    match what {
        What::Session(body) => {
            let request: SessionRequest = body_of(&body)?;
            let news = news_of_session(&request).ok()?;
            Some(Event::Started { agent: request.agent, news })
        }
        What::CheckIn(body) => {
            let request: CheckInRequest = body_of(&body)?;
            Some(Event::Seen { session: request.session, news: news_of_check_in(&request).ok()? })
        }
        What::Job(body) => {
            let request: JobRequest = body_of(&body)?;
            let asked = asked(at, &request, Cause::tick()).ok()?;
            Some(Event::Enqueue(Box::new(NewJob { id: JobId::new(at, 1), asked })))
        }
        What::Cancel(id) => Some(Event::Cancel(id)),
        What::Remove(id) => Some(Event::Remove(id)),
        What::Quarantine(reason) => Some(Event::Quarantine(reason)),
        What::Readmit(reason) => Some(Event::Readmit(reason)),
        What::Retire(force) => Some(Event::Retire { reason: String::new(), force }),
    }
}

fn body_of<T: serde::de::DeserializeOwned>(body: &Value) -> Option<T> {
    json(body.to_string().as_bytes()).ok()
}

fn holds(before: &Mailbox, event: &Event, after: &Mailbox) {
    assert!(after.sequence >= before.sequence, "a sequence is given out once");
    assert!(before.state != HostState::Retired || after.state == HostState::Retired, "retired for good");
    assert!(after.open.len() <= 80 && after.earlier_processes.len() <= 8);
    match event {
        Event::Started { news: HostNews { highest_sequence, .. }, agent } if after.state == HostState::Active => {
            assert_eq!(after.session, before.session + 1, "every start has its own session");
            assert_eq!(after.process_id, Some(agent.process_id));
            assert!(after.sequence >= *highest_sequence);
        }
        Event::Seen { session, news } => {
            assert_eq!((after.session, *session), (before.session, before.session), "Fenced");
            assert!(after.sequence >= news.highest_sequence);
        }
        Event::Enqueue(_) => assert_eq!(after.sequence, before.sequence + 1),
        _ => assert_eq!(after.session, before.session),
    }
    let body = serde_json::to_vec(after).expect("a mailbox is plain data");
    assert!(body.len() <= MAX_ITEM_BYTES || matches!(event, Event::Quarantine(_)), "{} bytes", body.len());
    assert_eq!(serde_json::from_slice::<Mailbox>(&body).ok().as_ref(), Some(after), "it is read as it was written");
}

fn paces(mailbox: &Mailbox, now: Timestamp) {
    for pacing in [Pacing::default(), Pacing::of_functions()] {
        for asked in [0, 25, u16::MAX] {
            let next = pacing.next_check_in_seconds(mailbox, asked, now);
            assert!(next <= pacing.idle_interval_seconds, "no host is silenced");
            assert!(next > 0 || pacing.hold_seconds(asked) > 0, "no host spins");
        }
        let online = pacing.is_online(mailbox, now);
        assert!(online || mailbox.last_seen_at != Some(now), "who was just heard from is there");
        assert!(
            online || pacing.presence_is_due(mailbox, now),
            "who counts as offline is written down when heard from"
        );
    }
}
