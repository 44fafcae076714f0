//! Sign-in throttle (brute force): a try is counted, or has to wait. Tries of a name are counted by the address or the device
//! that they come from, in the table, because functions share no memory. What an address may try at all, and what a name may be
//! tried at all, is counted by each process.

use std::net::IpAddr;

use jiff::SignedDuration;
use muster_domain::sign_ins::{OF_A_NAME, OF_AN_ADDRESS, Tries};
use muster_schemas::envelopes::sha256_hex;

use super::addresses::group;
use crate::{
    api::problem::Failure,
    app::App,
    commit::{keep, put},
    places::{Lane, Place},
    records,
    store::{Consistency, Expect, Key, StoreError, Write},
};

/// How often a try is counted again that another one of the same caller came before.
const RACES: u32 = 16;
const TOO_MANY: &str = "too many wrong passwords for this name from this address";
const TOO_MANY_FROM_THERE: &str = "too many sign-ins from this address";
const TOO_MANY_EVERYWHERE: &str = "too many wrong passwords for this name from places that it has not signed in from";

/// Somebody who wants to sign in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The name.
    pub username: &'a str,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// The device, if the name has signed in there before.
    pub device: Option<&'a str>,
}

/// A try that was counted. Its place in the queue is kept until it is dropped.
pub struct Try {
    key: Key,
    revision: u64,
    /// Whether the next one has to wait if this one is wrong, and this one had not.
    pub begins_the_wait: bool,
    _place: Place,
}

impl Try {
    /// After a right password: the tries before are forgotten, and that the name has signed in from there is remembered.
    pub fn succeeded(&self, app: &App) -> Write {
        let none = Tries::none(app.now());
        put(self.key.clone(), self.revision + 1, Vec::new(), &none, Expect::Any).until(none.kept_until())
    }
}

impl Attempt<'_> {
    /// The address, as callers are counted.
    pub fn whence(&self) -> String {
        self.address.map(group).unwrap_or_default()
    }

    fn counted_by(&self) -> String {
        let caller = self.device.map_or_else(|| format!("from {}", self.whence()), |device| format!("device {device}"));
        // The name comes last: it may hold anything.
        sha256_hex(format!("{caller} {}", self.username).as_bytes())
    }

    /// A place in the queue, if the caller may try at all.
    fn takes_place(&self, app: &App, is_known: bool) -> Result<Place, Failure> {
        if is_known {
            let place = app.places.take(Lane::Known, Some(self.counted_by()));
            return place.ok_or_else(busy);
        }
        let spend = |what: String, budget, detail| {
            app.budgets.spend(&what, budget, app.now()).map_err(|wait| Failure::too_many(detail, wait))
        };
        let caller = self.address.map(group);
        if let Some(caller) = &caller {
            spend(format!("sign-in from {caller}"), OF_AN_ADDRESS, TOO_MANY_FROM_THERE)?;
        }
        let place = app.places.take(Lane::Strangers, caller).ok_or_else(busy)?;
        let name = sha256_hex(self.username.as_bytes());
        spend(format!("sign-in as {name}"), OF_A_NAME, TOO_MANY_EVERYWHERE)?;
        Ok(place)
    }
}

/// Counts a try, or says that it comes too soon. Before its password is verified: of many at once each is counted.
pub async fn admit(app: &App, attempt: &Attempt<'_>) -> Result<Try, Failure> {
    let key = records::sessions::sign_in(&attempt.counted_by());
    let mut place = None;
    for _ in 0..RACES {
        let found = app.load::<Tries>(&key, Consistency::Strong).await?;
        let known = found.as_ref().map(|found| &found.record);
        let next = Tries::once_more(known, app.now()).map_err(|wait| Failure::too_many(TOO_MANY, wait))?;
        let taken = match place.take() {
            Some(place) => place,
            None => attempt.takes_place(app, next.known || attempt.device.is_some())?,
        };
        let (revision, expect) =
            found.map_or((1, Expect::Absent), |found| (found.revision + 1, Expect::Revision(found.revision)));
        let write = put(key.clone(), revision, Vec::new(), &next, expect).until(next.kept_until());
        match keep(app, vec![write]).await {
            Err(StoreError::Stale { .. }) => place = Some(taken),
            done => {
                done?;
                return Ok(Try { key, revision, begins_the_wait: next.begin_the_wait(), _place: taken });
            }
        }
    }
    Err(busy())
}

/// There is no place now; there will be soon.
fn busy() -> Failure {
    Failure::too_many("too many sign-ins at once", SignedDuration::from_secs(1))
}
