//! The host at a position of a fleet update.

use muster_domain::{
    changes::Change,
    fleet_updates::hosts::{Event, FleetUpdateHost},
    machine::Machine as _,
    retention::Retention,
};
use muster_schemas::ids::FleetUpdateId;

use super::{Record, fleet_updates};
use crate::store::{IndexEntry, Key, keys::due};

/// Where the host at a position of a fleet update lives.
pub fn key(id: FleetUpdateId, position: u32) -> Key {
    Key::new(fleet_updates::partition(id), format!("host#{position:08}"))
}

impl Record for FleetUpdateHost {
    const NOUN: &'static str = "host of this fleet update";
    type Id = (FleetUpdateId, u32);

    fn key((id, position): &(FleetUpdateId, u32)) -> Key {
        key(*id, *position)
    }

    fn found_by(&self, _: &Retention) -> Vec<IndexEntry> {
        let what = format!("{}-{}", self.place.fleet_update_id, self.place.position);
        self.due_at().map(|at| due(at, what)).into_iter().collect()
    }

    fn topic((id, _): &(FleetUpdateId, u32)) -> Option<String> {
        Some(id.to_string())
    }

    fn due(key: &Key) -> Option<Change> {
        let position = key.sort.strip_prefix("host#")?.parse().ok()?;
        Some(Change::FleetUpdateHost(fleet_updates::id(key)?, position, Event::Tick))
    }
}
