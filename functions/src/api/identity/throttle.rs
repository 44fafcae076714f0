//! Sign-in throttle (brute force): after a number of wrong passwords a name has to wait before the next try, longer each time.
//! Counted in the table, because functions share no memory.

use jiff::Timestamp;
use muster_domain::times::after;
use muster_schemas::{
    envelopes::sha256_hex,
    problems::{Problem, ProblemCode},
};
use serde::{Deserialize, Serialize};

use crate::{
    api::problem::Failure,
    app::App,
    commit::{keep, put},
    records,
    store::{Consistency, Expect, Key, StoreError},
};

/// How often a name may be tried without a right password before the next try has to wait, and for how long at most, in
/// seconds: it doubles from one second on.
const FREE_TRIES: u32 = 10;
const LONGEST_WAIT_SECONDS: u32 = 60;
/// When tries are forgotten, in seconds.
const TRIES_KEPT_SECONDS: u32 = 3_600;
/// How often a try is counted again that another one of the same name came before.
const RACES: u32 = 8;

/// Tries of a name that no right password has followed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tries {
    count: u32,
    last_at: Timestamp,
}

impl Tries {
    fn wait_seconds(&self) -> u32 {
        let too_many = self.count.checked_sub(FREE_TRIES);
        too_many.map_or(0, |too_many| 1_u32.checked_shl(too_many).unwrap_or(u32::MAX).min(LONGEST_WAIT_SECONDS))
    }
}

/// A try that was counted.
pub struct Try {
    /// Where the tries of its name are kept; a right password removes them.
    pub kept_at: Key,
    /// Whether the next one has to wait if this one is wrong, and this one had not.
    pub begins_the_wait: bool,
}

/// Counts a try of this name, or says that it comes too soon. Before its password is verified: of many at once each is
/// counted.
pub async fn count_try(app: &App, username: &str) -> Result<Try, Failure> {
    let key = records::sessions::sign_in(&sha256_hex(username.as_bytes()));
    for _ in 0..RACES {
        let found = app.load::<Tries>(&key, Consistency::Strong).await?;
        let (now, revision) = (app.now(), found.as_ref().map(|found| found.revision));
        let known = found.map(|found| found.record).filter(|known| now < after(known.last_at, TRIES_KEPT_SECONDS));
        if known.as_ref().is_some_and(|known| now < after(known.last_at, known.wait_seconds())) {
            let detail = "too many wrong passwords for this name";
            return Err(Problem::new(ProblemCode::TooManyRequests).detail(detail).into());
        }
        let next = Tries { count: known.map_or(0, |known| known.count) + 1, last_at: now };
        let expect = revision.map_or(Expect::Absent, Expect::Revision);
        let write = put(key.clone(), revision.unwrap_or(0) + 1, Vec::new(), &next, expect);
        let write = write.until(after(now, TRIES_KEPT_SECONDS));
        match keep(app, vec![write]).await {
            Err(StoreError::Stale { .. }) => {}
            done => return Ok(done.map(|()| Try { kept_at: key, begins_the_wait: next.count == FREE_TRIES })?),
        }
    }
    Err(Failure::of(ProblemCode::TooManyRequests))
}
