//! Waiting for what no request can be held for: files, and the ends of processes. Always with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything may take; only a test that fails takes so long.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks.
const GLANCE: Duration = Duration::from_millis(2);
/// Between two questions to a server that holds none.
const BREATH: Duration = Duration::from_millis(50);

/// Looks until there is something to see; what was waited for is said when there never is.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look)
}

/// The same, with a patience of one's own.
pub fn until_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {} s in vain: {what}", patience.as_secs());
        thread::sleep(GLANCE);
    }
}

/// Waits a little before a question is asked again that was answered at once.
pub fn breathe() {
    thread::sleep(BREATH);
}

/// Looks until something is so.
pub fn until_so(what: &str, mut so: impl FnMut() -> bool) {
    until(what, || so().then_some(()));
}
