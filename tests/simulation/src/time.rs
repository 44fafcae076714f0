//! Virtual time: the runtime's paused clock, which jumps to the next timer whenever nobody has anything to do.

use std::{cell::Cell, time::Duration};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use muster_agent::sys::dice;
use muster_server::clock::Clock;
use tokio::time::Instant;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// How long it has been going on: what a host takes for the time since its start.
pub fn elapsed() -> Duration {
    BEGAN.get().map_or(Duration::ZERO, |began| began.elapsed())
}

/// Runs a simulation: what chance brings follows from the seed.
pub fn run<T>(seed: u64, simulation: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be made");
    dice::load(seed);
    let done = runtime.block_on(async {
        BEGAN.set(Some(Instant::now()));
        simulation.await
    });
    runtime.shutdown_background();
    done
}

/// The server's clock: noon of a Monday when the simulation begins.
#[derive(Default)]
pub struct ServerTime;

impl Clock for ServerTime {
    fn now(&self) -> Timestamp {
        let noon = Timestamp::constant(1_772_452_800, 0);
        let elapsed = SignedDuration::from_millis(elapsed().as_millis().try_into().expect("a simulation ends"));
        noon + elapsed
    }

    fn elapsed(&self) -> Duration {
        elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }

    fn sleep_within(&self, longest: Duration) -> BoxFuture<'_, ()> {
        self.sleep(longest.mul_f64(dice::random()))
    }
}
