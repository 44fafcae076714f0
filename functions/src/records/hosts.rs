//! A host's description, and the lookup of a host by its public key.

use muster_domain::{hosts::Host, retention::Retention};
use muster_schemas::{ids::HostId, problems::ProblemCode};

use super::Record;
use crate::{
    polls,
    store::{IndexEntry, Key, keys::list},
};

/// Where a host's description lives.
pub fn key(id: HostId) -> Key {
    Key::new(partition(id), "host")
}

/// The partition of all that belongs to a host.
pub fn partition(id: HostId) -> String {
    format!("host#{id}")
}

/// Where the id of the host with this public key is written down.
pub fn by_public_key(public_key_sha256: &str) -> Key {
    Key::new(format!("host-key#{public_key_sha256}"), "host-key")
}

impl Record for Host {
    const NOUN: &'static str = "host";
    const ABSENT: ProblemCode = ProblemCode::HostNotFound;
    type Id = HostId;

    fn key(id: &HostId) -> Key {
        key(*id)
    }

    fn found_by(&self, _: &Retention) -> Vec<IndexEntry> {
        vec![list("hosts", self.id)]
    }

    fn topic(id: &HostId) -> Option<String> {
        Some(polls::page_of_host(id))
    }
}
