//! State machine of a job. Only its host reports how it ended; after a timeout the server presumes it lost, and a late report
//! still counts.
//!
//! ```text
//! queued ──Offer──▶ offered ──Accepted──▶ accepted ──Started──▶ running ──Finished──▶ succeeded | failed
//!    │                  └───────────────────┴────────────────────┴──Finished──▶ cancelled | interrupted | rejected
//!    ├──Cancel──▶ cancelled   ├──Supersede──▶ superseded   ├──Tick past start_by──▶ expired
//! any open state ──Tick past the deadline, GiveUp──▶ presumed_lost ──a late report──▶ where the report says
//! ```
//! The deadline counts from the start that the server has heard of. Before that it counts from the latest start: a host that is
//! silent may have started it until then.

mod events;
pub mod logs;
mod lost;
mod orders;
mod retention;
mod views;

use jiff::Timestamp;
use muster_schemas::{
    commands::Event as JobEvent,
    ids::{HostId, JobId, ProcessId},
    jobs::{JobResult, JobState, LogErased, Recovery},
    problems::ProblemCode,
};
use serde::{Deserialize, Serialize};

pub use self::{
    lost::GivenUp,
    orders::{JobOrder, NewJob, Origin},
    retention::Chore,
};
use crate::{
    changes::{Change, Effect, Note},
    machine::{Machine, Step},
    mailboxes,
    refused::Refused,
    times::after,
    words::word,
};

/// How long after its time limit a job without a report is presumed lost, in seconds: the agent needs time to report.
const GRACE_SECONDS: u32 = 300;
/// How many pieces of log are kept: one per second of the longest time limit, with a margin. With smaller pieces a log would
/// mostly consist of keys.
pub const MAX_LOG_PIECES: u32 = 100_000;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where it runs.
    pub host_id: HostId,
    /// Its place in the host's order.
    pub sequence: u64,
    /// The order.
    #[serde(flatten)]
    pub asked: JobOrder,
    /// Its state.
    pub state: JobState,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was first offered.
    pub offered_at: Option<Timestamp>,
    /// The session it was last offered to.
    pub session: Option<u64>,
    /// When the host accepted it.
    pub accepted_at: Option<Timestamp>,
    /// When the server heard from the host that it has started.
    pub started_at: Option<Timestamp>,
    /// When it became final.
    pub ended_at: Option<Timestamp>,
    /// Whether a cancel was requested.
    pub cancel_requested: bool,
    /// The agent process that may start it.
    #[serde(default)]
    pub granted: Option<ProcessId>,
    /// The agent process that numbers the events, and the highest stored number.
    pub told: Option<(ProcessId, u64)>,
    /// Stored bytes of log.
    pub log_bytes: u64,
    /// Of these, bytes of lines about the log itself, which are no output and do not count against its limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub log_note_bytes: u64,
    /// Stored pieces of log.
    #[serde(default)]
    pub log_pieces: u32,
    /// Whether those pieces have no time at which they are removed: while the job is presumed lost, and when they were stored
    /// before there was such a time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_stays: bool,
    /// Who erased its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_erased: Option<LogErased>,
    /// Bytes of output that the host could not keep.
    #[serde(default)]
    pub output_lost_bytes: u64,
    /// Bytes of output over the limit that are missing, and of which a line in the log tells.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_cut_bytes: u64,
    /// Bytes of output over the limit that came, and were dropped here: a line in the log tells of them when the job ends.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_dropped_bytes: u64,
    /// How it ended, by the host's report.
    pub result: Option<JobResult>,
    /// Whether its host reported a second, different result: operators get one alert, however often it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disputed: bool,
    /// Who gave it up. Absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<GivenUp>,
}

