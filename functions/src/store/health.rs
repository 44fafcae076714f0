//! Health of the store, as far as this process has seen: whether it takes writes, and whether what it holds is undamaged.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{StoreError, fault};
use crate::{clock::Clock, errors::chain};

/// For how long an acknowledged write proves that the store takes writes.
const PROOF: SignedDuration = SignedDuration::from_secs(10);

/// What was seen.
pub struct Health {
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    written_at: Option<Timestamp>,
    failing: Option<(Timestamp, String)>,
    outage: Option<Outage>,
    damage: Option<String>,
}

/// A time in which the store took no writes. It is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// When the first write failed.
    pub since: Timestamp,
    /// When one was acknowledged again.
    pub until: Timestamp,
    /// Why the first one failed.
    pub why: String,
}

impl Health {
    /// Nothing was seen yet.
    pub fn by(clock: Arc<dyn Clock>) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    /// Whether a write was acknowledged lately. If none was, that alone is no fault: a server may have nothing to write.
    pub fn is_proven(&self) -> bool {
        let seen = self.seen();
        // By whichever clock: one that was set back proves nothing.
        seen.written_at.is_some_and(|at| self.clock.now().duration_since(at).abs() < PROOF)
    }

    /// Whether the last write failed.
    pub fn is_failing(&self) -> bool {
        self.seen().failing.is_some()
    }

    /// What the last integrity check found, unless it was nothing.
    pub fn undamaged(&self) -> Result<(), StoreError> {
        self.seen().damage.clone().map_or(Ok(()), |damage| Err(fault("pass its integrity check")(damage)))
    }

    /// The last outage that is over, once.
    pub fn take_outage(&self) -> Option<Outage> {
        self.seen().outage.take()
    }

    /// The outcome of a commit. One that lost a race says nothing.
    pub(super) fn hears(&self, done: &Result<(), StoreError>) {
        let now = self.clock.now();
        let mut seen = self.seen();
        match done {
            Ok(()) => {
                seen.written_at = Some(now);
                if let Some((since, why)) = seen.failing.take().filter(|(since, _)| now.duration_since(*since) >= PROOF)
                {
                    tracing::info!("The store takes writes again. It took none since {since}: {why}.");
                    seen.outage = Some(Outage { since, until: now, why });
                }
            }
            Err(StoreError::Stale { .. } | StoreError::Cursor) => {}
            Err(error) => {
                seen.written_at = None;
                seen.failing.get_or_insert_with(|| (now, chain(error)));
            }
        }
    }

    /// The outcome of an integrity check. One that could not be made says nothing.
    pub(super) fn checked(&self, found: &Result<(), StoreError>) {
        match found {
            Ok(()) => self.seen().damage = None,
            Err(StoreError::Fault { source, .. }) => self.seen().damage = Some(source.to_string()),
            Err(_) => {}
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
