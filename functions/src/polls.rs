//! Long poll: which held requests wait for what, in the memory of this process only. If all of it is lost, answers come late
//! and nothing else happens.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, futures::OwnedNotified};

/// The topic of requests that wait for a change of a release.
pub const RELEASES: &str = "releases";

/// The topic of requests that wait for a change of the overview.
pub const OVERVIEW: &str = "overview";

/// The topic of requests that wait for any change of a host. The host's own check-in waits on another: the host's id.
pub fn page_of_host(host: impl Display) -> String {
    format!("look#{host}")
}

/// The waiters of this process, by what they wait for (a host's id, a job's id, a fleet update's id).
#[derive(Debug, Default)]
pub struct Polls {
    waiters: Mutex<HashMap<String, Arc<Notify>>>,
}

/// A wait that has begun: what happens from now on ends it.
#[derive(Debug)]
pub struct Wait<'a> {
    polls: &'a Polls,
    topic: String,
    notified: std::pin::Pin<Box<OwnedNotified>>,
}

impl Polls {
    /// Begins to wait. To miss nothing, begin before reading what you wait for.
    pub fn begin(&self, topic: impl ToString) -> Wait<'_> {
        let topic = topic.to_string();
        let notify = {
            let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(waiters.entry(topic.clone()).or_default())
        };
        let mut notified = Box::pin(notify.notified_owned());
        notified.as_mut().enable();
        Wait { polls: self, topic, notified }
    }

    /// Ends every wait for this.
    pub fn wake(&self, topic: impl ToString) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = waiters.get(&topic.to_string()) {
            notify.notify_waiters();
        }
    }

    /// Ends every wait.
    pub fn wake_all(&self) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.values().for_each(|notify| notify.notify_waiters());
    }

    /// How many wait for this.
    pub fn waiting(&self, topic: impl ToString) -> usize {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        // One is the map's own.
        waiters.get(&topic.to_string()).map_or(0, |notify| Arc::strong_count(notify) - 1)
    }

    /// Whether anybody waits for this.
    pub fn is_watched(&self, topic: impl ToString) -> bool {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&topic.to_string())
    }

    /// How many things are waited for.
    pub fn len(&self) -> usize {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Wait<'_> {
    /// Waits until it is woken.
    pub async fn woken(&mut self) {
        self.notified.as_mut().await;
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut waiters = self.polls.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own and this waiter's: nobody else waits for it.
        if waiters.get(&self.topic).is_some_and(|notify| Arc::strong_count(notify) <= 2) {
            waiters.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wake_between_begin_and_wait_is_not_missed() {
        let polls = Polls::default();
        let mut waiting = polls.begin("host");
        polls.wake("host");
        waiting.woken().await;
    }

    #[tokio::test]
    async fn every_waiter_is_woken_and_nothing_is_left_behind() {
        let polls = Polls::default();
        let (mut one, mut two) = (polls.begin("host"), polls.begin("host"));
        assert_eq!((polls.waiting("host"), polls.waiting("another")), (2, 0));
        polls.wake("host");
        one.woken().await;
        two.woken().await;
        drop((one, two));
        assert!(polls.is_empty());
    }
}
