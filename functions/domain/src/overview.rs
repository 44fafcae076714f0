//! Fleet overview: counts of hosts by state and version, and their history, thinned out with age.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use muster_schemas::{
    hosts::HostState,
    overview::{FleetSample, HostCounts},
};
use serde::{Deserialize, Serialize};

use crate::hosts::Standing;

/// How many versions are listed in the overview, and in each sample. Hosts may report any version, so this is bounded.
const MAX_VERSIONS: usize = 50;
const MAX_SAMPLE_VERSIONS: usize = 8;
/// How often a sample is taken at most, in seconds.
const SAMPLE_SECONDS: i64 = 15 * 60;
/// How many samples are kept.
const MAX_SAMPLES: usize = 400;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Hosts counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Hosts by state.
    pub hosts: HostCounts,
    /// Hosts by version.
    pub versions: BTreeMap<String, u32>,
}

impl Tally {
    /// Counts one more host.
    pub fn count(&mut self, host: &Standing<'_>) {
        if host.mailbox.state == HostState::Retired {
            return;
        }
        let HostCounts { total, online, offline, behind, quarantined } = &mut self.hosts;
        *total += 1;
        *(if host.online { online } else { offline }) += 1;
        *behind += u32::from(host.is_behind());
        *quarantined += u32::from(host.mailbox.state == HostState::Quarantined);
        if let Some(agent) = &host.host.agent {
            *self.versions.entry(agent.version.clone()).or_default() += 1;
        }
    }

    /// With the most common versions only.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self { versions: most_common(self.versions, MAX_VERSIONS), ..self }
    }

    fn sample(&self, at: Timestamp) -> FleetSample {
        let HostCounts { online, offline, behind, .. } = self.hosts;
        FleetSample { at, online, offline, behind, versions: most_common(self.versions.clone(), MAX_SAMPLE_VERSIONS) }
    }
}

/// The history with one more sample, if one is due.
pub fn with_sample(history: &[FleetSample], tally: &Tally, now: Timestamp) -> Option<Vec<FleetSample>> {
    // What is to come was sampled by a clock that has been set back since.
    let known = history.iter().filter(|sample| sample.at <= now).cloned().collect::<Vec<_>>();
    let newest = known.last().map(|sample| sample.at);
    let is_time = newest.is_none_or(|at| now.duration_since(at).as_secs() >= SAMPLE_SECONDS);
    is_time.then(|| thinned([known, vec![tally.sample(now)]].concat(), now))
}

/// All samples of the last day, one for each hour of the last week, and one for each day before.
fn thinned(samples: Vec<FleetSample>, now: Timestamp) -> Vec<FleetSample> {
    let mut kept: Vec<FleetSample> = Vec::new();
    for sample in samples {
        let age = now.duration_since(sample.at).as_secs();
        let span = if age < DAY {
            1
        } else if age < 7 * DAY {
            HOUR
        } else {
            DAY
        };
        let same =
            |other: &FleetSample| other.at.as_second().div_euclid(span) == sample.at.as_second().div_euclid(span);
        if !kept.last().is_some_and(same) {
            kept.push(sample);
        }
    }
    kept.drain(..kept.len().saturating_sub(MAX_SAMPLES));
    kept
}

fn most_common(versions: BTreeMap<String, u32>, most: usize) -> BTreeMap<String, u32> {
    let mut versions = versions.into_iter().collect::<Vec<_>>();
    versions.sort_by_key(|(_, count)| Reverse(*count));
    versions.truncate(most);
    versions.into_iter().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A history of somebody who looks all the time.
    fn watched(days: i64) -> Vec<FleetSample> {
        let mut history = Vec::new();
        for second in (0..days * DAY).step_by(60) {
            history = with_sample(&history, &Tally::default(), at(second)).unwrap_or(history);
        }
        history
    }

    #[test]
    fn a_day_is_kept_by_the_quarter_of_an_hour_a_week_by_the_hour_and_the_rest_by_the_day() {
        let (history, now) = (watched(30), 30 * DAY - 60);
        let within = |from: i64, to: i64| {
            let ages = history.iter().map(|sample| now - sample.at.as_second());
            ages.filter(|age| (from..to).contains(age)).count()
        };
        assert_eq!(within(0, DAY), 96);
        assert_eq!(within(DAY, 7 * DAY), 6 * 24);
        assert!((22..=24).contains(&within(7 * DAY, 31 * DAY)), "{}", within(7 * DAY, 31 * DAY));
        assert!(history.is_sorted_by_key(|sample| sample.at));
    }

    #[test]
    fn samples_of_a_clock_that_was_set_back_are_no_reason_to_take_none() {
        for step in [60, 2 * HOUR, 2 * DAY, 730 * DAY] {
            let (now, history) = (1_000 * DAY, watched(1));
            let ahead = with_sample(&history, &Tally::default(), at(now + step)).unwrap();
            let next = with_sample(&ahead, &Tally::default(), at(now)).unwrap();
            assert_eq!(next.last().unwrap().at, at(now), "{step} s");
            assert!(next.is_sorted_by_key(|sample| sample.at));
        }
    }

    #[test]
    fn whatever_is_sampled_a_history_stays_bounded() {
        let history = watched(300);
        assert_eq!(history.len(), MAX_SAMPLES);
        let versions = (0..100).map(|number| (format!("{number:0128}"), number)).collect();
        let tally = Tally { versions, ..Tally::default() };
        let sample = tally.sample(at(0));
        assert_eq!((sample.versions.len(), *sample.versions.values().min().unwrap()), (8, 92));
        assert_eq!(tally.bounded().versions.len(), 50);
    }
}
