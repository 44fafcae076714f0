//! Sign-in throttle (brute force): how often one caller may try one name, and how long the caller has to wait then.
//!
//! Tries are counted for a name from one address, so that strangers elsewhere lock nobody out. A browser in which somebody
//! has signed in before has tries of its own.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{budgets::Budget, times::after};

/// How often a name may be tried without a right password before the next try has to wait.
pub const FREE_TRIES: u32 = 10;
/// The wait doubles from one second to this, in seconds.
const LONGEST_WAIT_SECONDS: u32 = 60;
/// When tries are forgotten, in seconds.
const TRIES_KEPT_SECONDS: u32 = 3_600;
/// How long it is remembered that somebody has signed in from an address, in seconds.
const KNOWN_SECONDS: u32 = 30 * 86_400;

/// How often one address may try names with which nobody has signed in from there, whatever the names are.
pub const OF_AN_ADDRESS: Budget = Budget { burst: 30, per_second: 1 };
/// How often a name may be tried from all addresses together that nobody has signed in from with it.
pub const OF_A_NAME: Budget = Budget { burst: 1_000, per_second: 1 };

/// Tries of one caller with one name that no right password has followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
    /// Whether somebody has signed in with this name from there.
    #[serde(default)]
    pub known: bool,
}

impl Tries {
    /// One more try, or how long it has to wait.
    pub fn once_more(found: Option<&Self>, now: Timestamp) -> Result<Self, SignedDuration> {
        let Some(found) = found else { return Ok(Self { count: 1, last_at: now, known: false }) };
        let since = now.duration_since(found.last_at);
        // A clock that was set back: how long ago it was is not known, and nobody waits for the clock to catch up.
        let left = SignedDuration::from_secs(found.wait_seconds().into()) - since;
        if !since.is_negative() && left > SignedDuration::ZERO {
            return Err(left);
        }
        let forgotten = since >= SignedDuration::from_secs(TRIES_KEPT_SECONDS.into());
        let count = if forgotten { 1 } else { found.count.saturating_add(1) };
        Ok(Self { count, last_at: now, known: found.known })
    }

    /// After a right password.
    pub fn none(now: Timestamp) -> Self {
        Self { count: 0, last_at: now, known: true }
    }

    /// Whether the next try has to wait if this one is wrong, and this one had not.
    pub fn begin_the_wait(&self) -> bool {
        self.count == FREE_TRIES
    }

    /// Until when they are kept.
    pub fn kept_until(&self) -> Timestamp {
        after(self.last_at, if self.known { KNOWN_SECONDS } else { TRIES_KEPT_SECONDS })
    }

    fn wait_seconds(&self) -> u32 {
        let too_many = self.count.checked_sub(FREE_TRIES);
        too_many.map_or(0, |too_many| 1_u32.checked_shl(too_many).unwrap_or(u32::MAX).min(LONGEST_WAIT_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("it is a time")
    }

    fn tried(count: u32) -> Tries {
        Tries { count, last_at: at(1_000_000), known: false }
    }

    #[test]
    fn ten_tries_are_free_and_then_the_wait_doubles_up_to_a_minute() {
        let wait = |count| Tries::once_more(Some(&tried(count)), at(1_000_000)).err().map(|wait| wait.as_secs());
        let waits = [0, 9, 10, 11, 12, 16, 40, u32::MAX].map(wait);
        assert_eq!(waits, [None, None, Some(1), Some(2), Some(4), Some(60), Some(60), Some(60)]);
    }

    #[test]
    fn who_waits_is_told_how_long_and_may_try_again_then() {
        let tries = tried(13);
        assert_eq!(Tries::once_more(Some(&tries), at(1_000_003)), Err(SignedDuration::from_secs(5)));
        assert_eq!(Tries::once_more(Some(&tries), at(1_000_008)).map(|tries| tries.count), Ok(14));
    }

    #[test]
    fn tries_are_forgotten_after_an_hour_and_that_somebody_signed_in_there_is_not() {
        let known = Tries { known: true, ..tried(40) };
        let later = Tries::once_more(Some(&known), at(1_003_600)).expect("the wait is over");
        assert_eq!((later.count, later.known), (1, true));
        assert!(known.kept_until() > at(2_000_000) && tried(1).kept_until() < at(2_000_000));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        assert!(Tries::once_more(Some(&tried(40)), at(5)).is_ok());
    }

    #[test]
    fn what_was_stored_before_is_read() {
        let stored = r#"{"count":3,"last_at":"2026-11-30T00:00:00Z"}"#;
        assert!(serde_json::from_str::<Tries>(stored).is_ok_and(|tries| tries.count == 3 && !tries.known));
    }
}
