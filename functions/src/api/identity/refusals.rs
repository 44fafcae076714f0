//! Failed sign-ins in the audit trail: one entry for each account and address in ten minutes, which counts.

use jiff::{SignedDuration, Timestamp};
use muster_domain::{changes::Note, sign_ins::FREE_TRIES, words::counted};
use muster_schemas::{envelopes::sha256_hex, ids::AuditId};
use serde::{Deserialize, Serialize};

use super::{accounts::Account, throttle::Attempt};
use crate::{
    api::problem::Failure,
    app::App,
    commit::{Cause, keep_counted, put},
    records,
    store::{Consistency, Expect, StoreError},
};

/// For how long one entry counts.
const COUNTS: SignedDuration = SignedDuration::from_mins(10);
/// How often a failure is counted again that another one came before.
const RACES: u32 = 16;

/// Failed sign-ins that one entry tells of.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refusals {
    entry: AuditId,
    since: Timestamp,
    count: u32,
}

/// Notes that a sign-in has failed. A name that no account has is not told, because people type their password into the wrong
/// field: such tries count together.
pub async fn note(app: &App, account: Option<&Account>, attempt: &Attempt<'_>, cause: &Cause) -> Result<(), Failure> {
    let whose = account.map(|account| account.id.to_string()).unwrap_or_default();
    let key = records::sessions::refusals(&sha256_hex(format!("{whose} from {}", attempt.whence()).as_bytes()));
    for _ in 0..RACES {
        let found = app.load::<Refusals>(&key, Consistency::Strong).await?;
        let (now, revision) = (app.now(), found.as_ref().map_or(0, |found| found.revision));
        let expect = found.as_ref().map_or(Expect::Absent, |found| Expect::Revision(found.revision));
        let counting = found.map(|found| found.record).filter(|known| is_recent(known.since, now));
        let next = counting.map_or_else(
            || Refusals { entry: AuditId::new(now, rand::random()), since: now, count: 1 },
            |known| Refusals { count: known.count.saturating_add(1), ..known },
        );
        let write = put(key.clone(), revision + 1, Vec::new(), &next, expect).until(next.since + COUNTS);
        let note = Note { alert: next.count >= FREE_TRIES, ..told(account, &next, now) };
        match keep_counted(app, vec![write], (next.entry, next.since), note, cause).await {
            Err(StoreError::Stale { .. }) => {}
            done => return Ok(done?),
        }
    }
    Ok(())
}

fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..COUNTS).contains(&now.duration_since(since))
}

fn told(account: Option<&Account>, refusals: &Refusals, now: Timestamp) -> Note {
    let subject = account.map(|account| account.id.to_string()).unwrap_or_default();
    let name = account.map_or("no account has the name", |account| &account.username);
    let failed = counted(refusals.count, "failed sign-in");
    let last = if refusals.count == 1 { String::new() } else { format!(", the last one at {now}") };
    Note::new("session.refused", subject, format!("{name}, {failed}{last}"))
}
