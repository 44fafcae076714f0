//! Advance: the only way in which a record with a life changes: a commit, and then its follow-ups.
//!
//! If the caller goes away in the middle, the tick does what is left.

use muster_domain::changes::Change;
use tracing::Instrument as _;

use crate::{
    app::App,
    commit::{Cause, Commit, CommitError, Extras, commit},
    effects,
    store::StoreError,
};

/// Changes a record and all that belongs to it, then does what follows.
pub async fn advance(app: &App, change: Change, cause: &Cause) -> Result<Commit, CommitError> {
    advance_with(app, change, cause, Extras::default()).await
}

/// The same, with what the caller adds.
pub async fn advance_with(app: &App, change: Change, cause: &Cause, extras: Extras) -> Result<Commit, CommitError> {
    let (app, cause) = (app.clone(), cause.clone());
    // In a task of its own: a client that goes away must not drop the answer to a host's held poll.
    let tasks = app.tasks.clone();
    let work = async move {
        let mut done = commit(&app, &change, &cause, &extras).await?;
        effects::follow_up(&app, &cause, std::mem::take(&mut done.follow_ups)).await;
        Ok(done)
    };
    let work = tasks.spawn(work.in_current_span());
    let panicked = |panic| StoreError::Fault { doing: "finish a change", source: Box::new(panic) };
    work.await.unwrap_or_else(|panic| Err(CommitError::Store(panicked(panic))))
}
