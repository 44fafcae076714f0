//! Suspend detection: after a suspend the connections are dead, and all machines of a rack may wake at the same time.

use std::time::{Duration, Instant};

use crate::sys::machine::since_boot;

/// Less is what the two clocks differ by when they are read one after the other.
const LEAST: Duration = Duration::from_secs(5);

/// The clock that goes on while the machine sleeps, and the one that does not.
#[derive(Debug)]
pub struct Watch {
    since_boot: Duration,
    awake: Instant,
}

impl Watch {
    /// From now on.
    pub fn new() -> Self {
        Self { since_boot: since_boot(), awake: Instant::now() }
    }

    /// How long the machine has slept since the last look, if it has.
    pub fn slept(&mut self) -> Option<Duration> {
        let now = Self::new();
        let slept = slept(now.since_boot.saturating_sub(self.since_boot), now.awake - self.awake);
        *self = now;
        slept
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

fn slept(passed: Duration, awake: Duration) -> Option<Duration> {
    passed.checked_sub(awake).filter(|slept| *slept >= LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_that_passed_without_the_machine_was_slept_through() {
        let seconds = Duration::from_secs;
        assert_eq!(slept(seconds(7_000), seconds(100)), Some(seconds(6_900)));
        assert_eq!(slept(seconds(104), seconds(100)), None);
        assert_eq!(slept(seconds(100), seconds(104)), None);
        assert_eq!(Watch::new().slept(), None);
    }
}
