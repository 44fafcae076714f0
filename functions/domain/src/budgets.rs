//! Rate limit: how many requests one caller may make, so that a caller in a loop does not slow down the others.
//!
//! The generic cell rate algorithm (GCRA): the state of a budget is one time, at which it is full again. Each request moves
//! that time forward by its cost; a request that would exceed the burst is refused.

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
        let spent = full_at.unwrap_or(now).max(now).checked_add(one).unwrap_or(Timestamp::MAX);
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
        assert!(BUDGET.spend(Some(Timestamp::MAX), at(0)).is_err());
    }
}
