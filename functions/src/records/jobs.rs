//! A job, and its log in pieces.

use jiff::Timestamp;
use muster_domain::{
    changes::Change,
    jobs::{Event, Job},
    machine::Machine as _,
    retention::Retention,
};
use muster_schemas::ids::JobId;

use super::{Record, hosts};
use crate::store::{
    IndexEntry, Key,
    keys::{due, list, owned},
};

/// Where a job lives.
pub fn key(id: JobId) -> Key {
    Key::new(format!("job#{id}"), "job")
}

/// Where the piece of a job's log lives that starts at this byte.
pub fn log(id: JobId, offset: u64) -> Key {
    Key::new(format!("job#{id}"), format!("log#{offset:020}"))
}

impl Record for Job {
    const NOUN: &'static str = "job";
    type Id = JobId;

    fn key(id: &JobId) -> Key {
        key(*id)
    }

    fn found_by(&self, retention: &Retention) -> Vec<IndexEntry> {
        let always = [list("jobs", self.id), owned(hosts::partition(self.host_id), self.id)];
        // One that a fleet update ordered is removed by the tick, which sees whether that is over.
        let removed_at = self.kept_until(retention).filter(|_| self.is_of_a_fleet_update());
        let chore_at = self.chore().map(|(_, since)| since);
        let due_at = [self.due_at(), chore_at, removed_at].into_iter().flatten().min();
        always.into_iter().chain(due_at.map(|at| due(at, self.id))).collect()
    }

    fn expires_at(&self, retention: &Retention) -> Option<Timestamp> {
        self.kept_until(retention).filter(|_| !self.is_of_a_fleet_update() && self.chore().is_none())
    }

    fn parts_expire_at(&self, retention: &Retention, now: Timestamp) -> Option<Timestamp> {
        self.log_kept_until(retention, now)
    }

    fn topic(id: &JobId) -> Option<String> {
        Some(id.to_string())
    }

    fn due(key: &Key) -> Option<Change> {
        let id = key.partition.strip_prefix("job#").filter(|_| key.sort == "job")?;
        Some(Change::Job(id.parse().ok()?, Event::Tick))
    }
}
