//! A job, and its log in pieces.

use muster_domain::{
    changes::Change,
    jobs::{Event, Job},
    machine::Machine as _,
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

    fn found_by(&self) -> Vec<IndexEntry> {
        let always = [list("jobs", self.id), owned(hosts::partition(self.host_id), self.id)];
        always.into_iter().chain(self.due_at().map(|at| due(at, self.id))).collect()
    }

    fn topic(id: &JobId) -> Option<String> {
        Some(id.to_string())
    }

    fn due(key: &Key) -> Option<Change> {
        let id = key.partition.strip_prefix("job#").filter(|_| key.sort == "job")?;
        Some(Change::Job(id.parse().ok()?, Event::Tick))
    }
}
