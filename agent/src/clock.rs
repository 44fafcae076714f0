//! The server's clock as the host knows it: deadlines are the server's, and a host's own clock may be years off.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::sys::machine::since_boot;

/// The server's time, from its last word and the time since then; time asleep counts.
#[derive(Debug, Default)]
pub struct ServerClock(Mutex<Option<Reading>>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    server: Timestamp,
    at: Duration,
}

impl ServerClock {
    /// The server has said what time it is.
    pub fn learn(&self, server: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reading { server, at: since_boot() });
    }

    /// What time the server has now; the host's own time while it has said nothing.
    pub fn now(&self) -> Timestamp {
        let reading = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Reading { server, at }) = reading else { return Timestamp::now() };
        server.checked_add(since_boot().saturating_sub(at)).unwrap_or(server)
    }
}
