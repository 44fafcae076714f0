//! Crash loop detection, as plain data: how often the committed version crashed, how long to wait, when to roll back.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
const WINDOW: Duration = Duration::from_mins(10);
const TOO_MANY: usize = 5;

/// Ends of the committed version, on a clock that only goes forward.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crashes {
    at: Vec<Duration>,
    pause: Duration,
}

/// The decision after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Start it again after this.
    Restart(Duration),
    /// It has ended too often.
    TooMany,
}

impl Crashes {
    /// It has ended, at `now`, after having run for `lived`.
    pub fn add(&mut self, now: Duration, lived: Duration) -> Verdict {
        if lived >= WINDOW {
            *self = Self::default();
        }
        self.at.retain(|at| now.saturating_sub(*at) < WINDOW);
        self.at.push(now);
        self.lengthen();
        if self.at.len() >= TOO_MANY { Verdict::TooMany } else { Verdict::Restart(self.pause) }
    }

    /// It could not begin, which is not its fault: only the pause grows.
    pub fn could_not_begin(&mut self) -> Duration {
        self.lengthen();
        self.pause
    }

    fn lengthen(&mut self) {
        self.pause = if self.pause.is_zero() { FIRST_PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
    }

    /// The pause when there is nothing to go back to.
    pub fn pause(&self) -> Duration {
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_a_minute() {
        let mut crashes = Crashes::default();
        let pauses: Vec<_> = (1..9).map(|at| (crashes.add(WINDOW * at, SECOND), crashes.pause().as_secs()).1).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn the_fifth_end_in_ten_minutes_is_too_many() {
        let mut crashes = Crashes::default();
        let verdicts: Vec<_> = (0..5).map(|at| crashes.add(SECOND * at, SECOND)).collect();
        assert!(verdicts[..4].iter().all(|verdict| *verdict != Verdict::TooMany));
        assert_eq!(verdicts[4], Verdict::TooMany);
    }

    #[test]
    fn ten_good_minutes_forgive_everything() {
        let mut crashes = Crashes::default();
        for at in 0..4 {
            crashes.add(SECOND * at, SECOND);
        }
        assert_eq!(crashes.add(SECOND * 700, WINDOW), Verdict::Restart(FIRST_PAUSE));
    }

    #[test]
    fn what_cannot_begin_is_never_too_much() {
        let mut crashes = Crashes::default();
        let pauses: Vec<_> = (0..9).map(|_| crashes.could_not_begin().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(crashes.add(SECOND, SECOND), Verdict::Restart(LONGEST_PAUSE));
    }
}
