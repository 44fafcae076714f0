//! Advance: the only way a record with a life changes. A commit, and then what follows it.
//!
//! A caller that goes away in the middle leaves what follows to the tick.

use muster_domain::changes::Change;

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
    let work = app.clone().tasks.spawn(async move {
        let mut done = commit(&app, &change, &cause, &extras).await?;
        effects::follow_up(&app, &cause, std::mem::take(&mut done.follow_ups)).await;
        Ok(done)
    });
    let panicked = |panic| StoreError::Fault { doing: "finish a change", source: Box::new(panic) };
    work.await.unwrap_or_else(|panic| Err(CommitError::Store(panicked(panic))))
}
