//! A walk over records of before: those that were written without a time at which they are removed, or by other settings, are
//! given the right one. A few at a time, until all were looked at; then not again until the settings change.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use muster_domain::{jobs::Job, mailboxes::Mailbox, retention::Retention};
use muster_schemas::{audit::AuditEntry, hosts::HostState, ids::HostId};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    commit::{keep, put},
    errors::chain,
    logs,
    records::{self, Record as _},
    store::{Consistency, Expect, Index, IndexEntry, Item, Order, Query, StoreError, Versioned, Write, whole_seconds},
};

/// How many records are looked at in one step.
const STRIDE: usize = 100;
const SIDE_BY_SIDE: usize = 8;
/// The lists that are walked.
const LISTS: [&str; 3] = ["jobs", "audit", "hosts"];

/// How far the walk has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// The settings that it gives records, in days: of logs, jobs, the audit trail, hosts.
    days: [u32; 4],
    /// Whether logs have another time than before.
    logs_change: bool,
    /// Which list is walked, by its place.
    list: usize,
    /// Where it goes on.
    cursor: Option<String>,
}

/// A step. Whether there is more to do.
pub async fn step(app: &App) -> Result<bool, StoreError> {
    let Retention { log_days, job_days, audit_days, host_days } = app.settings.retention;
    let days = [log_days, job_days, audit_days, host_days];
    let key = records::retention::walk();
    let found = app.load::<Walk>(&key, Consistency::Strong).await?;
    let revision = found.as_ref().map(|found| found.revision);
    let mut walk = found.map(|found| found.record).unwrap_or_default();
    if revision.is_none() || walk.days != days {
        let logs_change = revision.is_none() || walk.days[..2] != days[..2];
        walk = Walk { days, logs_change, ..Walk::default() };
    }
    let Some(list) = LISTS.get(walk.list) else { return Ok(false) };
    let query = Query {
        partition: (*list).into(),
        from: None,
        to: None,
        order: Order::Ascending,
        limit: STRIDE,
        cursor: walk.cursor.take(),
    };
    let rows = app.table.query_index(Index::List, query).await?;
    let writes = stream::iter(rows.items).map(|item| readable(app, list, item, walk.logs_change));
    let writes = writes.buffer_unordered(SIDE_BY_SIDE).try_collect::<Vec<_>>().await?;
    let kept = stream::iter(writes.into_iter().flatten()).map(|write| keep(app, vec![write]));
    kept.buffer_unordered(SIDE_BY_SIDE).map(unless_overtaken).try_collect::<Vec<_>>().await?;

    walk.cursor = rows.cursor;
    walk.list += usize::from(walk.cursor.is_none());
    let expect = revision.map_or(Expect::Absent, Expect::Revision);
    unless_overtaken(keep(app, vec![put(key, revision.unwrap_or(0) + 1, Vec::new(), &walk, expect)]).await)?;
    Ok(walk.list < LISTS.len())
}

/// A record that cannot be read is passed over: it must not keep those behind it from their time.
async fn readable(app: &App, list: &str, item: Item, logs_change: bool) -> Result<Option<Write>, StoreError> {
    let key = item.key.clone();
    match filed(app, list, item, logs_change).await {
        Err(error @ StoreError::Fault { .. }) => {
            tracing::error!(?key, "A record is kept forever, because it cannot be read: {}", chain(&error));
            Ok(None)
        }
        done => done,
    }
}

async fn filed(app: &App, list: &str, item: Item, logs_change: bool) -> Result<Option<Write>, StoreError> {
    match list {
        "jobs" => job(app, item, logs_change).await,
        "audit" => {
            let until = app.settings.retention.audit_until(Versioned::<AuditEntry>::read(&item)?.record.at);
            Ok(changed(item, |item| item.expires_at = until))
        }
        _ => {
            let Some(id) = item.key.partition.strip_prefix("host#").and_then(|id| id.parse().ok()) else {
                return Ok(None);
            };
            host(app, id).await
        }
    }
}

async fn job(app: &App, item: Item, logs_change: bool) -> Result<Option<Write>, StoreError> {
    let retention = &app.settings.retention;
    let mut job = Versioned::<Job>::read(&item)?.record;
    let before = job.clone();
    if logs_change && job.log_pieces > 0 && !job.log_stays {
        job.log_stays = job.state.is_final() || logs::is_unlimited(app, &job).await?;
    }
    let body = if job == before { item.body.clone() } else { bytes(&job)? };
    Ok(changed(item, |item| {
        item.body = body;
        item.expires_at = job.expires_at(retention);
        item.indexes = job.found_by(retention);
    }))
}

/// A host that was retired before that was written down counts as retired now.
async fn host(app: &App, id: HostId) -> Result<Option<Write>, StoreError> {
    let Some(item) = app.table.get(&records::mailboxes::key(id), Consistency::Strong).await? else { return Ok(None) };
    let mut mailbox = Versioned::<Mailbox>::read(&item)?.record;
    let is_new = mailbox.state == HostState::Retired && mailbox.retired_at.is_none();
    if is_new {
        mailbox.retired_at = Some(app.now());
    }
    let body = if is_new { bytes(&mailbox)? } else { item.body.clone() };
    Ok(changed(item, |item| {
        item.body = body;
        item.indexes = mailbox.found_by(&app.settings.retention);
    }))
}

/// The write of a record, if it is another than before.
fn changed(item: Item, change: impl FnOnce(&mut Item)) -> Option<Write> {
    let mut next = item.clone();
    change(&mut next);
    let places = |entries: &[IndexEntry]| {
        let place = |entry: &IndexEntry| (entry.index, entry.partition.clone(), entry.sort.clone());
        entries.iter().map(place).collect::<BTreeSet<_>>()
    };
    let same = next.body == item.body
        && next.expires_at.map(whole_seconds) == item.expires_at.map(whole_seconds)
        && places(&next.indexes) == places(&item.indexes);
    next.revision += 1;
    (!same).then_some(Write::Put { item: next, expect: Expect::Revision(item.revision) })
}

fn bytes(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let fault = |source| StoreError::Fault { doing: "write a record", source: Box::new(source) };
    serde_json::to_vec(record).map_err(fault)
}

/// Who came in between has written the record as it has to be.
fn unless_overtaken(done: Result<(), StoreError>) -> Result<(), StoreError> {
    match done {
        Err(StoreError::Stale { .. }) => Ok(()),
        done => done,
    }
}