/// An event of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It is put into its host's mailbox.
    Create {
        /// Where it runs.
        host_id: HostId,
        /// Its place in the host's order.
        sequence: u64,
        /// The job.
        job: Box<NewJob>,
    },
    /// It is about to be offered to this session.
    Offer {
        /// The session.
        session: u64,
    },
    /// Its host reported events.
    Told {
        /// The host that reports.
        host_id: HostId,
        /// The process that numbers the events.
        process_id: ProcessId,
        /// The events, in order.
        events: Vec<JobEvent>,
    },
    /// The host reported a result that differs from the stored one.
    Disputed,
    /// A cancel is requested.
    Cancel,
    /// A caller gives it up, because its host is lost.
    GiveUp {
        /// The caller, as `user:<id>` or `key:<id>`.
        by: String,
        /// The display name of the caller.
        by_name: String,
        /// Whether the host is online.
        host_is_online: bool,
    },
    /// Its fleet update stopped offering: the job is recalled unless the host has accepted it.
    Recall,
    /// A newer job for the same resource exists.
    Supersede {
        /// The newer one.
        by: JobId,
    },
    /// Its host was retired.
    HostRetired,
    /// An admin erases its log.
    EraseLog(LogErased),
    /// Something was done with the stored pieces of its log.
    Did(Chore),
    /// Time has passed.
    Tick,
}

impl Machine for Job {
    type Event = Event;

    fn begin(event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Create { host_id, sequence, job } => Ok(Self::created(*host_id, *sequence, job, now)),
            Event::Offer { .. }
            | Event::Told { .. }
            | Event::Disputed
            | Event::Cancel
            | Event::GiveUp { .. }
            | Event::Recall
            | Event::Supersede { .. }
            | Event::HostRetired
            | Event::EraseLog(_)
            | Event::Did(_)
            | Event::Tick => Err(Refused::not_found("job")),
        }
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        use JobState::{Accepted, Offered, PresumedLost, Queued, Running};
        match (self.state, event) {
            (_, Event::Create { .. }) => Err(Refused::new(ProblemCode::AlreadyExists, "the job already exists")),
            (Queued | Offered | Accepted, Event::Offer { session }) => Ok(self.offered(*session, now)),
            (_, Event::Told { host_id, process_id, events }) => self.told(*host_id, *process_id, events, now),
            (_, Event::Disputed) => Ok(self.dispute()),
            (_, Event::EraseLog(erased)) => Ok(self.erase_log(erased)),
            (_, Event::Did(chore)) => Ok(self.did(*chore)),
            (Queued, Event::Cancel | Event::Recall | Event::HostRetired) => Ok(self.end(JobState::Cancelled, now)),
            (Queued, Event::Supersede { .. }) => Ok(self.end(JobState::Superseded, now)),
            (Queued, Event::Tick) if now >= self.asked.start_by => Ok(self.end(JobState::Expired, now)),
            (Offered | Accepted | Running | PresumedLost, Event::Cancel) | (Offered, Event::Recall) => {
                Ok(self.ask_to_cancel())
            }
            (_, Event::Cancel) => self.can_be_cancelled().map(|()| self.stay()),
            (_, Event::GiveUp { by, by_name, host_is_online }) => {
                self.can_be_given_up(*host_is_online)?;
                Ok(self.give_up(GivenUp { by: by.clone(), by_name: by_name.clone(), at: now }))
            }
            // It gets nothing any more, whatever it still says.
            (Offered | Accepted | Running, Event::HostRetired) => {
                Ok(Self { asked: self.asked.without_secrets(), ..self.clone() }.presume_lost(now))
            }
            (PresumedLost, Event::HostRetired) => {
                Ok(Step::to(Self { asked: self.asked.without_secrets(), ..self.clone() }))
            }
            (Offered | Accepted | Running, Event::Tick) if now >= self.deadline() => Ok(self.presume_lost(now)),
            // The host has it, or it has ended: an event for an earlier state changes nothing.
            (_, Event::Offer { .. } | Event::Recall | Event::Supersede { .. } | Event::HostRetired | Event::Tick) => {
                Ok(self.stay())
            }
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            JobState::Queued => Some(self.asked.start_by),
            JobState::Offered | JobState::Accepted | JobState::Running => Some(self.deadline()),
            _ => None,
        }
    }
}

impl Job {
    /// Whether it is delivered with the next answer to a host that has these jobs, and whose journal has seen this sequence.
    pub fn is_for(&self, open_on_host: &[JobId], highest_sequence: u64, now: Timestamp) -> bool {
        let deliverable = match self.state {
            // After its latest start it is not delivered any more: the next tick ends it.
            JobState::Queued => now < self.asked.start_by,
            JobState::Offered => true,
            // Once a process may start it, no other process gets it, unless it may run twice.
            JobState::Accepted => self.granted.is_none() || self.asked.spec.rules().recovery() != Recovery::Once,
            // Perhaps it never arrived. Its time is over, so the host can only reject it, which ends it. Or the store was
            // restored from a backup that lacks the result: a host whose journal has seen the job reports it again.
            JobState::PresumedLost => self.accepted_at.is_none() || self.sequence <= highest_sequence,
            _ => false,
        };
        deliverable && !self.cancel_requested && !open_on_host.contains(&self.id)
    }

