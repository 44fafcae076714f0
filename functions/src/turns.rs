//! Concurrency limit: expensive work is done a few at a time, overall and for each caller. Others wait for their turn, and are
//! sent away when too many wait already.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many have their turn at once, of all callers and of one.
const AT_ONCE: usize = 4;
const AT_ONCE_OF_ONE: usize = 2;
/// How many have their turn or wait for it, of all callers and of one: as many as one may hold, of which each may look again.
const MOST: usize = 1_024;
const MOST_OF_ONE: usize = 64;

/// All turns.
#[derive(Debug)]
pub struct Turns {
    free: Arc<Semaphore>,
    under_way: AtomicUsize,
    callers: Mutex<HashMap<String, Line>>,
}

/// One caller's.
#[derive(Debug)]
struct Line {
    free: Arc<Semaphore>,
    comers: usize,
}

/// Why there is no turn to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// Too many wait.
    All,
    /// Too many of this caller do.
    Own,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _free: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
    _comer: Comer<'a>,
}

/// One who has a turn or waits for it.
#[derive(Debug)]
struct Comer<'a> {
    turns: &'a Turns,
    caller: String,
}

impl Default for Turns {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), under_way: AtomicUsize::default(), callers: Mutex::default() }
    }
}

impl Turns {
    /// A turn of this caller, for which it waits if it must.
    pub async fn take(&self, caller: &str) -> Result<Turn<'_>, Busy> {
        let (comer, own) = self.comes(caller)?;
        // Its own first, so that who comes with many waits among few of the others.
        let own = own.acquire_owned().await.map_err(|_| Busy::All)?;
        let free = Arc::clone(&self.free).acquire_owned().await.map_err(|_| Busy::All)?;
        Ok(Turn { _free: free, _own: own, _comer: comer })
    }

    /// How many have a turn or wait for it.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn comes(&self, caller: &str) -> Result<(Comer<'_>, Arc<Semaphore>), Busy> {
        let mut callers = self.lock();
        if self.under_way() >= MOST {
            return Err(Busy::All);
        }
        let line = callers
            .entry(caller.into())
            .or_insert_with(|| Line { free: Arc::new(Semaphore::new(AT_ONCE_OF_ONE)), comers: 0 });
        if line.comers >= MOST_OF_ONE {
            return Err(Busy::Own);
        }
        line.comers += 1;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Ok((Comer { turns: self, caller: caller.into() }, Arc::clone(&line.free)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Comer<'_> {
    fn drop(&mut self) {
        let mut callers = self.turns.lock();
        self.turns.under_way.fetch_sub(1, Ordering::Relaxed);
        if let Some(line) = callers.get_mut(&self.caller) {
            line.comers -= 1;
            if line.comers == 0 {
                callers.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{join_all, poll_immediate};

    use super::*;

    /// How many of these have their turn at once, and how many are sent away.
    async fn come(turns: &Turns, callers: impl Iterator<Item = String>) -> (usize, usize) {
        let callers = callers.collect::<Vec<_>>();
        let mut asked = callers.iter().map(|caller| Box::pin(turns.take(caller))).collect::<Vec<_>>();
        let now = join_all(asked.iter_mut().map(poll_immediate)).await;
        let (taken, sent_away): (Vec<_>, Vec<_>) = now.into_iter().flatten().partition(Result::is_ok);
        (taken.len(), sent_away.len())
    }

    #[tokio::test]
    async fn one_caller_has_few_turns_at_once_and_is_sent_away_when_it_waits_too_often() {
        let turns = Turns::default();
        let of_one = (0..250).map(|_| "one".to_owned());
        assert_eq!(come(&turns, of_one).await, (AT_ONCE_OF_ONE, 250 - MOST_OF_ONE));
        assert_eq!((turns.under_way(), turns.lock().len()), (0, 0));
    }

    #[tokio::test]
    async fn all_callers_together_have_a_few_at_once() {
        let turns = Turns::default();
        let of_many = (0..1_100).map(|caller| caller.to_string());
        assert_eq!(come(&turns, of_many).await, (AT_ONCE, 1_100 - MOST));
        assert_eq!(turns.under_way(), 0);
    }

    #[tokio::test]
    async fn a_turn_that_ends_is_the_next_ones() {
        let turns = Turns::default();
        let first = turns.take("one").await.ok();
        let _second = turns.take("one").await.ok();
        let mut third = Box::pin(turns.take("one"));
        assert!(poll_immediate(&mut third).await.is_none());
        drop(first);
        assert!(third.await.is_ok());
    }
}
