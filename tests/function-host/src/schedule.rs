//! The scheduler: it invokes a function again and again, one invocation after the other, and can be made as
//! unreliable as a real one may be.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Bytes;
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};

use crate::{failure::Failure, function::Function};

/// How the scheduler fails. As it comes, it does not.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Which fraction of the ticks gets lost, from 0 to 1.
    pub lossy: f64,
    /// Decides which.
    pub seed: u64,
    /// How many invocations each tick is, all at the same moment.
    pub at_once: usize,
}

impl Default for Faults {
    fn default() -> Self {
        Self { lossy: 0.0, seed: 0, at_once: 1 }
    }
}

/// What has become of the ticks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Invocations that were begun.
    pub invoked: usize,
    /// Invocations that failed.
    pub failed: usize,
    /// Ticks that got lost.
    pub lost: usize,
}

/// A scheduler. It stops its function when it is dropped.
pub struct Schedule {
    ticks: Arc<Ticks>,
    running: Option<JoinHandle<()>>,
}

impl Schedule {
    /// One that ticks only when told.
    pub fn by_hand(function: Arc<Function>) -> Self {
        Self { ticks: Arc::new(Ticks { function, turn: Semaphore::new(1), counts: Mutex::default() }), running: None }
    }

    /// One that ticks now and every `period`. A tick that is due while another runs comes late.
    pub fn every(period: Duration, function: Arc<Function>, faults: Faults) -> Self {
        let mut schedule = Self::by_hand(function);
        schedule.running = Some(tokio::spawn(schedule.ticks.clone().run(period, faults)));
        schedule
    }

    /// Ticks once, when no other tick runs, and says what the function answered.
    pub async fn tick_now(&self) -> Result<Value, Failure> {
        self.ticks_now(1).await.pop().unwrap_or(Err(Failure::Stopped))
    }

    /// The same with several invocations at the same moment. The function may need as many processes.
    pub async fn ticks_now(&self, count: usize) -> Vec<Result<Value, Failure>> {
        self.ticks.invoke(count).await
    }

    /// What has become of the ticks so far.
    pub fn counts(&self) -> Counts {
        *self.ticks.counts.lock().expect(UNPOISONED)
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
        self.ticks.function.stop();
    }
}

/// Which ticks get lost, in their order, for ever. The same seed gives the same.
pub fn losses(fraction: f64, seed: u64) -> impl Iterator<Item = bool> {
    // SplitMix64: of a generator that only has to be even and repeatable, the shortest.
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let upper = u32::try_from(mixed >> 32).expect("32 bits are left");
        f64::from(upper) / (f64::from(u32::MAX) + 1.0) < fraction
    })
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

struct Ticks {
    function: Arc<Function>,
    turn: Semaphore,
    counts: Mutex<Counts>,
}

impl Ticks {
    async fn run(self: Arc<Self>, period: Duration, faults: Faults) {
        let mut timer = interval(period);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for lost in losses(faults.lossy, faults.seed) {
            timer.tick().await;
            if lost {
                self.count(|counts| counts.lost += 1);
            } else {
                self.invoke(faults.at_once).await;
            }
        }
    }

    async fn invoke(self: &Arc<Self>, count: usize) -> Vec<Result<Value, Failure>> {
        let _turn = self.turn.acquire().await.expect("it is never closed");
        self.count(|counts| counts.invoked += count);
        let invocations: JoinSet<_> = (0..count).map(|_| self.clone().invoke_once()).collect();
        let outcomes = invocations.join_all().await;
        self.count(|counts| counts.failed += outcomes.iter().filter(|outcome| outcome.is_err()).count());
        outcomes
    }

    async fn invoke_once(self: Arc<Self>) -> Result<Value, Failure> {
        let answer = self.function.invoke(Bytes::from_static(b"{}")).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::Reported(format!("the answer is no JSON: {error}")))
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().expect(UNPOISONED));
    }
}
