//! Effects (transactional outbox): follow-ups of a commit are done here, after it. Each may be done twice, and the tick finds
//! those that were not done: changes in the outbox, fleet updates in the due index.

use std::collections::VecDeque;

use muster_domain::{
    changes::{Change, Work},
    times::after,
};

use crate::{
    app::App,
    commit::{Cause, CommitError, Extras, FollowUp, commit, keep},
    errors::chain,
    records,
    store::{Expect, Key, Write},
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
        let done = match &next {
            FollowUp::Wake(topic) => {
                app.polls.wake(topic);
                Ok(Vec::new())
            }
            FollowUp::Change(id, change) => happen(app, cause, id, change).await,
            FollowUp::GoOn(work) => workers::go_on(app, cause, *work).await,
        };
        match done {
            Ok(more) => queue.extend(more),
            Err(error) => {
                let Key { partition, sort } = key(&next);
                let error = chain(&error);
                tracing::warn!(
                    record.partition = partition,
                    record.sort = sort,
                    "A follow-up is left to the tick: {error}"
                );
            }
        }
    }
}

/// The record that the tick finds, where a follow-up was not done.
fn key(follow_up: &FollowUp) -> Key {
    match follow_up {
        FollowUp::Wake(topic) => Key::new(topic, ""),
        FollowUp::Change(id, _) => records::outbox::key(id),
        FollowUp::GoOn(Work::FleetUpdate(id)) => records::fleet_updates::key(*id),
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
