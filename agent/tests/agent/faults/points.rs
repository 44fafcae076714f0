//! Which points are gone through, and how many of them held.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// So many hosts at a time: they wait, mostly.
const AT_ONCE: usize = 12;
/// So many before the last point are never left out. By so many may the work be shorter another time.
const LAST: u64 = 3;

/// Whether what was to happen at a point has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    Yes,
    /// The work was over before: it is not the same to the last change each time.
    No,
}

/// Tries each of the points from 1 to `last`, or `some` of them, and tells how many held.
pub fn each(what: &str, last: u64, some: u64, held: impl Fn(u64) -> Reached + Sync) {
    let points: Vec<_> = chosen(last, some).into_iter().collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = catch_unwind(AssertUnwindSafe(|| held(*point)));
                    done.lock().unwrap().push((*point, outcome.ok()));
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    let count = |wanted| done.iter().filter(|(_, outcome)| *outcome == wanted).count();
    let (failed, missed) = (count(None), count(Some(Reached::No)));
    let total = done.len();
    say(&format!("{what}: {}/{total} points of {last} held, {missed} of them not reached", total - failed));
    let failed: Vec<_> = done.iter().filter(|(_, outcome)| outcome.is_none()).map(|(point, _)| point).collect();
    assert!(failed.is_empty(), "{what}: it did not hold at {failed:?}");
    let spread = usize::try_from(LAST).unwrap();
    assert!(missed <= spread + total / 10, "{what}: {missed} of {total} points were not reached");
}

/// A part of the points holds the last ones as well: there everything was told.
fn chosen(last: u64, some: u64) -> BTreeSet<u64> {
    match std::env::var("MUSTER_FAULTS").as_deref() {
        Ok("all") => (1..=last).collect(),
        Ok(one) => [one.parse().expect("MUSTER_FAULTS is `all` or a point")].into(),
        Err(_) => (0..some).map(|index| 1 + index * last / some).chain(last.saturating_sub(LAST)..=last).collect(),
    }
}

/// Says it although the test may hold.
pub fn say(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}
