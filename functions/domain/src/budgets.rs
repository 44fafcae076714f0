//! Rate limit: how many requests one caller may make, so that a caller in a loop does not slow down the others.
//!
//! The generic cell rate algorithm (GCRA): the state of a budget is one time, at which it is full again. Each request moves
//! that time forward by its cost; a request that would exceed the burst is refused.
//!
//! The clock may be set. A budget never makes anybody wait for longer than it lasts itself: one that would be full further ahead
//! than that was spent by a clock that has been set back since, and begins anew.

use jiff::{SignedDuration, Timestamp};

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many requests it allows at once.
    pub burst: u32,
    /// How many it regains per second.
    pub per_second: u32,
}

impl Budget {
    /// Spends one request of a budget that is full again at `full_at`. Returns its new `full_at`, or how long to wait.
    pub fn spend(self, full_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, SignedDuration> {
        let one = SignedDuration::from_secs(1) / i32::try_from(self.per_second.max(1)).unwrap_or(i32::MAX);
        let whole = one * i32::try_from(self.burst.max(1)).unwrap_or(i32::MAX);
        let spent_by_this_clock = |full_at: &Timestamp| full_at.duration_since(now) <= whole;
        let full_at = full_at.filter(spent_by_this_clock).unwrap_or(now);
        let spent = full_at.max(now).checked_add(one).unwrap_or(Timestamp::MAX);
        let over = spent.duration_since(now) - whole;
        if over > SignedDuration::ZERO { Err(over) } else { Ok(spent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { burst: 3, per_second: 2 };

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).expect("it is a time")
    }

    #[test]
    fn a_burst_is_granted_at_once_and_then_so_many_a_second() {
        let mut full_at = None;
        let mut spend = |now| BUDGET.spend(full_at, at(now)).map(|spent| full_at = Some(spent)).is_ok();
        assert_eq!([0, 0, 0, 0, 499].map(&mut spend), [true, true, true, false, false]);
        assert_eq!([500, 500, 1_000, 1_100].map(&mut spend), [true, false, true, false]);
        assert_eq!([9_000, 9_000, 9_000, 9_000].map(&mut spend), [true, true, true, false], "it is full again");
    }

    #[test]
    fn who_is_refused_is_told_how_long() {
        let full_at = at(1_500);
        assert_eq!(BUDGET.spend(Some(full_at), at(0)), Err(SignedDuration::from_millis(500)));
    }

    #[test]
    fn a_clock_that_is_set_keeps_nobody_out() {
        let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
        for step in [minute, 2 * hour, 2 * day, 730 * day] {
            for step in [step, -step] {
                let now = at(800 * day);
                let stepped = at(800 * day + step);
                let spent = (0..3).fold(None, |full_at, _| BUDGET.spend(full_at, now).ok());
                assert!(BUDGET.spend(spent, now).is_err(), "it was spent");
                let first = BUDGET.spend(spent, stepped);
                assert_eq!(first, Ok(at(800 * day + step + 500)), "after a step of {step} ms");
            }
        }
        assert!(BUDGET.spend(Some(Timestamp::MAX), at(0)).is_ok());
    }

    #[test]
    fn a_wait_is_never_longer_than_the_whole_budget_lasts() {
        for milliseconds in (0..20_000).step_by(50) {
            if let Err(wait) = BUDGET.spend(Some(at(milliseconds)), at(0)) {
                assert!(wait <= SignedDuration::from_millis(1_500), "{wait} at {milliseconds}");
            }
        }
    }
}
