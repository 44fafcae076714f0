//! Effects: what a commit asked for is done here, after it. Each may be done twice, and what is not done is found again
//! by the tick: changes in the outbox, fleet updates in the due index.

use std::collections::VecDeque;

use muster_domain::{changes::Change, times::after};

use crate::{
    app::App,
    commit::{Cause, CommitError, Extras, FollowUp, commit, keep},
    records,
    store::{Expect, Write},
    workers,
};

/// How many follow-ups one request does at most, and for how long, in seconds; the tick does the rest.
const BOUND: usize = 500;
const PATIENCE_SECONDS: u32 = 10;

/// Does what follows a commit, and what follows that. Faults are logged and left to the tick.
pub(crate) async fn follow_up(app: &App, cause: &Cause, first: Vec<FollowUp>) {
    let mut queue = VecDeque::from(first);
    let stop = after(app.now(), PATIENCE_SECONDS);
    for _ in 0..BOUND {
        let Some(next) = queue.pop_front().filter(|_| app.now() < stop) else { return };
        let done = match next {
            FollowUp::Wake(topic) => {
                app.polls.wake(topic);
                Ok(Vec::new())
            }
            FollowUp::Change(id, change) => happen(app, cause, &id, &change).await,
            FollowUp::GoOn(work) => workers::go_on(app, cause, work).await,
        };
        match done {
            Ok(more) => queue.extend(more),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "A follow-up is left to the tick."),
        }
    }
}

/// A change of the outbox happens, and is crossed out. One that the rules refuse is done as well.
pub(crate) async fn happen(app: &App, cause: &Cause, id: &str, change: &Change) -> Result<Vec<FollowUp>, CommitError> {
    let more = match commit(app, change, cause, &Extras::default()).await {
        Ok(done) => done.follow_ups,
        Err(CommitError::Refused(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let crossed_out = Write::Delete { key: records::outbox::key(id), expect: Expect::Any };
    keep(app, vec![crossed_out]).await.map_err(CommitError::Store)?;
    Ok(more)
}
