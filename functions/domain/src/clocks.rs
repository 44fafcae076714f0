//! Clock steps: what a server believes when the clock of its machine is set.
//!
//! A step back is believed at once: a time in the future is no sign of life, and no wait lasts longer than it may. A step
//! ahead ends what was to last, and what has ended does not begin again. So it is believed only once it has lasted for a while:
//! a clock that is set back before leaves no trace.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::times::after;

/// A difference of two clocks that is no step: how they drift apart between two looks.
const STEP: SignedDuration = SignedDuration::from_secs(5);
/// How long a step ahead must last before it is believed.
pub const DOUBT_SECONDS: u32 = 600;
/// The longest time between two readings, one of which is stored, that raises no doubt: a restart lies between them.
const LONGEST_GAP_SECONDS: u32 = 600;

/// A process's own time: the clock on the wall as long as that goes, by a clock that nobody sets, at the pace of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnTime {
    wall: Timestamp,
    elapsed: SignedDuration,
    ahead_since: Option<SignedDuration>,
}

impl OwnTime {
    /// From this moment on, by both clocks.
    pub fn from(wall: Timestamp, elapsed: SignedDuration) -> Self {
        Self { wall, elapsed, ahead_since: None }
    }

    /// The time, by both clocks now.
    pub fn look(&mut self, wall: Timestamp, elapsed: SignedDuration) -> Timestamp {
        let own = self.wall.checked_add(elapsed - self.elapsed).unwrap_or(Timestamp::MAX);
        if wall.duration_since(own) > STEP {
            let since = *self.ahead_since.get_or_insert(elapsed);
            if elapsed - since < SignedDuration::from_secs(DOUBT_SECONDS.into()) {
                return own;
            }
        }
        *self = Self::from(wall, elapsed);
        wall
    }
}

/// What the last tick read from the clock, stored: a new process, and a function that forgets, know by it what a step ahead
/// would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The time that has certainly come.
    pub at: Timestamp,
    /// Since when the clock is further ahead than a restart explains, by that clock. Absent: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_since: Option<Timestamp>,
    /// How many hosts the process had heard from: a new one has heard from none yet.
    #[serde(default)]
    pub hosts: u32,
}

impl Reading {
    /// The reading after the one that is known.
    #[must_use]
    pub fn next(known: Option<Self>, now: Timestamp) -> Self {
        let fresh = Self { at: now, doubted_since: None, hosts: known.map_or(0, |known| known.hosts) };
        let Some(known) = known.filter(|known| now > after(known.at, LONGEST_GAP_SECONDS)) else { return fresh };
        match known.doubted_since {
            Some(since) if now >= after(since, DOUBT_SECONDS) => fresh,
            Some(since) if now >= since => known,
            Some(_) | None => Self { doubted_since: Some(now), ..known },
        }
    }

    /// The latest time that has certainly come.
    pub fn certain(&self, now: Timestamp) -> Timestamp {
        if self.doubted_since.is_some() { self.at } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_000 * DAY;
    const DAY: i64 = 86_400;
    /// 60 s, 2 h, 2 days, 2 years.
    const STEPS: [i64; 4] = [60, 2 * 3_600, 2 * DAY, 730 * DAY];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("it is a time")
    }

    /// A process's own time, of a wall clock that is off by so much from the tenth second to the end of the step.
    fn own_time(step: i64, end: i64, seconds: i64) -> Vec<i64> {
        let mut own = OwnTime::from(at(NOON), SignedDuration::ZERO);
        let mut look = |second: i64| {
            let off = if (10..end).contains(&second) { step } else { 0 };
            own.look(at(NOON + second + off), SignedDuration::from_secs(second)).as_second() - NOON
        };
        (0..seconds).map(&mut look).collect()
    }

    #[test]
    fn a_step_ahead_that_does_not_last_leaves_no_trace() {
        for step in STEPS {
            assert_eq!(own_time(step, 500, 700), (0..700).collect::<Vec<_>>(), "{step} s ahead");
        }
    }

    #[test]
    fn a_step_ahead_that_lasts_is_believed_after_ten_minutes() {
        for step in STEPS {
            let own = own_time(step, i64::MAX, 620);
            assert_eq!((own[609], own[610], own[619]), (609, 610 + step, 619 + step));
        }
    }

    #[test]
    fn a_step_back_is_believed_at_once() {
        for step in STEPS {
            assert_eq!(own_time(-step, 500, 11)[10], 10 - step);
        }
    }

    #[test]
    fn a_clock_that_drifts_is_followed() {
        let mut own = OwnTime::from(at(NOON), SignedDuration::ZERO);
        for hour in 1..1_000 {
            let wall = at(NOON + hour * 3_601);
            assert_eq!(own.look(wall, SignedDuration::from_hours(hour)), wall);
        }
    }

    #[test]
    fn after_a_restart_a_clock_that_is_far_ahead_is_believed_after_ten_minutes_and_one_that_is_behind_at_once() {
        let known = Reading::next(None, at(NOON));
        assert_eq!(known.certain(at(NOON)), at(NOON), "the first start knows nothing to doubt");
        for step in STEPS {
            let (ahead, behind) = (NOON + 20 + step, NOON + 20 - step);
            let after = Reading::next(Some(known), at(behind));
            assert_eq!((after.at, after.certain(at(behind))), (at(behind), at(behind)));
            if step < i64::from(LONGEST_GAP_SECONDS) {
                continue;
            }
            let doubted = Reading::next(Some(known), at(ahead));
            assert_eq!(doubted.certain(at(ahead)), at(NOON), "{step} s");
            let later = Reading::next(Some(doubted), at(ahead + 599));
            assert_eq!(later.certain(at(ahead + 599)), at(NOON));
            let back = Reading::next(Some(later), at(NOON + 590));
            assert_eq!((back.doubted_since, back.certain(at(NOON + 590))), (None, at(NOON + 590)), "it was set back");
            let partly = Reading::next(Some(later), at(NOON + 601));
            assert_eq!(partly.certain(at(NOON + 601)), at(NOON), "perhaps not all the way");
            let believed = Reading::next(Some(later), at(ahead + 600));
            assert_eq!(believed.certain(at(ahead + 600)), at(ahead + 600));
        }
    }
}
