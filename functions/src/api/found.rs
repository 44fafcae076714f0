//! Load or 404: the record that a request names.

use muster_domain::{mailboxes::Mailbox, refused::Refused, releases::Release};
use muster_schemas::{ids::HostId, problems::Problem, releases::ReleaseState};

use super::{lists::List, problem::Failure};
use crate::{
    app::App,
    records::{self, Record},
    store::{Consistency, Versioned},
};

/// The record with this id.
pub async fn found<R: Record>(app: &App, id: &R::Id) -> Result<Versioned<R>, Failure> {
    let found = app.load::<R>(&R::key(id), Consistency::Strong).await?;
    found.ok_or_else(|| Refused::new(R::ABSENT, format_args!("no such {}", R::NOUN)).into())
}

/// A host's mailbox.
pub async fn mailbox(app: &App, id: HostId) -> Result<Mailbox, Failure> {
    Ok(found::<Mailbox>(app, &id).await?.record)
}

/// A release that can be offered.
pub async fn published(app: &App, version: &str) -> Result<Release, Failure> {
    let found = app.load::<Release>(&records::releases::key(version), Consistency::Strong).await?;
    let release = found.ok_or_else(|| Problem::invalid("version", "no such release"))?.record;
    match release.state() {
        ReleaseState::Published => Ok(release),
        ReleaseState::Draft => Err(Refused::wrong_state("files of the release are missing").into()),
        ReleaseState::Yanked => Err(Refused::wrong_state("the release was yanked").into()),
    }
}

/// The newest release that is published.
pub async fn newest_release(app: &App) -> Result<Option<Release>, Failure> {
    let newest = List::all("releases").find::<Release>(app, |release| release.state() == ReleaseState::Published);
    Ok(newest.await?.map(|found| found.record))
}
