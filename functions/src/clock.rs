//! The clock: the one place where the server learns the time, so that a test can move it.

#[cfg(not(target_os = "linux"))]
use std::{sync::LazyLock, time::Instant};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use muster_domain::clocks::OwnTime;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// The time, exact to a millisecond.
    fn now(&self) -> Timestamp;

    /// How much time has passed since a fixed moment, by a clock that nobody sets.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()>;

    /// Waits for a random part of a span (jitter).
    fn sleep_within(&self, longest: Duration) -> BoxFuture<'_, ()> {
        self.sleep(longest.mul_f64(rand::random()))
    }
}

/// The machine's clock, as it is: for functions, which stand still between two requests.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        since_boot()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// The machine's clock, which is not believed at once when it is set ahead: for a process that runs all the time.
#[derive(Debug)]
pub struct SteadyClock(Mutex<OwnTime>);

impl Default for SteadyClock {
    fn default() -> Self {
        Self(Mutex::new(OwnTime::from(SystemClock.now(), signed(since_boot()))))
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.look(SystemClock.now(), signed(since_boot()))
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        SystemClock.sleep(span)
    }
}

/// The time since the machine was started, time asleep included: a machine that wakes up is no clock that was set.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
}

/// The time since this process asked first.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}
