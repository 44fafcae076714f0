//! Sessions and presence: an agent process starts, checks in, and reports. Detects clones of an identity.

use jiff::Timestamp;
use muster_schemas::reports::{AgentReport, Report};

use super::{ATTENTION_SECONDS, HostNews, Mailbox, OpenJob, REMEMBERED_PROCESSES};
use crate::{
    changes::{Change, Effect},
    fleet_updates::hosts::{Event as FleetUpdateHostEvent, Place},
    hosts, jobs,
    machine::Step,
    refused::Refused,
    times::after,
};

impl Mailbox {
    pub(super) fn started(&self, agent: &AgentReport, news: &HostNews, now: Timestamp) -> Result<Step<Self>, Refused> {
        self.served()?;
        if self.earlier_processes.contains(&agent.process_id) {
            let reason = format!("two live copies of this host's identity: process {} came back", agent.process_id);
            return Ok(self.quarantine(&reason));
        }
        let mut next = self.clone();
        if let Some(earlier) = self.process_id.filter(|process| *process != agent.process_id) {
            next.earlier_processes.push(earlier);
            let forgotten = next.earlier_processes.len().saturating_sub(REMEMBERED_PROCESSES);
            next.earlier_processes.drain(..forgotten);
        }
        next.session += 1;
        next.process_id = Some(agent.process_id);
        next.learns(news.highest_sequence);
        (next.last_seen_at, next.left_at, next.said_goodbye) = (Some(now), None, false);
        next.attention_until = Some(after(now, ATTENTION_SECONDS));
        next.fleet_update = self.judged_by(agent);
        next.digests = news.digests.clone().unwrap_or_default();
        let reported = hosts::Event::Reported { reports: news.reports.clone() };
        // Ends the long poll of the previous session.
        Ok(Step::to(next)
            .and(Effect::Also(Change::Host(self.host_id, reported)))
            .and(Effect::Wake(self.host_id))
            .and_all(self.perhaps_offered(news.highest_sequence))
            .and_all(self.judge(agent, now)))
    }

    pub(super) fn seen(&self, session: u64, news: &HostNews, now: Timestamp) -> Result<Step<Self>, Refused> {
        self.serves(session)?;
        let mut next = Self { last_seen_at: Some(now), left_at: None, said_goodbye: false, ..self.clone() };
        next.learns(news.highest_sequence);
        // Of a server that lacked another section before, these reports do not make the digest true: it stays as it is, and
        // the next check-in is asked for everything.
        let follows = news.after.as_ref().is_none_or(|after| *after == self.digests.reports_digest);
        if let Some(digests) = news.digests.as_ref().filter(|_| follows) {
            next.digests = digests.clone();
        }
        if let Some(agent) = news.agent() {
            next.fleet_update = self.judged_by(agent);
        }
        let reported = hosts::Event::Reported { reports: news.reports.clone() };
        let host = Effect::Also(Change::Host(self.host_id, reported));
        Ok(Step::to(next)
            .and_all((!news.reports.is_empty()).then_some(host))
            .and_all(self.perhaps_offered(news.highest_sequence))
            .and_all(news.agent().and_then(|agent| self.judge(agent, now))))
    }

    /// What is heard from the host later, or from a later session of it, is newer than this.
    pub(super) fn left(&self, session: u64, seen_at: Timestamp, said_goodbye: bool, now: Timestamp) -> Step<Self> {
        if session != self.session || self.last_seen_at.is_some_and(|seen| seen > seen_at) {
            return Step::to(self.clone());
        }
        Step::to(Self { last_seen_at: Some(seen_at), left_at: Some(now), said_goodbye, ..self.clone() })
    }

    pub(super) fn looked_at(&self, now: Timestamp) -> Step<Self> {
        let until = if self.lacks_attention(now) { Some(after(now, ATTENTION_SECONDS)) } else { self.attention_until };
        Step::to(Self { attention_until: until, ..self.clone() })
    }

    /// A server that was restored from an old backup must not use a sequence twice.
    fn learns(&mut self, highest_sequence: u64) {
        if highest_sequence > self.sequence {
            self.sequence = highest_sequence;
            self.open.iter_mut().for_each(|open| open.perhaps_offered = true);
        }
    }

    /// On a restored server, jobs that look as if they were never offered may have been.
    fn perhaps_offered(&self, highest_sequence: u64) -> impl Iterator<Item = Effect> {
        let restored = highest_sequence > self.sequence;
        let session = self.session;
        let offered = move |open: &OpenJob| Effect::Later(Change::Job(open.id, jobs::Event::Offer { session }));
        self.open.iter().filter(move |open| restored && !open.perhaps_offered).map(offered)
    }

    /// A report of a host whose fleet update is not settled decides about that update.
    fn judge(&self, agent: &AgentReport, now: Timestamp) -> Option<Effect> {
        let event = FleetUpdateHostEvent::Reported { report: Box::new(Report::Agent(agent.clone())), at: now };
        Some(Effect::Also(self.fleet_update?.change(event)))
    }

    /// The fleet update that judges the host's next report; `None` once a committed agent was reported.
    fn judged_by(&self, agent: &AgentReport) -> Option<Place> {
        self.fleet_update.filter(|_| self.update().is_some() || !agent.committed)
    }
}
