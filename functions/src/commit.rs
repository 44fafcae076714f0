//! Commit: load, decide, write. The next state, the steps of other records that belong to it, the outbox and the audit
//! entry are one conditional write.
//!
//! Optimistic concurrency: a lost race is ordinary, and the change is loaded and decided again. Further
//! effects of a commit are handed back as follow-ups; [`crate::advance`] does them.

mod audit;

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Effect, Lock, Note, Work},
    refused::Refused,
    retention::Retention,
};
use muster_schemas::{audit::AuditEntry, ids::AuditId};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    app::App,
    records::{self, Decision, DecisionError},
    store::{Consistency, Expect, IndexEntry, Item, Key, StoreError, Versioned, Write, keys},
};

/// How often a lost race is run again.
const ATTEMPTS: u32 = 24;

/// The cause of a change, for the audit trail.
#[derive(Debug, Clone)]
pub struct Cause {
    /// `user:<id>`, `key:<id>`, `host:<id>` or `tick`.
    pub actor: String,
    /// The name of the actor, for people. Empty for hosts and the tick.
    pub name: String,
    /// The request, if one caused it.
    pub request_id: String,
    /// Where the request came from, if that is known.
    pub address: Option<IpAddr>,
}

impl Cause {
    /// The tick.
    pub fn tick() -> Self {
        Self::nobody("tick")
    }

    /// Something that is no request.
    pub fn nobody(actor: &str) -> Self {
        Self { actor: actor.into(), name: String::new(), request_id: String::new(), address: None }
    }
}

/// Why a record did not change.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The rules say no.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// Another record holds this lock.
    #[error("the lock {0} is held")]
    Locked(String),
    /// One of the caller's own writes met something else than it expected.
    #[error("a record that belongs to the change was changed in the meantime")]
    Overtaken,
    /// The record has another revision than the caller has seen.
    #[error("the record has changed in the meantime")]
    RevisionMismatch,
    /// There are too many writers at once.
    #[error("lost the race {ATTEMPTS} times")]
    Contended,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl From<DecisionError> for CommitError {
    fn from(undecided: DecisionError) -> Self {
        match undecided {
            DecisionError::Refused(refused) => Self::Refused(refused),
            DecisionError::Fault(error) => Self::Store(error),
        }
    }
}

/// The outcome of a change.
#[derive(Debug, Default)]
pub struct Commit {
    /// The records that took a step, as they are now.
    records: BTreeMap<Key, Item>,
    /// The tasks that follow.
    pub(crate) follow_ups: Vec<FollowUp>,
}

impl Commit {
    /// One of the records that took a step.
    pub fn record<M: DeserializeOwned>(&self, key: &Key) -> Result<Versioned<M>, CommitError> {
        let item = self.records.get(key).ok_or_else(|| Refused::not_found("record"))?;
        Versioned::read(item).map_err(CommitError::Store)
    }
}

/// A task that follows a commit.
#[derive(Debug, Clone)]
pub(crate) enum FollowUp {
    /// A change in the outbox, by its id there.
    Change(String, Box<Change>),
    /// Held requests that wait on this topic are answered.
    Wake(String),
    /// Work continues step by step.
    GoOn(Work),
}

/// Additions of a caller to a change.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Writes that belong to it: an idempotency record, a lookup by name.
    pub writes: Vec<Write>,
    /// The revision that the record must have before (`If-Match`).
    pub revision: Option<u64>,
    /// The record as the caller has just read it, to save a second read. It may be old: then the commit loses, and what
    /// is refused or would leave it alone is looked at again.
    pub found: Option<Item>,
}

/// Load, decide, commit; again while the race is lost.
pub(crate) async fn commit(app: &App, change: &Change, cause: &Cause, extras: &Extras) -> Result<Commit, CommitError> {
    let key = records::of(change).key;
    for attempt in 0..ATTEMPTS {
        let known = extras.found.as_ref().filter(|_| attempt == 0);
        let transaction = match Transaction::decide(app, change, cause, known).await {
            Err(CommitError::Refused(_)) if known.is_some() => continue,
            // A change that leaves the record alone loses no race, and so would never learn that the record was an old one.
            Ok(transaction) if known.is_some() && !transaction.changes(&key) => continue,
            decided => decided?,
        };
        let found = transaction.records.get(&key).and_then(|record| record.found);
        if extras.revision.is_some() && extras.revision != found {
            return Err(CommitError::RevisionMismatch);
        }
        match transaction.commit(app, &extras.writes).await {
            Err(CommitError::Contended) => app.clock.sleep_within(longest_pause(attempt)).await,
            done => return done,
        }
    }
    Err(CommitError::Contended)
}

