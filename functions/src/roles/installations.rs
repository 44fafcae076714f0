//! The installation at the start of a server: what it is called, with what it was called before.

use muster_domain::installations::{Installation, Names};
use muster_schemas::ids::InstallationId;

use crate::{
    app::App,
    commit::{keep, put},
    records,
    store::{Consistency, Expect, StoreError},
};

/// How often it is looked at again when another server of the same storage has written it down meanwhile.
const RACES: u32 = 8;

/// Finds out which installation this is, and writes down its public URL. From then on it is held in memory.
pub async fn begin(app: &App, also_known_as: Vec<String>) -> Result<(), StoreError> {
    let public_url = app.settings.public_url.clone();
    let installation = known(app, &public_url).await?;
    app.go_by(Names { public_url, also_known_as, installation: Some(installation) });
    Ok(())
}

async fn known(app: &App, public_url: &str) -> Result<Installation, StoreError> {
    let key = records::installations::key();
    let mut races = 0;
    loop {
        let found = app.load::<Installation>(&key, Consistency::Strong).await?;
        let (next, revision) = match &found {
            None => (Installation::new(InstallationId::new(app.now(), rand::random()), public_url), 0),
            Some(found) => match found.record.known_as(public_url) {
                None => return Ok(found.record.clone()),
                Some(next) => (next, found.revision),
            },
        };
        let expect = if found.is_some() { Expect::Revision(revision) } else { Expect::Absent };
        match keep(app, vec![put(key.clone(), revision + 1, Vec::new(), &next, expect)]).await {
            Ok(()) => {
                if let Some(before) = found.map(|found| found.record.public_url().to_owned()) {
                    warn_of_change(&before, public_url);
                }
                return Ok(next);
            }
            Err(StoreError::Stale { .. }) if races < RACES => races += 1,
            Err(failed) => return Err(failed),
        }
    }
}

fn warn_of_change(before: &str, now: &str) {
    tracing::warn!(
        before,
        now,
        "The public URL has changed from {before} to {now}. Hosts that still reach this server by the old one are told, and move \
         by themselves once the new one answers them; on others, run `muster-agent point-to {now}`."
    );
}
