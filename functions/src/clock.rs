//! The clock: the one place where the server learns the time, so that a test can move it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// The time, exact to a millisecond.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()>;

    /// Waits for a random part of a span (jitter).
    fn sleep_within(&self, longest: Duration) -> BoxFuture<'_, ()> {
        self.sleep(longest.mul_f64(rand::random()))
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}