/// Writes records without a life: accounts, keys, sessions, figures. All of them or none.
pub async fn keep(app: &App, writes: Vec<Write>) -> Result<(), StoreError> {
    app.table.commit(writes, rand::random()).await
}

/// Whether the store is fit to serve: undamaged as far as is known, and it took a write lately or takes one now. Writes at most
/// once in ten seconds, however often it is asked.
pub async fn is_store_well(app: &App) -> Result<(), StoreError> {
    app.health.undamaged()?;
    if app.health.is_proven() {
        return Ok(());
    }
    keep(app, vec![put(Key::new("health", "probe"), 1, Vec::new(), &(), Expect::Any)]).await
}

/// The same as [`keep`], with an entry of the audit trail.
pub async fn keep_audited(app: &App, writes: Vec<Write>, note: Note, cause: &Cause) -> Result<(), StoreError> {
    keep_all_audited(app, writes, vec![note], cause).await
}

/// The same, with entries of the audit trail.
pub async fn keep_all_audited(
    app: &App,
    mut writes: Vec<Write>,
    notes: Vec<Note>,
    cause: &Cause,
) -> Result<(), StoreError> {
    let entries = notes.into_iter().map(|note| audit::entry(note, cause, app.now())).collect::<Vec<_>>();
    writes.extend(entries.iter().map(|entry| audit::write(entry, &app.settings.retention)));
    keep(app, writes).await?;
    entries.iter().for_each(audit::log);
    Ok(())
}

/// The same, with an entry of the audit trail that counts: it was written before, and says more now.
pub async fn keep_counted(
    app: &App,
    mut writes: Vec<Write>,
    (id, at): (AuditId, Timestamp),
    note: Note,
    cause: &Cause,
) -> Result<(), StoreError> {
    let entry = AuditEntry { id, ..audit::entry(note, cause, at) };
    writes.push(audit::write(&entry, &app.settings.retention));
    keep(app, writes).await
}

/// A write of a record as JSON.
pub fn put(key: Key, revision: u64, indexes: Vec<IndexEntry>, record: &impl Serialize, expect: Expect) -> Write {
    let body = serde_json::to_vec(record).expect("records are plain data");
    Write::Put { item: Item { key, revision, expires_at: None, indexes, body }, expect }
}

/// A record that takes a step.
struct RecordStep {
    /// Its revision as found; absent when there was no such record.
    found: Option<u64>,
    /// The record as it will be.
    item: Item,
    /// The topic that held requests for it wait on.
    topic: Option<String>,
}

impl RecordStep {
    fn is_changed(&self) -> bool {
        self.found != Some(self.item.revision)
    }

    fn expect(&self) -> Expect {
        self.found.map_or(Expect::Absent, Expect::Revision)
    }
}

/// By whom and when a change is made, and how long what it leaves is kept.
struct Occasion<'a> {
    cause: &'a Cause,
    retention: &'a Retention,
    parts_expire_at: Option<Timestamp>,
    now: Timestamp,
}

/// All that one change writes, in the making.
#[derive(Default)]
struct Transaction {
    records: BTreeMap<Key, RecordStep>,
    writes: Vec<Write>,
    locks: Vec<String>,
    follow_ups: Vec<FollowUp>,
    /// Entries of the audit trail that have a line in the log.
    logged: Vec<AuditEntry>,
}

impl Transaction {
    async fn decide(app: &App, change: &Change, cause: &Cause, known: Option<&Item>) -> Result<Self, CommitError> {
        let now = app.now();
        let mut transaction = Self::default();
        // In the order they were asked for: two steps of one record must not change places.
        let mut changes = VecDeque::from([change.clone()]);
        while let Some(change) = changes.pop_front() {
            let transition = records::of(&change);
            let key = transition.key.clone();
            let (found, current) = if let Some(RecordStep { found, item, .. }) = transaction.records.remove(&key) {
                (found, Some(item))
            } else if let Some(item) = known.filter(|item| item.key == key) {
                (Some(item.revision), Some(item.clone()))
            } else {
                let item = app.table.get(&key, Consistency::Strong).await.map_err(CommitError::Store)?;
                (item.as_ref().map(|item| item.revision), item)
            };
            let retention = &app.settings.retention;
            let decision = transition.decide(current.as_ref(), retention, now)?;
            let Decision { body, indexes, expires_at, parts_expire_at, effects } = decision;
            let unchanged = current.is_some_and(|item| found == Some(item.revision) && item.body == body);
            let revision = found.unwrap_or(0) + u64::from(!unchanged);
            let item = Item { key: key.clone(), revision, expires_at, indexes, body };
            let topic = transition.topic;
            transaction.records.insert(key, RecordStep { found, item, topic });
            for effect in effects {
                transaction.take(effect, &mut changes, &Occasion { cause, retention, parts_expire_at, now });
            }
        }
        Ok(transaction)
    }

