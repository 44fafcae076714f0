//! Advance: the only way a record with a life changes.
//!
//! Load, decide, commit: the next state, the steps of other records that belong to it, the outbox and the audit entry
//! are one conditional write. A lost race is ordinary: load and decide again. What follows a commit is done by
//! [`crate::effects`]; a caller that goes away in the middle leaves it to the tick.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Effect, Lock, Note},
    machine::Machine,
    refused::Refused,
};
use muster_schemas::{
    audit::AuditEntry,
    ids::{AuditId, FleetUpdateId},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    app::{App, Versioned},
    effects, polls,
    store::{Consistency, Expect, IndexEntry, Item, Key, StoreError, Write, keys, keys::Found},
};

/// How often a lost race is run again.
const ATTEMPTS: u32 = 24;

/// Who causes a change.
#[derive(Debug, Clone)]
pub struct Cause {
    /// `user:<id>`, `key:<id>`, `host:<id>` or `tick`.
    pub actor: String,
    /// What people call it. Empty for hosts and the tick.
    pub name: String,
    /// The request, if one caused it.
    pub request_id: String,
}

impl Cause {
    /// The tick.
    pub fn tick() -> Self {
        Self { actor: "tick".into(), name: String::new(), request_id: String::new() }
    }
}

/// Why a record did not change.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// By the rules.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// Another one holds the lock.
    #[error("the lock {0} is held by another")]
    Locked(&'static str),
    /// One of the caller's own writes met something else than it expected.
    #[error("a write that belongs to the change met something else than it expected")]
    Overtaken,
    /// The record has another revision than the caller has seen.
    #[error("the record has changed in the meantime")]
    RevisionMismatch,
    /// Too many writers at once.
    #[error("lost the race {ATTEMPTS} times")]
    Contended,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

/// What came of a change.
#[derive(Debug, Default)]
pub struct Advanced {
    /// The records that took a step, as they are now.
    records: BTreeMap<Key, Item>,
    /// What follows.
    pub(crate) follow_ups: Vec<FollowUp>,
}

impl Advanced {
    /// One of the records that took a step.
    pub fn record<M: DeserializeOwned>(&self, key: &Key) -> Result<Versioned<M>, AdvanceError> {
        let item = self.records.get(key).ok_or_else(|| Refused::not_found("record"))?;
        Versioned::read(item).map_err(AdvanceError::Store)
    }
}

/// What is done after a commit.
#[derive(Debug, Clone)]
pub(crate) enum FollowUp {
    /// A change in the outbox, by its id there.
    Change(String, Box<Change>),
    /// A held poll is answered.
    Wake(String),
    /// A fleet update's next hosts get their place or are offered the release.
    GoOn(FleetUpdateId),
}

/// Changes a record and all that belongs to it, then does what follows.
pub async fn advance(app: &App, change: Change, cause: &Cause) -> Result<Advanced, AdvanceError> {
    advance_with(app, change, cause, Own::default()).await
}

/// What a caller adds to a change.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Writes that belong to it: an idempotency record, a lookup by name.
    pub writes: Vec<Write>,
    /// The revision that the record must have before (`If-Match`).
    pub revision: Option<u64>,
    /// The record as the caller has just read it, to save a second read. It may be old: then the commit loses, and what
    /// is refused or would leave it alone is looked at again.
    pub found: Option<Item>,
}

/// The same, with what the caller adds.
pub async fn advance_with(app: &App, change: Change, cause: &Cause, own: Own) -> Result<Advanced, AdvanceError> {
    let (app, cause) = (app.clone(), cause.clone());
    // In a task of its own: a client that goes away must not drop the answer to a host's held poll.
    let work = app.clone().tasks.spawn(async move {
        let mut advanced = commit(&app, &change, &cause, &own).await?;
        effects::follow_up(&app, &cause, std::mem::take(&mut advanced.follow_ups)).await;
        Ok(advanced)
    });
    work.await.unwrap_or_else(|panic| Err(AdvanceError::Store(fault("finish a change", panic))))
}

/// Load, decide, commit; again while the race is lost.
pub(crate) async fn commit(app: &App, change: &Change, cause: &Cause, own: &Own) -> Result<Advanced, AdvanceError> {
    for attempt in 0..ATTEMPTS {
        let known = own.found.as_ref().filter(|_| attempt == 0);
        let key = keys::of_change(change);
        let draft = match Draft::decide(app, change, cause, known).await {
            Err(AdvanceError::Refused(_)) if known.is_some() => continue,
            // What leaves the record alone has no race to lose by which it would learn that it was an old one.
            Ok(draft) if known.is_some() && !draft.changes(&key) => continue,
            decided => decided?,
        };
        let found = draft.records.get(&key).and_then(|(found, _)| *found);
        if own.revision.is_some() && own.revision != found {
            return Err(AdvanceError::RevisionMismatch);
        }
        match draft.commit(app, &own.writes).await {
            Err(AdvanceError::Contended) => app.clock.sleep_within(longest_pause(attempt)).await,
            done => return done,
        }
    }
    Err(AdvanceError::Contended)
}

