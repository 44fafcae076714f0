//! Readings of the clock: what a tick may end for good. A process that has just started does not know whether its clock was set
//! ahead meanwhile, so the time of the last tick is stored now and then.

use std::time::Duration;

use muster_domain::clocks::Reading;

use crate::{
    app::App,
    commit::{keep, put},
    errors::chain,
    records,
    store::{Consistency, Expect, StoreError},
    tick::{self, Summary},
};

/// How often a reading is stored that says nothing new.
const STORE_EVERY: Duration = Duration::from_mins(5);

/// The readings of a process.
#[derive(Debug, Default)]
pub struct Readings {
    last: Option<Reading>,
    stored: Option<Reading>,
}

impl Readings {
    /// Goes on from what is stored, which also says how large the fleet was.
    pub async fn of(app: &App) -> Self {
        let found = app.load::<Reading>(&records::clock::reading(), Consistency::Strong).await;
        let stored = found.unwrap_or_else(|error| {
            tracing::warn!("Cannot read when the last tick was: {}", chain(&error));
            None
        });
        let stored = stored.map(|found| found.record);
        if let Some(reading) = stored {
            app.presence.had(usize::try_from(reading.hosts).unwrap_or_default());
        }
        Self { last: stored, stored }
    }

    /// Runs the tick once, up to the time that has certainly come.
    pub async fn tick(&mut self, app: &App) -> Result<Summary, StoreError> {
        let now = app.now();
        let before = self.last.and_then(|last| last.doubted_since);
        let hosts = u32::try_from(app.presence.most()).unwrap_or(u32::MAX);
        let reading = Reading { hosts, ..Reading::next(self.last, now) };
        self.last = Some(reading);
        if before.is_none() && reading.doubted_since.is_some() {
            tracing::warn!(
                "The clock is far ahead of the last tick, which was at {}. Jobs end by it in ten minutes, unless it is set back.",
                reading.at
            );
        }
        self.store(app, reading).await;
        tick::run_until(app, reading.certain(now)).await
    }

    /// Where it fails, the next one is stored.
    async fn store(&mut self, app: &App, reading: Reading) {
        let says_more = |stored: &Reading| {
            let age = reading.at.duration_since(stored.at).unsigned_abs();
            age >= STORE_EVERY || stored.doubted_since != reading.doubted_since || stored.hosts < reading.hosts / 2
        };
        if !self.stored.as_ref().is_none_or(says_more) {
            return;
        }
        let write = put(records::clock::reading(), 1, Vec::new(), &reading, Expect::Any);
        match keep(app, vec![write]).await {
            Ok(()) => self.stored = Some(reading),
            Err(error) => tracing::debug!("Cannot store the reading of the clock: {}", chain(&error)),
        }
    }
}