    fn take(&mut self, effect: Effect, changes: &mut VecDeque<Change>, occasion: &Occasion<'_>) {
        let Occasion { cause, retention, parts_expire_at, now } = *occasion;
        match effect {
            Effect::Also(change) => changes.push_back(change),
            Effect::Later(change) => {
                // Those of one commit are found in the order in which they were decided.
                let number = self.follow_ups.len();
                let id = format!("{}-{number:04}-{:032x}", keys::due_sort(now), rand::random::<u128>());
                let indexes = vec![keys::due(now, format_args!("outbox-{id}"))];
                self.writes.push(put(records::outbox::key(&id), 1, indexes, &change, Expect::Absent));
                self.follow_ups.push(FollowUp::Change(id, Box::new(change)));
            }
            Effect::Wake(host) => self.follow_ups.push(FollowUp::Wake(host.to_string())),
            Effect::GoOn(work) => self.follow_ups.push(FollowUp::GoOn(work)),
            Effect::Audit(note) => {
                let entry = audit::entry(note, cause, now);
                self.writes.push(audit::write(&entry, retention));
                self.logged.extend(audit::is_logged(&entry).then_some(entry));
            }
            Effect::Log { job, offset, piece } => {
                let piece = put(records::jobs::log(job, offset), 1, Vec::new(), &piece, Expect::Any);
                self.writes.push(piece.removed_at(parts_expire_at));
            }
            Effect::Lock(Lock { name, holder }) => {
                self.writes.push(put(records::locks::key(&name), 1, Vec::new(), &holder, Expect::Absent));
                self.locks.push(name);
            }
            Effect::Unlock(Lock { name, .. }) => {
                self.writes.push(Write::Delete { key: records::locks::key(&name), expect: Expect::Any });
            }
        }
    }

    fn changes(&self, key: &Key) -> bool {
        self.records.get(key).is_some_and(RecordStep::is_changed)
    }

    async fn commit(self, app: &App, extra: &[Write]) -> Result<Commit, CommitError> {
        let extra = self.unless_a_step(extra)?;
        let Self { records, writes, locks, mut follow_ups, logged } = self;
        let changed = records.values().filter(|record| record.is_changed());
        let states = changed.clone().map(|record| Write::Put { item: record.item.clone(), expect: record.expect() });
        let states = states.collect::<Vec<_>>();
        let (raced, extras) = (states.len(), states.len() + extra.len());
        let all = [states, extra, writes].concat();
        follow_ups.extend(changed.filter_map(|record| record.topic.clone()).map(FollowUp::Wake));
        if !all.is_empty() {
            app.table.commit(all, rand::random()).await.map_err(|error| match error {
                StoreError::Stale { write } if write < raced => CommitError::Contended,
                StoreError::Stale { write } if write < extras => CommitError::Overtaken,
                StoreError::Stale { .. } => {
                    locks.into_iter().next().map_or(CommitError::Contended, CommitError::Locked)
                }
                fault => CommitError::Store(fault),
            })?;
        }
        logged.iter().for_each(audit::log);
        let records = records.into_iter().map(|(key, record)| (key, record.item)).collect();
        Ok(Commit { records, follow_ups })
    }

    /// A caller's check of a record that takes a step itself is made here, against what was found: a commit has one
    /// write per record.
    fn unless_a_step(&self, extra: &[Write]) -> Result<Vec<Write>, CommitError> {
        let mut left = Vec::new();
        for write in extra {
            match write {
                Write::Check { key, expect } if self.changes(key) => {
                    if self.records.get(key).map(RecordStep::expect) != Some(*expect) {
                        return Err(CommitError::Overtaken);
                    }
                }
                _ => left.push(write.clone()),
            }
        }
        Ok(left)
    }
}

/// Grows with the number of lost races.
fn longest_pause(attempt: u32) -> Duration {
    Duration::from_millis(1 << attempt.min(6))
}
