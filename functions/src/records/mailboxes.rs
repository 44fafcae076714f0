//! A host's mailbox: the one item that an idle check-in reads.

use muster_domain::mailboxes::Mailbox;
use muster_schemas::{ids::HostId, problems::ProblemCode};

use super::{Record, hosts};
use crate::{polls, store::Key};

/// Where a host's mailbox lives.
pub fn key(id: HostId) -> Key {
    Key::new(hosts::partition(id), "mailbox")
}

impl Record for Mailbox {
    const NOUN: &'static str = "host";
    const ABSENT: ProblemCode = ProblemCode::HostNotFound;
    type Id = HostId;

    fn key(id: &HostId) -> Key {
        key(*id)
    }

    fn topic(id: &HostId) -> Option<String> {
        Some(polls::page_of_host(id))
    }
}