/// An entry of the audit trail that no change of a life makes.
pub fn audit_write(note: Note, cause: &Cause, at: Timestamp) -> Write {
    let Note { action, subject, detail, alert } = note;
    let entry = AuditEntry {
        id: AuditId::new(at, rand::random()),
        at,
        actor: cause.actor.clone(),
        actor_name: cause.name.clone(),
        action: action.into(),
        subject,
        detail,
        alert,
        request_id: cause.request_id.clone(),
    };
    let indexes = vec![keys::list("audit", entry.id), keys::owned(format_args!("audit#{}", entry.subject), entry.id)];
    put(keys::audit(&entry), 1, indexes, &entry, Expect::Any)
}

/// A write of a record as JSON.
pub fn put(key: Key, revision: u64, indexes: Vec<IndexEntry>, record: &impl Serialize, expect: Expect) -> Write {
    let body = serde_json::to_vec(record).expect("records are plain data");
    Write::Put { item: Item { key, revision, expires_at: None, indexes, body }, expect }
}

/// All that one change writes, in the making.
#[derive(Default)]
struct Draft {
    /// Records that take a step: as found, and as they will be.
    records: BTreeMap<Key, (Option<u64>, Item)>,
    writes: Vec<Write>,
    locks: Vec<&'static str>,
    follow_ups: Vec<FollowUp>,
}

impl Draft {
    async fn decide(app: &App, change: &Change, cause: &Cause, known: Option<&Item>) -> Result<Self, AdvanceError> {
        let now = app.now();
        let mut draft = Self::default();
        // In the order they were asked for: two steps of one record must not change places.
        let mut changes = VecDeque::from([change.clone()]);
        while let Some(change) = changes.pop_front() {
            let key = keys::of_change(&change);
            let (found, current) = if let Some((found, item)) = draft.records.remove(&key) {
                (found, Some(item))
            } else if let Some(item) = known.filter(|item| item.key == key) {
                (Some(item.revision), Some(item.clone()))
            } else {
                let item = app.table.get(&key, Consistency::Strong).await.map_err(AdvanceError::Store)?;
                (item.as_ref().map(|item| item.revision), item)
            };
            let Stepped { body, indexes, effects } = step(&change, current.as_ref(), now)?;
            let unchanged = current.is_some_and(|item| found == Some(item.revision) && item.body == body);
            let revision = found.unwrap_or(0) + u64::from(!unchanged);
            draft.records.insert(key.clone(), (found, Item { key, revision, expires_at: None, indexes, body }));
            for effect in effects {
                draft.take(effect, &mut changes, cause, now);
            }
        }
        Ok(draft)
    }

    fn take(&mut self, effect: Effect, changes: &mut VecDeque<Change>, cause: &Cause, now: Timestamp) {
        match effect {
            Effect::Also(change) => changes.push_back(change),
            Effect::Later(change) => {
                // Those of one commit are found in the order in which they were decided.
                let number = self.follow_ups.len();
                let id = format!("{}-{number:04}-{:032x}", keys::due_sort(now), rand::random::<u128>());
                let indexes = vec![keys::due(now, format_args!("outbox-{id}"))];
                self.writes.push(put(keys::outbox(&id), 1, indexes, &change, Expect::Absent));
                self.follow_ups.push(FollowUp::Change(id, Box::new(change)));
            }
            Effect::Wake(host) => self.follow_ups.push(FollowUp::Wake(host.to_string())),
            Effect::GoOn(id) => self.follow_ups.push(FollowUp::GoOn(id)),
            Effect::Audit(note) => self.writes.push(audit_write(note, cause, now)),
            Effect::Log { job, offset, text } => {
                self.writes.push(put(keys::log(job, offset), 1, Vec::new(), &text, Expect::Any));
            }
            Effect::Lock(Lock { name, holder }) => {
                self.locks.push(name);
                self.writes.push(put(keys::lock(name), 1, Vec::new(), &holder, Expect::Absent));
            }
            Effect::Unlock(Lock { name, .. }) => {
                self.writes.push(Write::Delete { key: keys::lock(name), expect: Expect::Any });
            }
        }
    }

