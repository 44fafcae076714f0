//! Virtual time: the runtime's paused clock, which jumps to the next timer whenever nobody has anything to do.

use std::{cell::Cell, sync::Mutex, time::Duration};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use muster_agent::sys::dice;
use muster_server::clock::Clock;
use tokio::time::Instant;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A simulation begins now on this thread.
pub fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// How long it has been going on: what a host takes for the time since its start.
pub fn elapsed() -> Duration {
    BEGAN.get().map_or(Duration::ZERO, |began| began.elapsed())
}

/// The server's clock: noon of a Monday when the simulation begins, and set wrong when a fault says so.
#[derive(Default)]
pub struct ServerTime {
    wrong_by: Mutex<SignedDuration>,
}

impl ServerTime {
    /// Sets the clock wrong from now on.
    pub fn steps(&self, wrong_by: SignedDuration) {
        *self.wrong_by.lock().expect("nobody panics with it") = wrong_by;
    }
}

impl Clock for ServerTime {
    fn now(&self) -> Timestamp {
        let noon = Timestamp::constant(1_772_452_800, 0);
        let elapsed = SignedDuration::from_millis(elapsed().as_millis().try_into().expect("a simulation ends"));
        noon + elapsed + *self.wrong_by.lock().expect("nobody panics with it")
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }

    fn sleep_within(&self, longest: Duration) -> BoxFuture<'_, ()> {
        self.sleep(longest.mul_f64(dice::random()))
    }
}
