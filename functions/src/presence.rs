//! Presence (heartbeat): which hosts hold a check-in of this process, and when others last did, in the memory of this process
//! only. If all of it is lost, what is stored tells, only later. Measured by a clock that nobody sets.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use muster_schemas::ids::HostId;

/// How many hosts that are gone are told of at once.
const MAX_GONE: usize = 200;
/// How long after an answer a host still counts as connected: its next check-in is on its way.
const NEXT_CHECK_IN: Duration = Duration::from_secs(5);

/// The hosts that hold or have held a check-in of this process.
#[derive(Debug, Default)]
pub struct Presence {
    hosts: Mutex<BTreeMap<HostId, Contact>>,
    most: AtomicUsize,
}

/// What is known of a host.
#[derive(Debug, Clone, Copy)]
struct Contact {
    session: u64,
    held: usize,
    last: Option<End>,
}

/// The end of a check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// When, by the clock that hosts and people know.
    pub at: Timestamp,
    /// When, by a clock that nobody sets.
    pub elapsed: Duration,
    /// Whether the host's connection was closed, and nothing was answered.
    pub closed: bool,
}

/// A host that did not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// The host.
    pub host: HostId,
    /// Its session.
    pub session: u64,
    /// The end of its last check-in.
    pub last: End,
}

/// Whether a host is there, as far as this process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It holds a check-in, or is about to begin the next one.
    Connected,
    /// It held one a moment ago.
    Lately,
    /// It held one, and did not come back.
    Gone,
    /// It never held one here.
    Never,
}

impl Presence {
    /// A host begins to hold a check-in.
    pub fn begins(&self, host: HostId, session: u64) {
        let mut hosts = self.hosts();
        let contact = hosts.entry(host).or_insert(Contact { session, held: 0, last: None });
        contact.session = contact.session.max(session);
        contact.held += 1;
        self.most.fetch_max(hosts.len(), Ordering::Relaxed);
    }

    /// A check-in of a host has ended. A host that has said that it stops is not known any more.
    pub fn ends(&self, host: HostId, end: End) {
        if let Some(contact) = self.hosts().get_mut(&host) {
            contact.held = contact.held.saturating_sub(1);
            contact.last = Some(end);
        }
    }

    /// Whether a host is there; one that does not come back for so long is gone.
    pub fn of(&self, host: HostId, elapsed: Duration, patience: Duration) -> Seen {
        let Some(contact) = self.hosts().get(&host).copied() else { return Seen::Never };
        match contact.last {
            _ if contact.held > 0 => Seen::Connected,
            None => Seen::Never,
            Some(last) if !last.closed && elapsed.saturating_sub(last.elapsed) < NEXT_CHECK_IN => Seen::Connected,
            Some(last) if elapsed.saturating_sub(last.elapsed) < patience => Seen::Lately,
            Some(_) => Seen::Gone,
        }
    }

    /// When the last check-in of a host ended, if it holds none.
    pub fn last(&self, host: HostId) -> Option<Timestamp> {
        let contact = self.hosts().get(&host).copied().filter(|contact| contact.held == 0)?;
        contact.last.map(|last| last.at)
    }

    /// Some of the hosts that did not come back for so long.
    pub fn gone(&self, elapsed: Duration, patience: Duration) -> Vec<Gone> {
        let hosts = self.hosts();
        let gone = hosts.iter().filter_map(|(host, contact)| {
            let last = contact.last.filter(|_| contact.held == 0)?;
            let is_gone = elapsed.saturating_sub(last.elapsed) >= patience;
            is_gone.then_some(Gone { host: *host, session: contact.session, last })
        });
        gone.take(MAX_GONE).collect()
    }

    /// Forgets a host that is gone, unless it has come back since.
    pub fn forget(&self, gone: &Gone) {
        let mut hosts = self.hosts();
        let same = |contact: &Contact| contact.held == 0 && contact.last == Some(gone.last);
        if hosts.get(&gone.host).is_some_and(same) {
            hosts.remove(&gone.host);
        }
    }

    /// A host has said that it stops.
    pub fn leaves(&self, host: HostId) {
        self.hosts().remove(&host);
    }

    /// The most hosts that this process has heard from at a time, or the one before it.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// The process before this one had heard from so many.
    pub fn had(&self, hosts: usize) {
        self.most.fetch_max(hosts, Ordering::Relaxed);
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<HostId, Contact>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn host() -> HostId {
        HostId::new(Timestamp::UNIX_EPOCH, 1)
    }

    fn end(second: u64, closed: bool) -> End {
        End { at: Timestamp::UNIX_EPOCH, elapsed: Duration::from_secs(second), closed }
    }

    fn seen(presence: &Presence, second: u64) -> Seen {
        presence.of(host(), Duration::from_secs(second), PATIENCE)
    }

    #[test]
    fn a_host_is_connected_while_it_holds_a_check_in_and_gone_when_it_does_not_come_back() {
        let presence = Presence::default();
        assert_eq!(seen(&presence, 0), Seen::Never);
        presence.begins(host(), 1);
        assert_eq!(seen(&presence, 5_000), Seen::Connected);
        presence.ends(host(), end(100, false));
        assert_eq!(
            [104, 105, 159, 160].map(|second| seen(&presence, second)),
            [Seen::Connected, Seen::Lately, Seen::Lately, Seen::Gone]
        );
        presence.begins(host(), 1);
        presence.ends(host(), end(200, true));
        assert_eq!([200, 259, 260].map(|second| seen(&presence, second)), [Seen::Lately, Seen::Lately, Seen::Gone]);
    }

    #[test]
    fn who_came_back_is_not_forgotten() {
        let presence = Presence::default();
        presence.begins(host(), 1);
        presence.ends(host(), end(0, true));
        let gone = presence.gone(PATIENCE, PATIENCE);
        assert_eq!((gone.len(), gone[0].session), (1, 1));
        presence.begins(host(), 2);
        presence.forget(&gone[0]);
        assert_eq!(seen(&presence, 60), Seen::Connected);
        presence.ends(host(), end(61, false));
        presence.forget(&presence.gone(Duration::from_mins(9), PATIENCE)[0]);
        assert_eq!((seen(&presence, 600), presence.most()), (Seen::Never, 1));
    }
}
