//! The tick: looks at what is due. It takes no input, does bounded work, may run anywhere and twice at once, and leaves
//! what it could not do to the next one. With nothing due it costs one query.

use jiff::Timestamp;
use muster_domain::{changes::Change, fleet_update_hosts, fleet_updates, jobs, times::after};

use crate::{
    advance::{AdvanceError, Cause, advance},
    api::problem::chain,
    app::{App, Versioned},
    effects,
    store::{Index, Item, Order, Query, StoreError, keys},
};

/// How many due records one tick looks at.
const MAX_DUE: usize = 500;
/// How long a tick goes on at most before it begins with no other record, in seconds. The longest that one record takes is
/// as much as [`effects`] allows: together they stay below a function's limit.
const PATIENCE_SECONDS: u32 = 15;
/// How many records whose time is over one tick removes.
const MAX_EXPIRED: usize = 1_000;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Records that were due and were looked at.
    pub due: usize,
    /// Records whose time was over, removed.
    pub expired: usize,
}

/// Runs the duties once.
pub async fn run(app: &App) -> Result<Done, StoreError> {
    let now = app.now();
    let mut due = due(app, now).await?;
    // Fleet updates and their hosts last: a host that never fetched its job is offline and not lost, and its job must have
    // said so.
    due.sort_by_key(|item| item.key.partition.starts_with("fleet-update#"));
    let (stop, mut looked_at) = (after(now, PATIENCE_SECONDS), 0);
    for item in due.iter().take_while(|_| app.now() < stop) {
        looked_at += 1;
        match look_at(app, item).await {
            // Refused: somebody else has dealt with it since it was read.
            Ok(()) | Err(AdvanceError::Refused(_)) => {}
            Err(error) => tracing::warn!("A duty is left to the next tick: {}", chain(&error)),
        }
    }
    let expired = app.table.expire(now, MAX_EXPIRED).await?;
    Ok(Done { due: looked_at, expired })
}

async fn due(app: &App, now: Timestamp) -> Result<Vec<Item>, StoreError> {
    // Up to now, itself included: `$` sorts right behind the `#` that ends the time.
    let to = format!("{}$", keys::due_sort(now));
    let query = Query {
        partition: keys::DUE.into(),
        from: None,
        to: Some(to),
        order: Order::Ascending,
        limit: MAX_DUE,
        cursor: None,
    };
    Ok(app.table.query_index(Index::Due, query).await?.items)
}

async fn look_at(app: &App, item: &Item) -> Result<(), AdvanceError> {
    let cause = Cause::tick();
    let partition = item.key.partition.as_str();
    if let Some(id) = partition.strip_prefix("outbox#") {
        let change = Versioned::<Change>::read(item).map_err(AdvanceError::Store)?.record;
        let more = effects::happen(app, &cause, id, &change).await?;
        effects::follow_up(app, &cause, more).await;
    } else if let Some(id) = partition.strip_prefix("job#").and_then(|id| id.parse().ok()) {
        advance(app, Change::Job(id, jobs::Event::Tick), &cause).await?;
    } else if let Some(id) = partition.strip_prefix("fleet-update#").and_then(|id| id.parse().ok()) {
        let change = match keys::position(&item.key) {
            Some(position) => Change::FleetUpdateHost(id, position, fleet_update_hosts::Event::Tick),
            None => Change::FleetUpdate(id, fleet_updates::Event::Tick),
        };
        advance(app, change, &cause).await?;
    }
    Ok(())
}
