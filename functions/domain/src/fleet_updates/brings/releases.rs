//! Agent rollout: a fleet update that brings a release of the agent. Which hosts need it, and what proves that it runs.
//!
//! Success is a new process of the target version and digest that has passed its health gate. Neither the acceptance of the
//! job nor the version alone is a proof.

use jiff::{SignedDuration, Timestamp};
use muster_schemas::{
    fleet_updates::FleetUpdateHostState,
    ids::{JobId, ProcessId},
    jobs::{JobSpec, SelfUpdateSpec},
    reports::{AgentReport, Report, UpdateOutcome},
};
use serde::{Deserialize, Serialize};

use super::{Brought, Exclusion, Expected, Proof, Turn, Verdict};
use crate::{fleet_updates::Candidate, releases};

/// The lock that lets one fleet update of agents be active at a time.
pub const LOCK: &str = "fleet-update:agent";
/// This many uncommitted processes within [`CRASH_LOOP_SPAN`] are a crash loop.
const CRASH_LOOP_PROCESSES: usize = 3;
/// See [`CRASH_LOOP_PROCESSES`].
const CRASH_LOOP_SPAN: SignedDuration = SignedDuration::from_mins(10);

/// The release that is brought.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// SHA-256 of its signed payload.
    pub manifest_sha256: String,
}

impl Release {
    /// The reference to a stored release.
    pub fn of(release: &releases::Release) -> Self {
        Self { version: release.manifest.version.clone(), manifest_sha256: release.manifest_sha256.clone() }
    }
}

impl Brought for Release {
    fn lock(&self) -> String {
        LOCK.into()
    }

    fn title(&self) -> String {
        format!("agent {}", self.version)
    }

    fn job(&self) -> JobSpec {
        let Self { version, manifest_sha256 } = self.clone();
        JobSpec::SelfUpdate(SelfUpdateSpec { version, manifest_sha256 })
    }

    fn turn(&self, candidate: &Candidate, job_id: JobId) -> Turn {
        if let Some(reason) = &candidate.yanked {
            return Turn::Halt(format!("the release was yanked: {reason}"));
        }
        let Some(agent) = &candidate.agent else { return Turn::LeaveOut(Exclusion::NeverStarted) };
        let Some(sha256) = &candidate.executable_sha256 else {
            return Turn::LeaveOut(Exclusion::NoFile(format!("{}-{}", candidate.os, candidate.architecture)));
        };
        if agent.version == self.version && agent.executable_sha256 == *sha256 && agent.committed {
            return Turn::LeaveOut(Exclusion::HasIt(self.version.clone()));
        }
        Turn::Offer(Expected::Release(Expectation {
            version: self.version.clone(),
            executable_sha256: sha256.clone(),
            job_id,
            version_before: agent.version.clone(),
            process_before: Some(agent.process_id),
            processes: Vec::new(),
        }))
    }
}

/// The version that was offered to a host, and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Expectation {
    /// The version that must run.
    pub version: String,
    /// The digest of its executable on the host's platform.
    pub executable_sha256: String,
    /// The job that brings it.
    pub job_id: JobId,
    /// The version that ran when it was offered.
    pub version_before: String,
    /// The process that ran when it was offered.
    pub process_before: Option<ProcessId>,
    /// Processes of an uncommitted version, with the time each was first seen; only the newest are kept.
    pub processes: Vec<(ProcessId, Timestamp)>,
}

impl Proof for Expectation {
    fn job_id(&self) -> JobId {
        self.job_id
    }

    fn saw(&self, report: &Report, at: Timestamp) -> Expected {
        Expected::Release(agent(report).map_or_else(|| self.clone(), |report| self.remembers(report, at)))
    }

    fn judge(&self, report: &Report, now: Timestamp) -> Verdict {
        agent(report).map_or(Verdict::Unproven, |report| self.verdict(report, now))
    }

    fn has_not_tried(&self, report: &Report) -> bool {
        agent(report).is_some_and(|report| self.is_back_without_it(report))
    }

    fn waits_for(&self, state: FleetUpdateHostState) -> &'static str {
        match state {
            FleetUpdateHostState::Verifying => "the health gate of the new agent",
            _ => "the new agent to start",
        }
    }
}

/// The section that judges an update of the agent.
fn agent(report: &Report) -> Option<&AgentReport> {
    match report {
        Report::Agent(agent) => Some(agent),
        Report::Facts(_) | Report::Upstreams(_) => None,
    }
}

impl Expectation {
    /// Remembers an uncommitted process that reported.
    fn remembers(&self, report: &AgentReport, at: Timestamp) -> Self {
        let mut next = self.clone();
        let known = self.processes.iter().any(|(seen, _)| *seen == report.process_id);
        if !known && !report.committed && self.process_before != Some(report.process_id) {
            next.processes.push((report.process_id, at));
            let forgotten = next.processes.len().saturating_sub(CRASH_LOOP_PROCESSES);
            next.processes.drain(..forgotten);
        }
        next
    }

    /// Whether a new process of the old version reports: the agent came back without the release.
    fn is_back_without_it(&self, report: &AgentReport) -> bool {
        self.process_before != Some(report.process_id) && report.version == self.version_before && report.committed
    }

