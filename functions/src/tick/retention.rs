//! Retention: what is over is removed when its time has come, and nothing that something open still needs.
//!
//! Most records are removed by the table itself, at the time that was written with them. Here is done what cannot be known when
//! a record is written: the log of a job that is presumed lost stays, and a job of a fleet update and a retired host go only
//! when no open fleet update needs them.

use muster_domain::{changes::Note, fleet_updates::FleetUpdate, jobs::Job, mailboxes::Mailbox, times::after};
use muster_schemas::{
    envelopes::{PublicKey, sha256_hex},
    ids::FleetUpdateId,
};

use crate::{
    app::App,
    commit::{Cause, CommitError, keep, keep_audited},
    logs, records,
    store::{Consistency, Expect, Index, Item, StoreError, Versioned, Write, keys},
};

/// After how many seconds it is asked again whether a fleet update is over.
const AGAIN_SECONDS: u32 = 86_400;

/// What is due of a job besides its own life. `false`: nothing, it is due for itself.
pub(super) async fn of_job(app: &App, item: &Item, cause: &Cause) -> Result<bool, CommitError> {
    let job = Versioned::<Job>::read(item).map_err(CommitError::Store)?;
    if let Some((chore, _)) = job.record.chore() {
        logs::do_chore(app, &job, chore, cause).await?;
        return Ok(true);
    }
    let Some(until) = job.record.kept_until(&app.settings.retention).filter(|_| job.record.is_of_a_fleet_update())
    else {
        return Ok(false);
    };
    let place = job.record.asked.origin.fleet_update();
    let done = if app.now() < until {
        // The setting has changed since it was written.
        due_again(app, item, keys::due(until, job.record.id)).await
    } else if is_open(app, place.map(|place| place.fleet_update_id)).await.map_err(CommitError::Store)? {
        due_again(app, item, keys::due(after(app.now(), AGAIN_SECONDS), job.record.id)).await
    } else {
        logs::remove(app, &job).await
    };
    unless_overtaken(done).map(|()| true)
}

/// A retired host whose time has come is removed, and with it its key and the jobs that nobody can end any more.
pub(super) async fn of_mailbox(app: &App, item: &Item, cause: &Cause) -> Result<(), CommitError> {
    let mailbox = Versioned::<Mailbox>::read(item).map_err(CommitError::Store)?;
    let id = mailbox.record.host_id;
    let until = mailbox.record.retired_at.and_then(|at| app.settings.retention.host_until(at));
    let fleet_update = mailbox.record.fleet_update.map(|place| place.fleet_update_id);
    let done = match until {
        None => not_due(app, item).await,
        Some(until) if app.now() < until => due_again(app, item, keys::due(until, id)).await,
        Some(_) if is_open(app, fleet_update).await.map_err(CommitError::Store)? => {
            due_again(app, item, keys::due(after(app.now(), AGAIN_SECONDS), id)).await
        }
        Some(_) => remove_host(app, &mailbox, cause).await,
    };
    unless_overtaken(done)
}

async fn remove_host(app: &App, mailbox: &Versioned<Mailbox>, cause: &Cause) -> Result<(), StoreError> {
    let Mailbox { host_id, public_key, open, .. } = &mailbox.record;
    for open in open {
        let key = records::jobs::key(open.id);
        if let Some(job) = app.load::<Job>(&key, Consistency::Strong).await? {
            logs::remove(app, &job).await?;
        }
    }
    let lookup = PublicKey::parse(public_key).map(|key| records::hosts::by_public_key(&sha256_hex(key.as_bytes())));
    let mailbox_is = Expect::Revision(mailbox.revision);
    let mut writes = vec![
        Write::Delete { key: records::mailboxes::key(*host_id), expect: mailbox_is },
        Write::Delete { key: records::hosts::key(*host_id), expect: Expect::Any },
    ];
    writes.extend(lookup.map(|key| Write::Delete { key, expect: Expect::Any }));
    let note = Note::new("host.removed", host_id, "it was retired, and the time for which it is kept is over");
    keep_audited(app, writes, note, cause).await
}

/// Whether a fleet update may still need what belongs to it.
async fn is_open(app: &App, id: Option<FleetUpdateId>) -> Result<bool, StoreError> {
    let Some(id) = id else { return Ok(false) };
    let found = app.load::<FleetUpdate>(&records::fleet_updates::key(id), Consistency::Strong).await?;
    Ok(found.is_some_and(|found| found.record.ended_at.is_none()))
}

async fn due_again(app: &App, item: &Item, entry: crate::store::IndexEntry) -> Result<(), StoreError> {
    filed(app, item, Some(entry)).await
}

async fn not_due(app: &App, item: &Item) -> Result<(), StoreError> {
    filed(app, item, None).await
}

async fn filed(app: &App, item: &Item, entry: Option<crate::store::IndexEntry>) -> Result<(), StoreError> {
    let mut item = item.clone();
    let expect = Expect::Revision(item.revision);
    item.revision += 1;
    item.indexes.retain(|entry| entry.index != Index::Due);
    item.indexes.extend(entry);
    keep(app, vec![Write::Put { item, expect }]).await
}

/// Who came in between has changed the record: the next tick looks again.
fn unless_overtaken(done: Result<(), StoreError>) -> Result<(), CommitError> {
    match done {
        Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
        Err(error) => Err(CommitError::Store(error)),
    }
}
