//! Memory of bodies on their way: requests that arrive, or answers that leave, bounded in bytes for all callers together and for
//! each of them. Only what has come is counted: nothing is set aside for what a caller merely announces.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The part of it that callers without a credential may have together: they leave the rest to those who have one.
const OF_STRANGERS: usize = 2;
/// The part of it that one caller may have, and how much that is at least: more than the largest body.
const OF_ONE: usize = 8;
const LEAST_OF_ONE: usize = 4 * 1024 * 1024;

/// All of it.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    by_caller: HashMap<String, usize>,
}

/// Why there is no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All callers together have all of it.
    All,
    /// This caller has as much as one may have.
    Own,
}

/// What one body has of it, until it is dropped.
#[derive(Debug)]
pub struct Share {
    memory: Arc<Memory>,
    caller: String,
    bytes: usize,
}

impl Memory {
    /// So many bytes.
    pub fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    /// A share of nothing, to be grown. A caller without a credential has no name.
    pub fn share(self: &Arc<Self>, caller: &str) -> Share {
        Share { memory: Arc::clone(self), caller: caller.into(), bytes: 0 }
    }

    /// How much of it is held.
    pub fn held(&self) -> usize {
        self.lock().bytes
    }

    fn most_of(&self, caller: &str) -> usize {
        if caller.is_empty() { self.most / OF_STRANGERS } else { (self.most / OF_ONE).max(LEAST_OF_ONE) }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes so many bytes more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let Self { memory, caller, .. } = self;
        let mut held = memory.lock();
        let own = held.by_caller.get(caller).copied().unwrap_or_default();
        if held.bytes.saturating_add(bytes) > memory.most {
            return Err(Full::All);
        }
        if own.saturating_add(bytes) > memory.most_of(caller) {
            // Strangers are many: to each of them it is full.
            return Err(if caller.is_empty() { Full::All } else { Full::Own });
        }
        held.bytes += bytes;
        *held.by_caller.entry(caller.clone()).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.memory.lock();
        held.bytes -= self.bytes;
        if let Some(own) = held.by_caller.get_mut(&self.caller) {
            *own -= self.bytes;
            if *own == 0 {
                held.by_caller.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn all_bodies_together_have_no_more_than_there_is_and_give_it_back() {
        let memory = Arc::new(Memory::new(64 * MIB));
        let mut shares = (0..20).map(|caller| memory.share(&caller.to_string())).collect::<Vec<_>>();
        let taken = shares.iter_mut().filter_map(|share| share.grow(4 * MIB).ok()).count();
        assert_eq!((taken, memory.held()), (16, 64 * MIB));
        assert_eq!(shares[16].grow(1), Err(Full::All));
        shares.clear();
        assert_eq!((memory.held(), memory.lock().by_caller.len()), (0, 0));
    }

    #[test]
    fn nobody_alone_takes_it_from_the_others() {
        let memory = Arc::new(Memory::new(64 * MIB));
        let (mut one, mut again, mut other) = (memory.share("one"), memory.share("one"), memory.share("other"));
        assert_eq!(one.grow(8 * MIB), Ok(()));
        assert_eq!((again.grow(1), other.grow(8 * MIB)), (Err(Full::Own), Ok(())));
        drop(one);
        assert_eq!(again.grow(8 * MIB), Ok(()));
    }

    #[test]
    fn callers_without_a_credential_leave_half_of_it_to_those_who_have_one() {
        let memory = Arc::new(Memory::new(64 * MIB));
        let mut strangers = (0..100).map(|_| memory.share("")).collect::<Vec<_>>();
        assert_eq!(strangers.iter_mut().filter_map(|share| share.grow(MIB).ok()).count(), 32);
        assert_eq!(memory.share("one").grow(MIB), Ok(()));
    }
}
