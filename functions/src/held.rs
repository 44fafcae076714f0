//! Held requests, by caller: how many each caller has, so that nobody holds the connections of all. In the memory of this
//! process only.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// All held requests of this process. Cheap to clone: the same ones.
#[derive(Debug, Clone, Default)]
pub struct HeldRequests(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    next: u64,
    by_caller: HashMap<String, BTreeMap<u64, Arc<Notify>>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct HeldRequest {
    all: HeldRequests,
    caller: String,
    number: u64,
    let_go: Arc<Notify>,
}

impl HeldRequests {
    /// A request of this caller that is held from now on.
    pub fn begin(&self, caller: impl Into<String>) -> HeldRequest {
        let (caller, let_go) = (caller.into(), Arc::<Notify>::default());
        let mut held = self.lock();
        held.next += 1;
        let number = held.next;
        held.by_caller.entry(caller.clone()).or_default().insert(number, Arc::clone(&let_go));
        HeldRequest { all: self.clone(), caller, number, let_go }
    }

    /// How many this caller has.
    pub fn of(&self, caller: &str) -> usize {
        self.lock().by_caller.get(caller).map_or(0, BTreeMap::len)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().by_caller.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lock().by_caller.is_empty()
    }

    /// Lets go the oldest request of whoever has most, if somebody has more than one: it is answered at once. For a caller
    /// who has none.
    pub fn let_go_of_most(&self) -> bool {
        let mut held = self.lock();
        let most = held.by_caller.values_mut().max_by_key(|requests| requests.len());
        let oldest = most.filter(|requests| requests.len() > 1).and_then(BTreeMap::pop_first);
        oldest.is_some_and(|(_, let_go)| {
            let_go.notify_one();
            true
        })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldRequest {
    /// Whether its caller has more than so many.
    pub fn is_over(&self, most: usize) -> bool {
        self.all.of(&self.caller) > most
    }

    /// Until it has to be answered, so that its connection is free for somebody else.
    pub async fn let_go(&self) {
        self.let_go.notified().await;
    }
}

impl Drop for HeldRequest {
    fn drop(&mut self) {
        let mut held = self.all.lock();
        if let Some(requests) = held.by_caller.get_mut(&self.caller) {
            requests.remove(&self.number);
            if requests.is_empty() {
                held.by_caller.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_request_of_whoever_has_most_is_let_go() {
        let held = HeldRequests::default();
        let one = held.begin("one");
        let [first, second] = [held.begin("two"), held.begin("two")];
        assert!(held.let_go_of_most());
        first.let_go().await;
        assert_eq!((held.of("one"), held.of("two")), (1, 1));
        assert!(!held.let_go_of_most(), "nobody has more than one");
        drop((one, first, second));
        assert!(held.is_empty());
    }
}
