//! Views of fleet updates: what operators see beyond the record itself.

use std::cmp::Reverse;

use muster_domain::fleet_updates::{FleetUpdate, brings, hosts::FleetUpdateHost};
use muster_schemas::{access::Role, fleet_updates::FleetUpdateView, ids::FleetUpdateId};

use crate::{
    api::{lists::List, problem::Failure},
    app::App,
    records,
    store::{Consistency, Versioned},
};

/// How many hosts in flight are shown with a fleet update.
const MAX_SHOWN_IN_FLIGHT: usize = 100;

/// How many of the newest are looked at for those that are not over.
const MAX_LOOKED_AT: usize = 20;

/// The newest that are not over.
pub async fn open(app: &App) -> Result<Vec<FleetUpdateId>, Failure> {
    let (newest, _) = List::all("fleet-updates").before::<FleetUpdate>(app, None, MAX_LOOKED_AT).await?;
    let open = newest.into_iter().map(|(_, found)| found.record).filter(|record| record.ended_at.is_none());
    Ok(open.map(|record| record.id).collect())
}

/// Those that are not over, newest first: the one that has the lock, and of those that were known to be open those that still
/// are. One that has halted has no lock.
pub async fn active(app: &App, role: Role, known: &[FleetUpdateId]) -> Result<Vec<FleetUpdateView>, Failure> {
    let holder = holder(app).await?;
    let others = known.iter().filter(|id| holder.as_ref().is_none_or(|holder| holder.record.id != **id));
    let others = others.map(|id| records::fleet_updates::key(*id)).collect::<Vec<_>>();
    let others = app.load_many::<FleetUpdate>(&others).await?.into_iter().flatten();
    let others = others.filter(|found| found.record.ended_at.is_none());
    let mut open = holder.into_iter().chain(others).collect::<Vec<_>>();
    open.sort_by_key(|found| Reverse(found.record.id));
    let mut views = Vec::with_capacity(open.len());
    for found in open {
        views.push(view(app, found, role).await?);
    }
    Ok(views)
}

/// The one that has the lock, however many were started since.
pub async fn holder(app: &App) -> Result<Option<Versioned<FleetUpdate>>, Failure> {
    let holder = app.load::<String>(&records::locks::key(brings::releases::LOCK), Consistency::Strong).await?;
    let Some(id) = holder.and_then(|holder| holder.record.parse().ok()) else { return Ok(None) };
    let found = app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await?;
    // It may have ended in between.
    Ok(found.filter(|found| found.record.ended_at.is_none()))
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
