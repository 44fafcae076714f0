//! Mutual exclusion of jobs: one running job per resource, and none beside one that takes the whole host.
//!
//! Turns are first come, first served. A job that takes the whole host waits for those that run, and each job that comes after it
//! waits for it, so that it is never starved. The queue of a resource is always left before the host is asked for, and nobody
//! holds the host while waiting for a resource: there is no circle of waiting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use muster_schemas::jobs::HOST;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, Semaphore};

/// Resources that jobs act on.
#[derive(Debug, Default)]
pub struct Resources {
    queues: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    /// The whole host. The lock is fair: no reader overtakes a writer that waits.
    host: Arc<RwLock<()>>,
}

/// A job's turn: given back when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _host: Share,
    _resource: Option<OwnedSemaphorePermit>,
}

/// How much of the host a job takes.
#[derive(Debug)]
enum Share {
    /// Its own part.
    Part(#[expect(dead_code, reason = "held, and never asked")] OwnedRwLockReadGuard<()>),
    /// All of it.
    Whole(#[expect(dead_code, reason = "held, and never asked")] OwnedRwLockWriteGuard<()>),
}

impl Resources {
    /// Waits for the turn of a job that acts on this.
    pub async fn turn(&self, resource: Option<&str>) -> Turn {
        if resource == Some(HOST) {
            return Turn { _host: Share::Whole(self.host.clone().write_owned().await), _resource: None };
        }
        let resource = match resource.map(|resource| self.queue(resource)) {
            // It is never closed.
            Some(queue) => queue.acquire_owned().await.ok(),
            None => None,
        };
        Turn { _host: Share::Part(self.host.clone().read_owned().await), _resource: resource }
    }

    /// The queue for a resource.
    fn queue(&self, resource: &str) -> Arc<Semaphore> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        queues.entry(resource.into()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_job_per_resource_runs_at_a_time_and_others_beside_it() {
        let resources = Resources::default();
        let agent = resources.turn(Some("agent")).await;
        let _none = resources.turn(None).await;
        let _other = resources.turn(Some("other")).await;
        let second = resources.turn(Some("agent"));
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        drop(agent);
        second.await;
    }

    #[tokio::test]
    async fn the_whole_host_is_taken_after_what_runs_and_before_what_comes_later() {
        let resources = Resources::default();
        let (one, other) = (resources.turn(None).await, resources.turn(Some("agent")).await);
        let (whole, later) = (resources.turn(Some(HOST)), resources.turn(None));
        tokio::pin!(whole, later);
        assert!(whole.as_mut().now_or_never().is_none());
        assert!(later.as_mut().now_or_never().is_none(), "nobody overtakes a job that waits for everything");
        drop(one);
        assert!(whole.as_mut().now_or_never().is_none());
        drop(other);
        let whole = whole.await;
        assert!(later.as_mut().now_or_never().is_none());
        assert!(resources.turn(Some(HOST)).now_or_never().is_none());
        drop(whole);
        later.await;
    }

    #[tokio::test]
    async fn one_that_waits_for_the_whole_host_and_gives_up_holds_nobody_back() {
        let resources = Resources::default();
        let _running = resources.turn(None).await;
        let mut whole = Box::pin(resources.turn(Some(HOST)));
        assert!(whole.as_mut().now_or_never().is_none());
        drop(whole);
        assert!(resources.turn(Some("agent")).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_queue_for_a_resource_does_not_keep_the_whole_host_waiting() {
        let resources = Resources::default();
        let running = resources.turn(Some("agent")).await;
        let (queued, whole) = (resources.turn(Some("agent")), resources.turn(Some(HOST)));
        tokio::pin!(queued, whole);
        assert!(queued.as_mut().now_or_never().is_none());
        assert!(whole.as_mut().now_or_never().is_none());
        drop(running);
        drop(whole.await);
        queued.await;
    }
}
