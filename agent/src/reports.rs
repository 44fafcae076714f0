//! Host reports, in sections, and which of them the server does not have yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use muster_schemas::{
    reports::{Report, Section, digest},
    upstreams::{BreakerState, Upstream},
};
use tokio::time::Instant;

use crate::{facts, jobs::desk::Desk, supervisor::report::Reporter};

/// How often at most the server hears of single calls that failed.
const TELL_EVERY: Duration = Duration::from_mins(15);

/// Every section as it is now, in their order.
pub async fn gather(desk: &Desk, reporter: &Reporter) -> Vec<Report> {
    let sizes = desk.agent.machine.disk_sizes(facts::mounts()).await;
    let gathered = Section::ALL.into_iter().filter_map(|section| match section {
        Section::Agent => Some(Report::Agent(reporter.report())),
        Section::Facts => Some(Report::Facts(facts::gather(&desk.agent.capabilities(), &sizes))),
        Section::Upstreams => Some(Report::Upstreams(desk.upstreams())),
        Section::Unknown => None,
    });
    gathered.collect()
}

/// The digest of the facts among these, for a server that compares nothing else.
pub fn facts_digest(current: &[Report]) -> String {
    let facts = current.iter().find_map(|report| match report {
        Report::Facts(facts) => Some(facts.digest()),
        Report::Agent(_) | Report::Upstreams(_) => None,
    });
    facts.unwrap_or_default()
}

/// The reports that the server has, by section.
#[derive(Debug)]
pub struct Reports {
    told: BTreeMap<Section, Report>,
    wanted: BTreeSet<Section>,
    /// When the server was last told of the ways the agent goes.
    upstreams_told: Instant,
}

impl Default for Reports {
    fn default() -> Self {
        Self { told: BTreeMap::new(), wanted: BTreeSet::new(), upstreams_told: Instant::now() }
    }
}

impl Reports {
    /// Those that the server must hear of now.
    pub fn news(&self, current: Vec<Report>) -> Vec<Report> {
        let is_news = |report: &Report| {
            let section = report.section();
            self.wanted.contains(&section) || self.told.get(&section).is_none_or(|told| self.differs(told, report))
        };
        current.into_iter().filter(is_news).collect()
    }

    /// The digest of all that the server knows after it has heard of these.
    pub fn digest_with(&self, news: &[Report]) -> String {
        let mut after = self.told.iter().map(|(section, report)| (*section, report)).collect::<BTreeMap<_, _>>();
        after.extend(news.iter().map(|report| (report.section(), report)));
        digest(after.into_values())
    }

    /// The server has heard of these.
    pub fn heard(&mut self, news: Vec<Report>) {
        for report in news {
            if report.section() == Section::Upstreams {
                self.upstreams_told = Instant::now();
            }
            self.wanted.remove(&report.section());
            self.told.insert(report.section(), report);
        }
    }

    /// The server asks for these sections.
    pub fn want(&mut self, sections: impl IntoIterator<Item = Section>) {
        self.wanted.extend(sections);
    }

    /// Whether a section has changed so that the server must hear of it now: it writes down what it hears.
    fn differs(&self, told: &Report, report: &Report) -> bool {
        match (told, report) {
            (Report::Upstreams(told), Report::Upstreams(upstreams)) => self.is_news(told, upstreams),
            _ => told != report,
        }
    }

    /// A circuit that has opened and closed is news; single calls that failed are told now and then.
    fn is_news(&self, told: &[Upstream], upstreams: &[Upstream]) -> bool {
        let settled = upstreams.iter().all(|upstream| upstream.breaker != BreakerState::HalfOpen);
        let circuits = |upstreams: &[Upstream]| {
            upstreams.iter().map(|upstream| (upstream.breaker, upstream.opened)).collect::<Vec<_>>()
        };
        let turned = settled && circuits(told) != circuits(upstreams);
        turned || (told != upstreams && self.upstreams_told.elapsed() >= TELL_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use muster_schemas::reports::Facts;

    use super::*;

    fn facts(hostname: &str) -> Report {
        Report::Facts(Facts { hostname: hostname.into(), ..Facts::default() })
    }

    #[tokio::test]
    async fn a_section_is_news_until_the_server_has_heard_of_it_and_when_it_is_wanted() {
        let mut reports = Reports::default();
        let current = vec![facts("one"), Report::Upstreams(Vec::new())];
        assert_eq!(reports.news(current.clone()), current);
        reports.heard(current.clone());
        assert!(reports.news(current.clone()).is_empty());
        assert_eq!(reports.news(vec![facts("two")]), [facts("two")]);
        reports.want([Section::Upstreams, Section::Unknown]);
        assert_eq!(reports.news(current.clone()), current[1..]);
        reports.heard(current[1..].to_vec());
        assert!(reports.news(current).is_empty());
    }

    #[tokio::test]
    async fn the_digest_is_of_what_the_server_knows_and_not_of_what_it_has_not_heard() {
        let mut reports = Reports::default();
        reports.heard(vec![facts("one"), Report::Upstreams(Vec::new())]);
        let before = reports.digest_with(&[]);
        let after = reports.digest_with(&[facts("two")]);
        assert_ne!(before, after);
        assert_eq!(reports.digest_with(&[]), before, "a request whose answer was lost has told nothing");
        reports.heard(vec![facts("two")]);
        assert_eq!(reports.digest_with(&[]), after);
    }
}
