//! Load or 404: the record that a request names.

use muster_domain::{mailboxes::Mailbox, refused::Refused};
use muster_schemas::ids::HostId;

use super::problem::Failure;
use crate::{
    app::App,
    records::Record,
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
