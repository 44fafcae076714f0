//! Views of fleet updates: what operators see beyond the record itself.

use muster_domain::fleet_updates::{FleetUpdate, brings, hosts::FleetUpdateHost};
use muster_schemas::{access::Role, fleet_updates::FleetUpdateView, ids::FleetUpdateId};

use crate::{
    api::problem::Failure,
    app::App,
    records,
    store::{Consistency, Versioned},
};

/// How many hosts in flight are shown with a fleet update.
const MAX_SHOWN_IN_FLIGHT: usize = 100;

/// Those that are not over: the one that has the lock.
pub async fn active(app: &App, role: Role) -> Result<Vec<FleetUpdateView>, Failure> {
    let holder = app.load::<String>(&records::locks::key(brings::releases::LOCK), Consistency::Strong).await?;
    let Some(id) = holder.and_then(|holder| holder.record.parse().ok()) else { return Ok(Vec::new()) };
    let found = app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await?;
    // It may have ended in between.
    let Some(found) = found.filter(|found| found.record.ended_at.is_none()) else { return Ok(Vec::new()) };
    Ok(vec![view(app, found, role).await?])
}

/// A fleet update as operators of this role see it.
pub async fn view(app: &App, found: Versioned<FleetUpdate>, role: Role) -> Result<FleetUpdateView, Failure> {
    let Versioned { record, revision } = found;
    let in_flight = hosts_at(app, record.id, record.slots.iter().take(MAX_SHOWN_IN_FLIGHT)).await?;
    let in_flight = in_flight.into_iter().map(|host| host.host_id).collect();
    Ok(record.view(role, app.now(), revision, in_flight))
}

/// The hosts at these positions.
pub async fn hosts_at(
    app: &App,
    id: FleetUpdateId,
    positions: impl IntoIterator<Item = &u32>,
) -> Result<Vec<FleetUpdateHost>, Failure> {
    let keys =
        positions.into_iter().map(|position| records::fleet_update_hosts::key(id, *position)).collect::<Vec<_>>();
    Ok(app.load_many(&keys).await?.into_iter().flatten().map(|host| host.record).collect())
}
