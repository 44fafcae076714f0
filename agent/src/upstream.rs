//! Upstream: a service that the agent calls, with its circuit breaker and the statistics for operators.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use muster_schemas::upstreams::{BreakerState, FailureKind, LastFailure, LastOutage, Upstream as Report};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{
    breaker::{Breaker, Change, End, Entry, Generation, Settings},
    sys::dice,
};

/// An upstream.
#[derive(Debug)]
pub struct Upstream {
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    breaker: Breaker,
    settings: Settings,
    report: Report,
    /// The calls that have failed since the last one that succeeded. Absent: none has.
    outage: Option<Outage>,
}

/// Calls that have failed one after the other.
#[derive(Debug, Clone, Copy)]
struct Outage {
    /// For people. A clock that is set makes no outage longer or shorter.
    began_at: Timestamp,
    /// When the first failed, since this upstream is known.
    began: Duration,
    failures: u64,
}

/// Whether a call may be made.
#[derive(Debug)]
pub enum Door<'a> {
    /// It may.
    Open(Permit<'a>),
    /// After the upstream has said that it is well.
    Probe(Permit<'a>),
    /// Not before this.
    Shut(Duration),
}

/// A permit for a call. It is returned if it is dropped without an outcome.
#[derive(Debug)]
pub struct Permit<'a> {
    upstream: &'a Upstream,
    generation: Option<Generation>,
    /// When it was given: a call that the server holds is answered long after the upstream was well again.
    began: Duration,
    /// Whether it is for the upstream's health only: that it is well has served nobody yet.
    is_probe: bool,
}

/// How a call failed, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In one word.
    pub kind: FailureKind,
    /// In a sentence.
    pub reason: String,
}

impl Upstream {
    /// An upstream that nothing is known of.
    pub fn new(name: &str, settings: Settings) -> Self {
        let report = Report {
            name: name.into(),
            breaker: BreakerState::Closed,
            failures: 0,
            opened: 0,
            last_failure: None,
            last_outage: None,
            spooled_bytes: 0,
        };
        let inner = Inner { breaker: Breaker::default(), settings, report, outage: None };
        Self { began: Instant::now(), inner: Mutex::new(inner) }
    }

    /// May a call be made now?
    pub fn enter(&self) -> Door<'_> {
        let now = self.began.elapsed();
        let mut inner = self.inner();
        let settings = inner.settings;
        let (entry, change) = inner.breaker.enter(now, &settings);
        inner.tell(change);
        let permit =
            |generation, is_probe| Permit { upstream: self, generation: Some(generation), began: now, is_probe };
        match entry {
            Entry::Pass(generation) => Door::Open(permit(generation, false)),
            Entry::Probe(generation) => Door::Probe(permit(generation, true)),
            Entry::Wait(span) => Door::Shut(span),
        }
    }

    /// From now on its breaker goes by these settings.
    pub fn configure(&self, settings: Settings) {
        self.inner().settings = settings;
    }

    /// The server asks that no pause be longer than this.
    pub fn cap(&self, longest: Duration) {
        self.inner().settings.max_open = longest;
    }

    /// Closes its breaker at the request of an operator.
    pub fn reset(&self) {
        let mut inner = self.inner();
        let change = inner.breaker.reset();
        inner.tell(change);
    }

    /// Whether no call would be let through now.
    pub fn is_shut(&self) -> bool {
        self.inner().breaker.is_shut(self.began.elapsed())
    }

    /// The report about it.
    pub fn report(&self) -> Report {
        self.inner().report.clone()
    }

    fn end(&self, generation: Generation, end: End, fault: Option<&Fault>, permit: &Permit<'_>) {
        let now = self.began.elapsed();
        let mut inner = self.inner();
        if end == End::Failed {
            inner.failed(fault, Timestamp::now(), now);
        } else if end == End::Succeeded && !permit.is_probe {
            inner.succeeded(permit.began);
        }
        let settings = inner.settings;
        let change = inner.breaker.end(generation, end, now, &settings, dice::random());
        inner.tell(change);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The upstream has answered.
    pub fn succeeded(mut self) {
        self.end(End::Succeeded, None);
    }

    /// It has not.
    pub fn failed(mut self, fault: &Fault) {
        self.end(End::Failed, Some(fault));
    }

    fn end(&mut self, end: End, fault: Option<&Fault>) {
        if let Some(generation) = self.generation.take() {
            self.upstream.end(generation, end, fault, self);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end(End::GivenUp, None);
    }
}

impl Inner {
    fn failed(&mut self, fault: Option<&Fault>, at: Timestamp, now: Duration) {
        self.report.failures += 1;
        self.report.last_failure =
            fault.map(|fault| LastFailure { at, kind: fault.kind, reason: fault.reason.clone() });
        self.outage.get_or_insert(Outage { began_at: at, began: now, failures: 0 }).failures += 1;
    }

    /// A call that had begun then was answered.
    fn succeeded(&mut self, call_began: Duration) {
        let Some(Outage { began_at, began, failures }) = self.outage.take() else { return };
        let (name, seconds) = (&self.report.name, call_began.saturating_sub(began).as_secs());
        let recovered = recovered(failures, seconds);
        info!(upstream = name, failures, seconds, "{name}: {recovered}");
        self.report.last_outage = Some(LastOutage { began_at, seconds, failures });
    }

    fn tell(&mut self, change: Option<Change>) {
        let name = &self.report.name;
        match change {
            None => {}
            Some(Change::Opened { span }) => {
                let (failures, seconds) = (self.outage.map_or(0, |outage| outage.failures), span.as_secs());
                warn!(
                    upstream = name,
                    failures, seconds, "{name}: circuit open after {failures} failures, for {seconds} s"
                );
                self.report.opened += 1;
                self.report.breaker = BreakerState::Open;
            }
            Some(Change::HalfOpened) => {
                info!(upstream = name, "{name}: circuit half-open");
                self.report.breaker = BreakerState::HalfOpen;
            }
            Some(Change::Closed) => {
                info!(upstream = name, "{name}: circuit closed");
                self.report.breaker = BreakerState::Closed;
            }
        }
    }
}

/// The line that says that calls succeed again.
pub fn recovered(failures: u64, seconds: u64) -> String {
    let s = if failures == 1 { "" } else { "s" };
    format!("recovered after {failures} failure{s} in {seconds} s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Health};

    #[tokio::test(start_paused = true)]
    async fn an_outage_lasts_as_long_as_it_lasts_and_is_over_with_the_first_answer() {
        let upstream = Upstream::new("api", Config::default().breaker(Health::NotAsked));
        let fault = Fault { kind: FailureKind::Connection, reason: "refused".into() };
        for _ in 0..3 {
            let Door::Open(permit) = upstream.enter() else { panic!("three failures open no circuit") };
            permit.failed(&fault);
            tokio::time::advance(Duration::from_secs(7)).await;
        }
        // The clock of the wall was set by twenty years in between, for all that this knows.
        upstream.inner().outage.as_mut().unwrap().began_at = Timestamp::UNIX_EPOCH;
        let Door::Open(permit) = upstream.enter() else { panic!("the circuit is closed") };
        // The server holds the call.
        tokio::time::advance(Duration::from_secs(280)).await;
        permit.succeeded();
        let outage = upstream.report().last_outage.unwrap();
        assert_eq!((outage.failures, outage.seconds), (3, 21));
        assert_eq!(recovered(3, 21), "recovered after 3 failures in 21 s");
        assert_eq!(recovered(1, 0), "recovered after 1 failure in 0 s");
    }
}
