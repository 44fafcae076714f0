//! Logs of jobs as they are stored: their pieces are given another time at which they are removed, or are removed.

use jiff::Timestamp;
use muster_domain::{
    changes::Change,
    jobs::{Chore, Event, Job},
};

use crate::{
    advance::advance_with,
    app::App,
    commit::{Cause, CommitError, Extras, keep},
    records,
    store::{Expect, Item, Order, Query, StoreError, Versioned, Write, whole_seconds},
};

/// How many pieces are written at once: a transaction takes 4 MB, and a piece has up to 64 KiB.
const STRIDE: usize = 16;
/// How many pieces are read at once; fewer, where they are large.
const READ_AT_ONCE: usize = 512;
/// How many pieces one duty of a tick writes: a long log is done in several.
const MAX_WRITTEN: usize = 2_048;

/// Does what is to be done with the log of a job, and writes down that it was. Loses against whoever stores more of the log
/// meanwhile, and is then done again.
pub async fn do_chore(app: &App, job: &Versioned<Job>, chore: Chore, cause: &Cause) -> Result<(), CommitError> {
    let id = job.record.id;
    let treat = match chore {
        Chore::KeepLog => Treatment::Keep(None),
        Chore::LimitLog => {
            let over_at = job.record.ended_at.unwrap_or_else(|| app.now());
            Treatment::Keep(app.settings.retention.log_until(over_at))
        }
        Chore::RemoveLog => Treatment::Remove,
    };
    if !each_piece(app, &job.record, treat).await.map_err(CommitError::Store)? {
        // It stays due, and the next tick goes on.
        return Ok(());
    }
    let own = Extras { revision: Some(job.revision), ..Extras::default() };
    match advance_with(app, Change::Job(id, Event::Did(chore)), cause, own).await {
        // Found again by the next tick.
        Ok(_) | Err(CommitError::RevisionMismatch) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes a job with its log.
pub async fn remove(app: &App, job: &Versioned<Job>) -> Result<(), StoreError> {
    while !each_piece(app, &job.record, Treatment::Remove).await? {}
    let key = records::jobs::key(job.record.id);
    keep(app, vec![Write::Delete { key, expect: Expect::Revision(job.revision) }]).await
}

/// Whether its first piece is there and has no time at which it is removed.
pub async fn is_unlimited(app: &App, job: &Job) -> Result<bool, StoreError> {
    let rows = app.table.query(Query { limit: 1, ..pieces(job) }).await?;
    Ok(rows.items.first().is_some_and(|piece| piece.expires_at.is_none()))
}

#[derive(Clone, Copy)]
enum Treatment {
    Keep(Option<Timestamp>),
    Remove,
}

fn pieces(job: &Job) -> Query {
    Query {
        partition: records::jobs::key(job.id).partition,
        from: Some(records::jobs::log(job.id, 0).sort),
        to: Some(records::jobs::log(job.id, u64::MAX).sort),
        order: Order::Ascending,
        limit: READ_AT_ONCE,
        cursor: None,
    }
}

/// Whether all of them are done.
async fn each_piece(app: &App, job: &Job, treat: Treatment) -> Result<bool, StoreError> {
    let mut next = pieces(job);
    let mut written = 0;
    while written < MAX_WRITTEN {
        let rows = app.table.query(next.clone()).await?;
        let mut writes = rows.items.into_iter().filter_map(|item| treated(item, treat)).peekable();
        while writes.peek().is_some() {
            let some = writes.by_ref().take(STRIDE).collect::<Vec<_>>();
            written += some.len();
            keep(app, some).await?;
        }
        next.cursor = rows.cursor;
        if next.cursor.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn treated(mut item: Item, treat: Treatment) -> Option<Write> {
    match treat {
        Treatment::Remove => Some(Write::Delete { key: item.key, expect: Expect::Any }),
        Treatment::Keep(until) if item.expires_at.map(whole_seconds) == until.map(whole_seconds) => None,
        Treatment::Keep(until) => {
            item.revision += 1;
            item.expires_at = until;
            Some(Write::Put { item, expect: Expect::Any })
        }
    }
}
