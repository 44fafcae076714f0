//! Journal replay: the state that the journal's entries add up to.
//!
//! ```text
//! (unknown) ──Received──▶ received ──Started──▶ started ──Finished──▶ finished ──Acknowledged──▶ remembered for a while
//!     │                       └───────────Finished (refused, cancelled)───▲
//!     └──Cancelled (never received: a tombstone, and `cancelled` is its result)
//! ```
//!
//! A Started or Finished without a Received belongs to a job whose frame was lost, or whose result is only sent again: it is
//! never run.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use muster_schemas::{
    commands::Command,
    ids::JobId,
    jobs::{HIDDEN, JobResult, Outcome},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// So many cancelled jobs that never came are remembered.
const TOMBSTONES: usize = 1024;
/// So many results are remembered after the server has them.
const REMEMBERED: usize = 256;
/// So many resources have a newest generation. None is forgotten, or an older job could start on it.
const RESOURCES: usize = 1024;
/// The member of a spec that brings secrets.
const SECRETS: &str = "secret_environment";
/// A result with more detail than this is remembered without any.
const REMEMBERED_DETAIL_BYTES: usize = 1024;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The summary of ended jobs that a compaction keeps.
    Base {
        /// The highest sequence ever received.
        floor: u64,
        /// By resource: the newest generation started, and by which job.
        generations: BTreeMap<String, Generation>,
        /// Jobs that were cancelled before they came.
        tombstones: VecDeque<JobId>,
        /// Results that the server has.
        remembered: VecDeque<(JobId, JobResult)>,
        /// The newest job whose result is not remembered any more. Absent: none was forgotten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forgotten: Option<JobId>,
    },
    /// A job has come.
    Received {
        /// All of it.
        command: Box<Command>,
    },
    /// A job was cancelled that has not come.
    Cancelled {
        /// The job.
        id: JobId,
        /// When, by the host's clock.
        at: Timestamp,
    },
    /// A job is about to have its first effect.
    Started {
        /// The job.
        id: JobId,
        /// When, by the host's clock.
        at: Timestamp,
    },
    /// A job is over.
    Finished {
        /// The job.
        id: JobId,
        /// How it ended.
        result: Box<JobResult>,
    },
    /// The server has lost the result: it is to be told again.
    Recalled {
        /// The job.
        id: JobId,
    },
    /// The server has the result.
    Acknowledged {
        /// The job.
        id: JobId,
    },
    /// Written by a newer agent.
    #[serde(other)]
    Unknown,
}

/// The newest generation started on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number.
    pub generation: u64,
    /// The job that started it.
    pub job: JobId,
}

/// A job that the server does not have the result of yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The job as it came. Absent for one that is only told about: cancelled before it came, recalled, or its frame was lost.
    pub command: Option<Command>,
    /// How far it is.
    pub stage: Stage,
    /// When it was started, by the host's clock.
    pub started_at: Option<Timestamp>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// On disk.
    Received,
    /// It may have had effects.
    Started,
    /// Over.
    Finished(Box<JobResult>),
}

/// The state in the journal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    floor: u64,
    generations: BTreeMap<String, Generation>,
    tombstones: VecDeque<JobId>,
    remembered: VecDeque<(JobId, JobResult)>,
    forgotten: Option<JobId>,
    jobs: BTreeMap<JobId, Record>,
}

/// A job of which nothing is known but that it was here.
const UNKNOWN: Record = Record { command: None, stage: Stage::Started, started_at: None };

impl Ledger {
    /// The highest sequence ever received.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Jobs that the server does not have the result of, by id.
    pub fn jobs(&self) -> &BTreeMap<JobId, Record> {
        &self.jobs
    }

    /// The result of a job that the server had acknowledged already.
    pub fn remembered(&self, id: JobId) -> Option<&JobResult> {
        self.remembered.iter().find(|(known, _)| *known == id).map(|(_, result)| result)
    }

    /// Whether a job was cancelled before it came.
    pub fn is_tombstone(&self, id: JobId) -> bool {
        self.tombstones.contains(&id)
    }

    /// Whether what became of this job may have been known here once, and is not any more.
    pub fn may_be_forgotten(&self, id: JobId) -> bool {
        self.forgotten.is_some_and(|newest| id <= newest) && !self.is_tombstone(id)
    }

    /// Whether there is no room to remember the generation that this job would start.
    pub fn is_full_for(&self, command: &Command) -> bool {
        let is_new = |resource: &String| !self.generations.contains_key(resource);
        command.generation > 0 && self.generations.len() >= RESOURCES && command.resource.as_ref().is_some_and(is_new)
    }

    /// Whether starting this job would go back behind what was started on its resource.
    pub fn is_outdated(&self, command: &Command) -> bool {
        let newest = command.resource.as_ref().and_then(|resource| self.generations.get(resource));
        newest.is_some_and(|newest| match command.generation {
            // Not numbered.
            0 => false,
            generation if generation == newest.generation => newest.job != command.id,
            generation => generation < newest.generation,
        })
    }