    fn changes(&self, key: &Key) -> bool {
        self.records.get(key).is_some_and(|(found, item)| *found != Some(item.revision))
    }

    async fn commit(self, app: &App, own: &[Write]) -> Result<Advanced, AdvanceError> {
        let Self { records, writes, locks, mut follow_ups } = self;
        let changed = |(found, item): &&(Option<u64>, Item)| *found != Some(item.revision);
        let states = records.values().filter(changed).map(|(found, item)| {
            let expect = found.map_or(Expect::Absent, Expect::Revision);
            Write::Put { item: item.clone(), expect }
        });
        let states = states.collect::<Vec<_>>();
        let own = unless_a_step(&records, own)?;
        let (raced, owned) = (states.len(), states.len() + own.len());
        let all = [states, own, writes].concat();
        // Whoever waits for a change of one of these records hears of it.
        follow_ups.extend(records.values().filter(changed).filter_map(|(_, item)| waited_for(&item.key)));
        if !all.is_empty() {
            app.table.commit(all, rand::random()).await.map_err(|error| match error {
                StoreError::Stale { write } if write < raced => AdvanceError::Contended,
                StoreError::Stale { write } if write < owned => AdvanceError::Overtaken,
                StoreError::Stale { .. } => {
                    locks.first().map_or(AdvanceError::Contended, |name| AdvanceError::Locked(name))
                }
                fault => AdvanceError::Store(fault),
            })?;
        }
        let records = records.into_iter().map(|(key, (_, item))| (key, item)).collect();
        Ok(Advanced { records, follow_ups })
    }
}

/// A caller's check of a record that takes a step itself is made here, against what was found: a commit has one write
/// per record.
fn unless_a_step(records: &BTreeMap<Key, (Option<u64>, Item)>, own: &[Write]) -> Result<Vec<Write>, AdvanceError> {
    let mut left = Vec::new();
    for write in own {
        match write {
            Write::Check { key, expect }
                if records.get(key).is_some_and(|(found, item)| *found != Some(item.revision)) =>
            {
                let found = records.get(key).and_then(|(found, _)| *found);
                if *expect != found.map_or(Expect::Absent, Expect::Revision) {
                    return Err(AdvanceError::Overtaken);
                }
            }
            _ => left.push(write.clone()),
        }
    }
    Ok(left)
}

/// What whoever looks at a record with `?wait=` waits for.
fn waited_for(key: &Key) -> Option<FollowUp> {
    let topic = match key.partition.split_once('#')? {
        ("job" | "fleet-update", id) => id.into(),
        ("host", id) => polls::looks_at(id),
        ("release", _) => polls::RELEASES.into(),
        _ => return None,
    };
    Some(FollowUp::Wake(topic))
}

struct Stepped {
    body: Vec<u8>,
    indexes: Vec<IndexEntry>,
    effects: Vec<Effect>,
}

fn step(change: &Change, current: Option<&Item>, now: Timestamp) -> Result<Stepped, AdvanceError> {
    use muster_domain::{
        enrollment_tokens::EnrollmentToken, fleet_update_hosts::FleetUpdateHost, fleet_updates::FleetUpdate,
        hosts::Host, jobs::Job, mailboxes::Mailbox, releases::Release,
    };
    match change {
        Change::Host(_, event) => step_of::<Host>(event, current, now),
        Change::Mailbox(_, event) => step_of::<Mailbox>(event, current, now),
        Change::Job(_, event) => step_of::<Job>(event, current, now),
        Change::EnrollmentToken(_, event) => step_of::<EnrollmentToken>(event, current, now),
        Change::Release(_, event) => step_of::<Release>(event, current, now),
        Change::FleetUpdate(_, event) => step_of::<FleetUpdate>(event, current, now),
        Change::FleetUpdateHost(_, _, event) => step_of::<FleetUpdateHost>(event, current, now),
    }
}

fn step_of<M: Machine + Found>(
    event: &M::Event,
    current: Option<&Item>,
    now: Timestamp,
) -> Result<Stepped, AdvanceError> {
    let current = current.map(Versioned::<M>::read).transpose().map_err(AdvanceError::Store)?;
    let step = match current {
        Some(current) => current.record.transition(event, now)?,
        None => M::begin(event, now)?,
    };
    let body = serde_json::to_vec(&step.next).map_err(|error| AdvanceError::Store(fault("write a record", error)))?;
    Ok(Stepped { body, indexes: step.next.found_by(), effects: step.effects })
}

fn fault(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Fault { doing, source: Box::new(source) }
}

/// Grows with the number of lost races.
fn longest_pause(attempt: u32) -> Duration {
    Duration::from_millis(1 << attempt.min(6))
}
