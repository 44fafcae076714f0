//! A host's mailbox: the one item that an idle check-in reads.

use muster_domain::{mailboxes::Mailbox, retention::Retention};
use muster_schemas::{ids::HostId, problems::ProblemCode};

use super::{Record, hosts};
use crate::{
    polls,
    store::{IndexEntry, Key, keys::due},
};

/// Where a host's mailbox lives.
pub fn key(id: HostId) -> Key {
    Key::new(hosts::partition(id), "mailbox")
}

/// The host whose mailbox has this key.
pub fn id(key: &Key) -> Option<HostId> {
    key.partition.strip_prefix("host#").filter(|_| key.sort == "mailbox")?.parse().ok()
}

impl Record for Mailbox {
    const NOUN: &'static str = "host";
    const ABSENT: ProblemCode = ProblemCode::HostNotFound;
    type Id = HostId;

    fn key(id: &HostId) -> Key {
        key(*id)
    }

    /// A retired host is removed by the tick, with all that belongs to it.
    fn found_by(&self, retention: &Retention) -> Vec<IndexEntry> {
        let removed_at = self.retired_at.and_then(|at| retention.host_until(at));
        removed_at.map(|at| due(at, self.host_id)).into_iter().collect()
    }

    fn topic(id: &HostId) -> Option<String> {
        Some(polls::page_of_host(id))
    }
}
