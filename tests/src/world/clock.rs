//! A clock that only the test moves.

use std::{sync::Mutex, time::Duration};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use muster_server::clock::Clock;
use tokio::sync::watch;

/// A clock that only the test moves. It starts at noon of a Monday.
pub struct ManualClock {
    /// When the clock says that it started; a test may set it.
    noon: Mutex<Timestamp>,
    elapsed: watch::Sender<SignedDuration>,
    asleep: watch::Sender<usize>,
}

impl Default for ManualClock {
    fn default() -> Self {
        let noon = Mutex::new("2026-03-02T12:00:00Z".parse().unwrap());
        Self { noon, elapsed: watch::Sender::default(), asleep: watch::Sender::new(0) }
    }
}

impl ManualClock {
    /// Time passes; whoever sleeps until then wakes up.
    pub fn moves(&self, seconds: i64) {
        self.elapsed.send_modify(|elapsed| *elapsed += SignedDuration::from_secs(seconds));
    }

    /// The clock is set, ahead or back, and no time passes.
    pub fn steps(&self, seconds: i64) {
        *self.noon.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    /// Waits until so many sleep.
    pub async fn until_asleep(&self, sleepers: usize) {
        self.asleep.subscribe().wait_for(|asleep| *asleep >= sleepers).await.unwrap();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.noon.lock().unwrap() + *self.elapsed.borrow()
    }

    fn elapsed(&self) -> Duration {
        self.elapsed.borrow().unsigned_abs()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        if span < Duration::from_secs(1) {
            // The pause after a lost race: the others go on, the time does not.
            return Box::pin(tokio::task::yield_now());
        }
        let mut elapsed = self.elapsed.subscribe();
        let until = *elapsed.borrow() + SignedDuration::try_from(span).unwrap();
        Box::pin(async move {
            let _asleep = Asleep::count(&self.asleep);
            elapsed.wait_for(|elapsed| *elapsed >= until).await.unwrap();
        })
    }
}

/// Counts a sleeper from its first look at the clock to its end.
struct Asleep<'a>(&'a watch::Sender<usize>);

impl<'a> Asleep<'a> {
    fn count(asleep: &'a watch::Sender<usize>) -> Self {
        asleep.send_modify(|count| *count += 1);
        Self(asleep)
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