    /// Whether the host must stop it, or not start it: it was cancelled, it has ended, or its latest start has passed by the
    /// server's clock.
    pub fn shall_stop(&self, now: Timestamp) -> bool {
        let too_late = self.state == JobState::Accepted && now >= self.asked.start_by;
        self.cancel_requested || self.state.is_final() || too_late
    }

    /// The number of the last stored event of a process.
    pub fn told_through(&self, process: ProcessId) -> u64 {
        self.told.filter(|(teller, _)| *teller == process).map_or(0, |(_, through)| through)
    }

    fn can_be_cancelled(&self) -> Result<(), Refused> {
        if self.state.is_final() {
            return Err(Refused::wrong_state(format_args!("the job has already ended: {}", word(self.state))));
        }
        // The reason for `why_not`: cancelling twice changes nothing, and is not an error.
        if self.cancel_requested {
            return Err(Refused::wrong_state("the host was already told to stop it"));
        }
        Ok(())
    }

    /// After this time the server presumes the job lost.
    fn deadline(&self) -> Timestamp {
        let started = self.started_at.unwrap_or(self.asked.start_by);
        after(started, self.asked.time_limit_seconds + GRACE_SECONDS)
    }

    fn created(host_id: HostId, sequence: u64, job: &NewJob, now: Timestamp) -> Step<Self> {
        let asked_by_caller = matches!(job.asked.origin, Origin::Caller(_));
        let rules = job.asked.spec.rules();
        let detail = format!("{} on {host_id}: {}", rules.kind().name, rules.summary());
        let note = asked_by_caller.then(|| Note::new("job.created", job.id, detail));
        let state = Self {
            id: job.id,
            host_id,
            sequence,
            asked: job.asked.clone(),
            state: JobState::Queued,
            created_at: now,
            offered_at: None,
            session: None,
            accepted_at: None,
            started_at: None,
            ended_at: None,
            cancel_requested: false,
            granted: None,
            told: None,
            log_bytes: 0,
            log_note_bytes: 0,
            output_lost_bytes: 0,
            output_cut_bytes: 0,
            output_dropped_bytes: 0,
            log_pieces: 0,
            log_stays: false,
            log_erased: None,
            result: None,
            disputed: false,
            given_up: None,
        };
        Step::to(state).and_all(note)
    }

    fn stay(&self) -> Step<Self> {
        Step::to(self.clone())
    }

    fn offered(&self, session: u64, now: Timestamp) -> Step<Self> {
        let mut next = self.clone();
        if next.state == JobState::Queued {
            next.state = JobState::Offered;
        }
        next.offered_at.get_or_insert(now);
        next.session = Some(session);
        Step::to(next)
    }

    fn ask_to_cancel(&self) -> Step<Self> {
        let note = Note::new("job.cancel_requested", self.id, String::new());
        Step::to(Self { cancel_requested: true, ..self.clone() })
            .and(Effect::Also(Change::Mailbox(self.host_id, mailboxes::Event::Cancel(self.id))))
            .and_all((!self.cancel_requested).then_some(note))
    }

    fn dispute(&self) -> Step<Self> {
        let note = Note::alert("job.result_conflict", self.id, "the host reported a second, different result");
        Step::to(Self { disputed: true, ..self.clone() }).and_all((!self.disputed).then_some(note))
    }

    /// Ends the job: the mailbox removes it, and its fleet update gets an event.
    fn end(&self, state: JobState, now: Timestamp) -> Step<Self> {
        let next = Self { state, ended_at: Some(now), asked: self.asked.without_secrets(), ..self.clone() };
        let forget = Effect::Also(Change::Mailbox(self.host_id, mailboxes::Event::Remove(self.id)));
        let notice = self.asked.origin.notify(&next);
        let audited = matches!(state, JobState::Cancelled | JobState::Superseded | JobState::Expired);
        let note = audited.then(|| Note::new("job.ended", self.id, word(state)));
        Step::to(next).and(forget).and_all(notice).and_all(note)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}
