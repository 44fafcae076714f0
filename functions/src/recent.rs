//! What was read a moment ago, in the memory of this process only: for what every request asks, and what seldom changes.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long it holds. Another process may have changed it meanwhile.
const HOLDS: SignedDuration = SignedDuration::from_secs(5);
/// How many are kept before all are forgotten.
const MOST: usize = 1_024;

/// Values by key, each with when it was read.
#[derive(Debug)]
pub struct Recent<K, V>(Mutex<HashMap<K, (V, Timestamp)>>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Copy> Recent<K, V> {
    /// The value, if it was read a moment ago.
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied();
        // Also after the clock was set back: when it was read is not known then.
        known.filter(|(_, at)| (SignedDuration::ZERO..HOLDS).contains(&now.duration_since(*at))).map(|(value, _)| value)
    }

    /// Keeps what was read.
    pub fn keep(&self, key: K, value: V, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, (value, now));
    }

    /// Forgets what this process has just changed.
    pub fn forget(&self, key: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_holds_for_a_moment_and_not_after_the_clock_was_set_back() {
        let at = |second| Timestamp::from_second(second).expect("it is a time");
        let recent = Recent::default();
        recent.keep("key", 7, at(100));
        let seen = [100, 104, 105, 99].map(|second| recent.get(&"key", at(second)));
        assert_eq!(seen, [Some(7), Some(7), None, None]);
        recent.forget(&"key");
        assert_eq!(recent.get(&"key", at(100)), None);
    }
}
