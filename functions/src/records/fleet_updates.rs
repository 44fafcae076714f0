//! A fleet update. Its hosts live in its partition.

use muster_domain::{
    changes::Change,
    fleet_updates::{Event, FleetUpdate},
    machine::Machine as _,
    retention::Retention,
};
use muster_schemas::ids::FleetUpdateId;

use super::Record;
use crate::store::{
    IndexEntry, Key,
    keys::{due, list},
};

/// Where a fleet update lives.
pub fn key(id: FleetUpdateId) -> Key {
    Key::new(partition(id), "fleet-update")
}

/// The partition of a fleet update and its hosts.
pub fn partition(id: FleetUpdateId) -> String {
    format!("fleet-update#{id}")
}

/// The fleet update in whose partition this key is.
pub fn id(key: &Key) -> Option<FleetUpdateId> {
    key.partition.strip_prefix("fleet-update#")?.parse().ok()
}

impl Record for FleetUpdate {
    const NOUN: &'static str = "fleet update";
    type Id = FleetUpdateId;

    fn key(id: &FleetUpdateId) -> Key {
        key(*id)
    }

    fn found_by(&self, _: &Retention) -> Vec<IndexEntry> {
        let always = [list("fleet-updates", self.id)];
        always.into_iter().chain(self.due_at().map(|at| due(at, self.id))).collect()
    }

    fn topic(id: &FleetUpdateId) -> Option<String> {
        Some(id.to_string())
    }

    fn due(key: &Key) -> Option<Change> {
        let id = id(key).filter(|_| key.sort == "fleet-update")?;
        Some(Change::FleetUpdate(id, Event::Tick))
    }
}