    /// Judges the report. `self` already remembers its process.
    fn verdict(&self, report: &AgentReport, now: Timestamp) -> Verdict {
        if let Some(verdict) = self.by_own_record(report) {
            return verdict;
        }
        if self.process_before == Some(report.process_id) {
            return Verdict::Unproven;
        }
        let right_version = report.version == self.version;
        let right_bytes = report.executable_sha256 == self.executable_sha256;
        if right_version && !right_bytes {
            let reason = format!("version {} runs a different executable: {}", self.version, report.executable_sha256);
            Verdict::WrongBytes(reason)
        } else if right_version && report.committed {
            Verdict::Succeeded
        } else if self.in_crash_loop(now) {
            Verdict::Failed(format!("crash_loop: {CRASH_LOOP_PROCESSES} new processes, none committed"))
        } else if right_version {
            Verdict::Verifying
        } else if report.version == self.version_before {
            Verdict::Unproven
        } else {
            Verdict::Failed(format!("the agent came back as version {}, expected {}", report.version, self.version))
        }
    }

    /// The verdict of the supervisor's own record of this update.
    fn by_own_record(&self, report: &AgentReport) -> Option<Verdict> {
        let record = report.last_update.as_ref().filter(|record| record.transaction == self.job_id)?;
        match record.outcome {
            UpdateOutcome::RolledBack => Some(Verdict::Failed(format!("rolled_back: {}", record.reason))),
            UpdateOutcome::Inconclusive => Some(Verdict::Inconclusive(record.reason.clone())),
            UpdateOutcome::Refused => Some(Verdict::Failed(format!("refused: {}", record.reason))),
            // The record is not enough: the running process must prove it.
            UpdateOutcome::Committed | UpdateOutcome::Unknown => None,
        }
    }

    fn in_crash_loop(&self, now: Timestamp) -> bool {
        let recent = |(_, at): &&(ProcessId, Timestamp)| now.duration_since(*at) <= CRASH_LOOP_SPAN;
        self.processes.iter().filter(recent).count() >= CRASH_LOOP_PROCESSES
    }
}

#[cfg(test)]
mod tests {
    use muster_schemas::reports::LastUpdate;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn process(number: u128) -> ProcessId {
        ProcessId::new(at(0), number)
    }

    fn expectation() -> Expectation {
        Expectation {
            version: "2.0.0".into(),
            executable_sha256: "new".into(),
            job_id: JobId::new(at(0), 1),
            version_before: "1.0.0".into(),
            process_before: Some(process(1)),
            processes: Vec::new(),
        }
    }

    fn report(version: &str, sha256: &str, number: u128, committed: bool) -> AgentReport {
        AgentReport {
            version: version.into(),
            executable_sha256: sha256.into(),
            process_id: process(number),
            boot_id: String::new(),
            committed,
            last_update: None,
        }
    }

    fn recorded(outcome: UpdateOutcome) -> AgentReport {
        let last_update = LastUpdate {
            transaction: JobId::new(at(0), 1),
            to: "2.0.0".into(),
            outcome,
            reason: "it crashed".into(),
            tries: 3,
        };
        AgentReport { last_update: Some(last_update), ..report("1.0.0", "old", 2, true) }
    }

    fn judged(report: &AgentReport) -> Verdict {
        expectation().remembers(report, at(1)).verdict(report, at(1))
    }

    #[test]
    fn only_a_new_committed_process_of_the_right_bytes_is_a_success() {
        assert_eq!(judged(&report("2.0.0", "new", 2, true)), Verdict::Succeeded);
        assert_eq!(judged(&report("2.0.0", "new", 2, false)), Verdict::Verifying);
        assert_eq!(judged(&report("2.0.0", "new", 1, true)), Verdict::Unproven);
    }

    #[test]
    fn the_right_version_with_other_bytes_is_nobodys_success() {
        assert!(matches!(judged(&report("2.0.0", "other", 2, true)), Verdict::WrongBytes(_)));
    }

    #[test]
    fn another_version_than_before_and_wanted_is_a_failure() {
        assert_eq!(
            judged(&report("1.5.0", "x", 2, true)),
            Verdict::Failed("the agent came back as version 1.5.0, expected 2.0.0".into())
        );
        assert_eq!(judged(&report("1.0.0", "old", 2, true)), Verdict::Unproven);
    }

    #[test]
    fn the_hosts_own_record_of_this_update_decides() {
        assert_eq!(judged(&recorded(UpdateOutcome::RolledBack)), Verdict::Failed("rolled_back: it crashed".into()));
        assert_eq!(judged(&recorded(UpdateOutcome::Inconclusive)), Verdict::Inconclusive("it crashed".into()));
        assert_eq!(judged(&recorded(UpdateOutcome::Committed)), Verdict::Unproven);
    }

    #[test]
    fn the_record_of_another_update_decides_nothing() {
        let mut old = recorded(UpdateOutcome::RolledBack);
        old.last_update = old.last_update.map(|record| LastUpdate { transaction: JobId::new(at(0), 9), ..record });
        assert_eq!(judged(&old), Verdict::Unproven);
    }

    #[test]
    fn three_uncommitted_processes_in_ten_minutes_are_a_crash_loop() {
        let reports = [2, 3, 4].map(|number| report("2.0.0", "new", number, false));
        let seen = reports.iter().fold(expectation(), |seen, report| seen.remembers(report, at(2)));
        assert!(matches!(seen.verdict(&reports[2], at(5)), Verdict::Failed(_)));
        assert_eq!(seen.verdict(&reports[2], at(5000)), Verdict::Verifying);
    }

    #[test]
    fn restarts_of_the_old_version_are_no_crash_loop() {
        let reports = [2, 3, 4].map(|number| report("1.0.0", "old", number, true));
        let seen = reports.iter().fold(expectation(), |seen, report| seen.remembers(report, at(2)));
        assert_eq!(seen.verdict(&reports[2], at(5)), Verdict::Unproven);
    }
}
