//! Watchdog: whether a worker still gives signs of life.
//!
//! It counts its own looks instead of the time between two signs: when both processes were stopped together, as a container that is
//! paused or a machine that sleeps, the worker has its say before it is judged.

use std::time::Duration;

use tokio::time::Instant;

use super::control::WorkerMessage;

/// How long it is until the next look.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// So many looks without a sign in between are too many.
const LOOKS: u32 = 6;

/// The signs of life of one worker. One of a version that gives none is never missed.
#[derive(Debug)]
pub struct SignsOfLife {
    /// Looks since the last sign; `None` before the first one.
    looks: Option<u32>,
    next_look: Instant,
}

impl Default for SignsOfLife {
    fn default() -> Self {
        Self { looks: None, next_look: Instant::now() + LOOK_EVERY }
    }
}

impl SignsOfLife {
    /// The worker has said something.
    pub fn heard(&mut self, said: &WorkerMessage) {
        if *said == WorkerMessage::Alive {
            self.looks = Some(0);
        }
    }

    /// When to look again.
    pub fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Looks, and says whether the worker has been silent for too long.
    pub fn are_missing(&mut self, now: Instant) -> bool {
        self.next_look = now + LOOK_EVERY;
        self.looks = self.looks.map(|looks| looks + 1);
        self.looks.is_some_and(|looks| looks >= LOOKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(signs: &mut SignsOfLife, looks: u32) -> Vec<bool> {
        let began = Instant::now();
        (1..=looks).map(|look| signs.are_missing(began + LOOK_EVERY * look)).collect()
    }

    #[test]
    fn a_worker_that_is_silent_for_a_minute_is_missed() {
        let mut signs = SignsOfLife::default();
        signs.heard(&WorkerMessage::Alive);
        assert_eq!(missed(&mut signs, LOOKS), [false, false, false, false, false, true]);
        assert_eq!((LOOK_EVERY * LOOKS).as_secs(), 60);
    }

    #[test]
    fn a_worker_that_speaks_or_never_gave_a_sign_is_not_missed() {
        let mut old = SignsOfLife::default();
        old.heard(&WorkerMessage::Ready("1".into()));
        assert_eq!(missed(&mut old, 100), [false; 100], "it is of a version that gives none");
        let mut alive = SignsOfLife::default();
        for _ in 0..3 {
            alive.heard(&WorkerMessage::Alive);
            assert_eq!(missed(&mut alive, LOOKS - 1), [false; 5]);
        }
    }

    #[test]
    fn a_worker_that_slept_with_its_supervisor_is_not_missed() {
        let mut asleep = SignsOfLife::default();
        asleep.heard(&WorkerMessage::Alive);
        let later = Instant::now() + Duration::from_hours(1);
        assert!(!asleep.are_missing(later), "the first look after an hour is one look");
        assert!(asleep.next_look() > later, "and no look is made up for");
    }
}
