//! Server clock: deadlines use the server's time, because a host's own clock may be years off.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::sys::machine::since_boot;

/// The server's time, from its last word and the time since then; time asleep counts.
#[derive(Debug)]
pub struct ServerClock {
    since_boot: fn() -> Duration,
    reading: Mutex<Option<Reading>>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    server: Timestamp,
    at: Duration,
}

impl Default for ServerClock {
    fn default() -> Self {
        Self::by(since_boot)
    }
}

impl ServerClock {
    /// A clock that knows by this how time passes.
    pub fn by(since_boot: fn() -> Duration) -> Self {
        Self { since_boot, reading: Mutex::default() }
    }

    /// The server has said what time it is.
    pub fn learn(&self, server: Timestamp) {
        let reading = Reading { server, at: (self.since_boot)() };
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    /// The server's time now; the host's own time until the server has answered.
    pub fn now(&self) -> Timestamp {
        let reading = *self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Reading { server, at }) = reading else { return Timestamp::now() };
        server.checked_add((self.since_boot)().saturating_sub(at)).unwrap_or(server)
    }
}