    /// Whether this entry ends a job that has brought secrets: they are still in the journal's file then.
    pub fn leaves_secrets(&self, entry: &Entry) -> bool {
        let (Entry::Finished { id, .. } | Entry::Recalled { id }) = entry else { return false };
        let command = self.jobs.get(id).and_then(|record| record.command.as_ref());
        let secrets = command.and_then(|command| command.spec.get(SECRETS)?.as_object());
        // Those of a compacted journal are hidden already.
        secrets.is_some_and(|secrets| secrets.values().any(|value| *value != HIDDEN))
    }

    /// Takes an entry in.
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Base { floor, generations, tombstones, remembered, forgotten } => {
                self.floor = self.floor.max(floor);
                (self.generations, self.tombstones, self.remembered) = (generations, tombstones, remembered);
                self.generations.retain(|_, newest| newest.generation > 0);
                self.forgotten = self.forgotten.max(forgotten);
            }
            Entry::Received { command } => {
                self.floor = self.floor.max(command.sequence);
                let record = Record { command: Some(*command), stage: Stage::Received, started_at: None };
                let id = record.command.as_ref().map(|command| command.id);
                id.map(|id| self.jobs.entry(id).or_insert(record));
            }
            Entry::Cancelled { id, at } => self.bury(id, at),
            Entry::Started { id, at } => self.start(id, at),
            Entry::Finished { id, result } => {
                let record = self.jobs.entry(id).or_insert(UNKNOWN);
                record.stage = Stage::Finished(result);
                record.command.iter_mut().for_each(forget_secrets);
            }
            Entry::Recalled { id } => self.recall(id),
            Entry::Acknowledged { id } => self.remember(id),
            Entry::Unknown => {}
        }
    }

    /// Frames were lost: what is not finished may have been started.
    pub fn doubt(&mut self) {
        for record in self.jobs.values_mut() {
            if record.stage == Stage::Received {
                record.stage = Stage::Started;
            }
        }
    }

    /// The shortest journal that says the same.
    pub fn snapshot(&self) -> Vec<Entry> {
        let Self { floor, generations, tombstones, remembered, forgotten, jobs } = self.clone();
        let mut entries = vec![Entry::Base { floor, generations, tombstones, remembered, forgotten }];
        for (id, record) in jobs {
            let Record { command, stage, started_at } = record;
            entries.extend(command.map(|command| Entry::Received { command: Box::new(command) }));
            if let Some(at) = started_at.or((stage == Stage::Started).then_some(Timestamp::UNIX_EPOCH)) {
                entries.push(Entry::Started { id, at });
            }
            if let Stage::Finished(result) = stage {
                entries.push(Entry::Finished { id, result });
            }
        }
        entries
    }

    fn bury(&mut self, id: JobId, at: Timestamp) {
        if !self.tombstones.contains(&id) {
            self.tombstones.push_back(id);
        }
        drop_oldest(&mut self.tombstones, TOMBSTONES);
        let stage = Stage::Finished(Box::new(never_ran(at)));
        self.jobs.entry(id).or_insert(Record { command: None, stage, started_at: None });
    }

    fn start(&mut self, id: JobId, at: Timestamp) {
        let record = self.jobs.entry(id).or_insert(UNKNOWN);
        if record.stage == Stage::Received {
            record.stage = Stage::Started;
        }
        record.started_at = Some(at);
        let Some(Command { resource: Some(resource), generation: generation @ 1.., .. }) = &record.command else {
            return;
        };
        let started = Generation { generation: *generation, job: id };
        let newest = self.generations.entry(resource.clone()).or_insert(started);
        if newest.generation <= *generation {
            *newest = started;
        }
    }

    fn recall(&mut self, id: JobId) {
        let Some(position) = self.remembered.iter().position(|(known, _)| *known == id) else { return };
        if let Some((_, result)) = self.remembered.remove(position) {
            let stage = Stage::Finished(Box::new(result));
            self.jobs.entry(id).or_insert(Record { command: None, stage, started_at: None });
        }
    }

    fn remember(&mut self, id: JobId) {
        let Some(Record { stage: Stage::Finished(result), .. }) = self.jobs.remove(&id) else { return };
        let detail = result.detail.clone().filter(can_be_remembered);
        self.remembered.push_back((id, JobResult { detail, ..*result }));
        while self.remembered.len() > REMEMBERED {
            self.forgotten = self.forgotten.max(self.remembered.pop_front().map(|(id, _)| id));
        }
    }
}

/// Nobody needs the secrets of a job that is over.
fn forget_secrets(command: &mut Command) {
    if let Some(secrets) = command.spec.get_mut(SECRETS).and_then(Value::as_object_mut) {
        secrets.values_mut().for_each(|value| *value = HIDDEN.into());
    }
}

/// Small, and readable at the depth that a compaction puts it: a base that cannot be read would forget everything.
fn can_be_remembered(detail: &serde_json::Value) -> bool {
    let text = detail.to_string();
    text.len() <= REMEMBERED_DETAIL_BYTES
        && serde_json::from_str::<serde_json::Value>(&format!("[[[[{text}]]]]")).is_ok()
}

/// The result of a job that was cancelled before it came: the same whenever it is told.
fn never_ran(at: Timestamp) -> JobResult {
    JobResult::new(Outcome::Cancelled, at)
}

fn drop_oldest<T>(list: &mut VecDeque<T>, limit: usize) {
    while list.len() > limit {
        list.pop_front();
    }
}
