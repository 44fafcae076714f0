//! Effects (transactional outbox): follow-ups of a commit are done here, after it. Each may be done twice, and the tick finds
//! those that were not done: changes in the outbox, fleet updates in the due index.

use std::collections::VecDeque;

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Work},
    times::after,
};
use tracing::Instrument as _;

use crate::{
    app::App,
    commit::{Cause, CommitError, Extras, FollowUp, commit, keep},
    errors::chain,
    records,
    store::{Expect, Key, Write},
    workers,
};

/// How many follow-ups a request waits for, and for how long, in seconds. What is left goes on behind its answer.
const AWAITED: usize = 500;
const AWAITED_SECONDS: u32 = 2;
/// For how long follow-ups of one commit go on without a tick, in seconds: a function's call must end.
const PATIENCE_SECONDS: u32 = 10;

/// Does what follows a commit, and what follows that. Returns when it is done, or when it takes longer than a caller should
/// wait: then it goes on in a task of its own. Faults are logged and left to the tick.
pub(crate) async fn follow_up(app: &App, cause: &Cause, first: Vec<FollowUp>) {
    let began = app.now();
    let mut left = FollowUps::default();
    left.take(app, first);
    left.work(app, cause, AWAITED, after(began, AWAITED_SECONDS)).await;
    if left.0.is_empty() {
        return;
    }
    let (app, cause) = (app.clone(), cause.clone());
    let tasks = app.tasks.clone();
    let work = async move {
        left.work(&app, &cause, usize::MAX, after(began, PATIENCE_SECONDS)).await;
        if !left.0.is_empty() {
            tracing::info!("{} follow-ups of a commit are left to the tick.", left.0.len());
        }
    };
    tasks.spawn(work.in_current_span());
}

/// The follow-ups that are not done yet. Those that wake somebody are never among them.
#[derive(Default)]
struct FollowUps(VecDeque<FollowUp>);

impl FollowUps {
    /// Takes in what follows a commit. Held requests are answered at once: that costs nothing, and no tick would make up
    /// for it, because nothing is written about who waits.
    fn take(&mut self, app: &App, more: Vec<FollowUp>) {
        for follow_up in more {
            match follow_up {
                FollowUp::Wake(topic) => app.polls.wake(topic),
                FollowUp::Change(..) | FollowUp::GoOn(_) => self.0.push_back(follow_up),
            }
        }
    }

    /// Does so many of them, until then.
    async fn work(&mut self, app: &App, cause: &Cause, most: usize, until: Timestamp) {
        for _ in 0..most {
            if app.now() >= until {
                return;
            }
            let Some(next) = self.0.pop_front() else { return };
            let done = match &next {
                FollowUp::Wake(_) => Ok(Vec::new()),
                FollowUp::Change(id, change) => happen(app, cause, id, change).await,
                FollowUp::GoOn(work) => workers::go_on(app, cause, *work).await,
            };
            match done {
                Ok(more) => self.take(app, more),
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
