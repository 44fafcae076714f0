//! The tick (scheduler): looks at what is due. It takes no input, does bounded work, may run anywhere and twice at once, and
//! leaves the rest to the next one. With nothing due it costs one query.

pub mod integrity;
mod retention;
pub mod walk;

use std::time::Duration;

use jiff::Timestamp;
use muster_domain::{changes::Change, mailboxes};

use crate::{
    advance::advance,
    app::App,
    commit::{Cause, CommitError, keep},
    effects,
    errors::chain,
    records,
    store::{Expect, Index, Item, Key, Order, Query, StoreError, Versioned, Write, keys},
};

/// How many due records one tick looks at.
const MAX_DUE: usize = 500;
/// How long after its start a tick still begins with another record. The longest that one record takes is as much as
/// [`effects`] allows: together they stay below a function's limit.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many records whose time is over one tick removes.
const MAX_EXPIRED: usize = 1_000;

/// The work of one tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that were due and were handled.
    pub due: usize,
    /// Records whose time was over, removed.
    pub expired: usize,
}

/// Runs the duties once.
pub async fn run(app: &App) -> Result<Summary, StoreError> {
    run_until(app, app.now()).await
}

/// Runs the duties once. What cannot be undone waits until its time has certainly come: the clock may have been set ahead.
pub async fn run_until(app: &App, certain: Timestamp) -> Result<Summary, StoreError> {
    integrity::look_after_outage(app).await;
    note_who_is_gone(app).await;
    let now = app.now();
    let mut due = due(app, now).await?;
    due.retain(|item| !ends_something(&item.key) || is_due(item, certain));
    // Fleet updates and their hosts last: a host that never fetched its job is offline and not lost, and its job must have
    // said so.
    due.sort_by_key(|item| item.key.partition.starts_with("fleet-update#"));
    let (stop, mut looked_at) = (app.clock.elapsed() + PATIENCE, 0);
    for item in due.iter().take_while(|_| app.clock.elapsed() < stop) {
        looked_at += 1;
        match look_at(app, item).await {
            // Refused: another process has dealt with it since it was read.
            Ok(()) | Err(CommitError::Refused(_)) => {}
            Err(error) => tracing::warn!(
                record.partition = item.key.partition,
                record.sort = item.key.sort,
                "A duty is left to the next tick: {}",
                chain(&error)
            ),
        }
    }
    let expired = app.table.expire(certain, MAX_EXPIRED).await?;
    Ok(Summary { due: looked_at, expired })
}

async fn due(app: &App, now: Timestamp) -> Result<Vec<Item>, StoreError> {
    // Up to now, itself included: `$` sorts right behind the `#` that ends the time.
    let to = format!("{}$", keys::due_sort(now));
    let mut query = Query {
        partition: keys::DUE.into(),
        from: None,
        to: Some(to),
        order: Order::Ascending,
        limit: MAX_DUE,
        cursor: None,
    };
    let mut due = Vec::new();
    // Large records come a few at a time.
    loop {
        let rows = app.table.query_index(Index::Due, query.clone()).await?;
        due.extend(rows.items);
        (query.limit, query.cursor) = (MAX_DUE.saturating_sub(due.len()), rows.cursor);
        if query.limit == 0 || query.cursor.is_none() {
            return Ok(due);
        }
    }
}

/// Whether a record that is due ends for good, or is given up or removed: a job, a host. A change in the outbox and a fleet
/// update only go on.
fn ends_something(key: &Key) -> bool {
    records::outbox::id(key).is_none() && key.sort != "fleet-update"
}

/// Whether a record was due at this time.
fn is_due(item: &Item, at: Timestamp) -> bool {
    let to = format!("{}$", keys::due_sort(at));
    item.indexes.iter().any(|entry| entry.index == Index::Due && entry.sort < to)
}

/// Writes down which hosts this process has missed for so long that they count as offline: others may be asked for them.
async fn note_who_is_gone(app: &App) {
    for gone in app.presence.gone(app.clock.elapsed(), app.patience()) {
        if app.has_neighbors() && !gone.last.closed {
            // It was answered here, and goes on at another process.
            app.presence.forget(&gone);
            continue;
        }
        let left = mailboxes::Event::Left { session: gone.session, seen_at: gone.last.at, said_goodbye: false };
        match advance(app, Change::Mailbox(gone.host, left), &Cause::tick()).await {
            Ok(_) | Err(CommitError::Refused(_)) => app.presence.forget(&gone),
            Err(error) => {
                return tracing::warn!(host.id = %gone.host, "A host that left is told of later: {}", chain(&error));
            }
        }
    }
}

async fn look_at(app: &App, item: &Item) -> Result<(), CommitError> {
    let cause = Cause::tick();
    if let Some(id) = records::outbox::id(&item.key) {
        let change = Versioned::<Change>::read(item).map_err(CommitError::Store)?.record;
        let more = effects::happen(app, &cause, id, &change).await?;
        effects::follow_up(app, &cause, more).await;
        return Ok(());
    }
    if records::mailboxes::id(&item.key).is_some() {
        return retention::of_mailbox(app, item, &cause).await;
    }
    match records::DUE.iter().find_map(|due| due(&item.key)) {
        Some(Change::Job(..)) if retention::of_job(app, item, &cause).await? => Ok(()),
        Some(change) => advance(app, change, &cause).await.map(drop),
        None => forget(app, item).await,
    }
}

/// Takes a due record that nothing knows out of the index: else every tick would read it forever, before those due later.
async fn forget(app: &App, item: &Item) -> Result<(), CommitError> {
    let Key { partition, sort } = &item.key;
    tracing::error!(
        record.partition = partition,
        record.sort = sort,
        "A record is due that this server does not know. It stays as it is and is not due any more."
    );
    let mut item = item.clone();
    let expect = Expect::Revision(item.revision);
    item.revision += 1;
    item.indexes.retain(|entry| entry.index != Index::Due);
    match keep(app, vec![Write::Put { item, expect }]).await {
        // Somebody else has written it since.
        Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
        Err(error) => Err(CommitError::Store(error)),
    }
}
