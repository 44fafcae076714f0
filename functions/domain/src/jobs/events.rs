//! Idempotent event ingestion: the events of a job, stored once and in order, even if a host sends them again.

use jiff::Timestamp;
use muster_schemas::{
    commands::{Event, EventKind},
    envelopes::sha256_hex,
    ids::{HostId, ProcessId},
    jobs::{JobError, JobResult, JobState, Outcome, Recovery},
    problems::ProblemCode,
};

use super::{
    Job,
    logs::{in_few_pieces, timed},
};
use crate::{changes::Effect, machine::Step, refused::Refused, words::word};

/// The error code of a job that another process was already told to start.
const GRANTED_BEFORE: &str = "granted_before";

impl Job {
    pub(super) fn told(
        &self,
        host_id: HostId,
        process: ProcessId,
        events: &[Event],
        now: Timestamp,
    ) -> Result<Step<Self>, Refused> {
        if host_id != self.host_id {
            return Err(Refused::not_found("job"));
        }
        let mut step = self.stay();
        for event in events {
            // Already stored, by an earlier request or by this one.
            if event.sequence <= step.next.told_through(process) {
                continue;
            }
            let Step { mut next, effects } = step.next.hears(&event.kind, process, now)?;
            next.told = Some((process, event.sequence));
            step = Step { next, effects: [step.effects, timed(effects, event.at)].concat() };
        }
        step.effects = in_few_pieces(step.effects);
        let pieces = step.effects.iter().filter(|effect| matches!(effect, Effect::Log { .. })).count();
        step.next.log_pieces = step.next.log_pieces.saturating_add(u32::try_from(pieces).unwrap_or(u32::MAX));
        Ok(step)
    }

    fn hears(&self, event: &EventKind, process: ProcessId, now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            EventKind::Finished { result } => self.finished(result, process, now),
            // An event that was on its way when the job ended changes nothing.
            _ if self.state.is_final() => Ok(self.stay()),
            EventKind::Accepted => Ok(Step::to(self.at_least(JobState::Accepted, now))),
            EventKind::Starting => Ok(self.grants(process, now)),
            EventKind::Started => Ok(Step::to(self.at_least(JobState::Running, now))),
            EventKind::Output { .. } | EventKind::OutputLost { .. } if self.log_erased.is_some() => Ok(self.stay()),
            EventKind::Output { text } => Ok(self.logs(text)),
            EventKind::OutputLost { bytes, over_limit: false } => Ok(self.loses(*bytes)),
            EventKind::OutputLost { bytes, over_limit: true } => Ok(self.cuts(*bytes)),
        }
    }

    /// A job that must not run twice is granted to one process. A second process that asks proves that the first is gone or
    /// that there are two, so how far the first one got is unknown.
    fn grants(&self, process: ProcessId, now: Timestamp) -> Step<Self> {
        if !self.is_granted_to_another(process) {
            return Step::to(Self { granted: Some(process), ..self.at_least(JobState::Accepted, now) });
        }
        self.interrupted(now)
    }

    fn is_granted_to_another(&self, process: ProcessId) -> bool {
        self.asked.spec.rules().recovery() == Recovery::Once && self.granted.is_some_and(|granted| granted != process)
    }

    fn interrupted(&self, now: Timestamp) -> Step<Self> {
        let message = "another process of this host was already told to start it; how far it got is unknown";
        let result = JobResult {
            outcome: Outcome::Interrupted,
            exit_code: None,
            error: Some(JobError { code: GRANTED_BEFORE.into(), message: message.into() }),
            detail: None,
            started_at: self.started_at,
            finished_at: now,
            output_bytes: self.log_bytes,
            output_truncated: false,
        };
        self.ended_by(result, JobState::Interrupted, now)
    }

    /// Ends the job with its result, and its log with a word of what is missing in it.
    fn ended_by(&self, result: JobResult, state: JobState, now: Timestamp) -> Step<Self> {
        let Step { next, effects } = self.closes_log(&result);
        let end = Self { result: Some(result), ..next }.end(state, now);
        Step { next: end.next, effects: [effects, end.effects].concat() }
    }

    /// Forward to `state`, or back from `presumed_lost`; never backward.
    fn at_least(&self, state: JobState, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.accepted_at.get_or_insert(now);
        if state == JobState::Running {
            next.started_at.get_or_insert(now);
        }
        next.state = if next.started_at.is_some() { JobState::Running } else { JobState::Accepted };
        next
    }

    fn finished(&self, result: &JobResult, process: ProcessId, now: Timestamp) -> Result<Step<Self>, Refused> {
        if self.state.is_final() {
            // A second process that was not allowed to start it reports that it did not: not a conflict.
            let turned_away = says_it_never_ran(result);
            let same = self.result.as_ref().is_some_and(|known| {
                let granted_before = known.error.as_ref().is_some_and(|error| error.code == GRANTED_BEFORE);
                digest(known) == digest(result) || (granted_before && turned_away)
            });
            let state = word(self.state);
            let conflict =
                || Refused::new(ProblemCode::ResultConflict, format_args!("the job has already ended: {state}"));
            return if same { Ok(self.stay()) } else { Err(conflict()) };
        }
        // A clone of the host that never had the job reports that it never ran; the clone that may start it is silent.
        if says_it_never_ran(result) && self.is_granted_to_another(process) {
            return Ok(self.interrupted(now));
        }
        let state = match result.outcome {
            Outcome::Succeeded => JobState::Succeeded,
            Outcome::Failed => JobState::Failed,
            Outcome::Cancelled => JobState::Cancelled,
            Outcome::Interrupted => JobState::Interrupted,
            Outcome::Rejected => JobState::Rejected,
        };
        Ok(self.ended_by(result.clone(), state, now))
    }
}

fn says_it_never_ran(result: &JobResult) -> bool {
    matches!(result.outcome, Outcome::Cancelled | Outcome::Rejected) && result.started_at.is_none()
}

fn digest(result: &JobResult) -> String {
    sha256_hex(&serde_json::to_vec(result).expect("a result is plain data"))
}
