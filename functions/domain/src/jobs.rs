//! Jobs: delivered once, ended truthfully. The host is the only witness; the server presumes by a timer, never decides.
//!
//! ```text
//! queued ──Offer──▶ offered ──Accepted──▶ accepted ──Started──▶ running ──Finished──▶ succeeded | failed
//!    │                  └───────────────────┴────────────────────┴──Finished──▶ cancelled | interrupted | rejected
//!    ├──Cancel──▶ cancelled   ├──Supersede──▶ superseded   ├──Tick past start_by──▶ expired
//! any open state ──Tick past the deadline──▶ presumed_lost ──a late report──▶ where the report says
//! ```

mod events;
mod views;

use jiff::Timestamp;
use muster_schemas::{
    commands::Event as Told,
    ids::{HostId, JobId, ProcessId},
    jobs::{JobResult, JobSpec, JobState, Recovery},
    problems::ProblemCode,
};
use serde::{Deserialize, Serialize};

use crate::{
    changes::{Change, Effect, Note},
    fleet_updates::hosts::{Event as HostEvent, Place},
    machine::{Machine, Step},
    mailboxes,
    refused::Refused,
    times::after,
    words::word,
};

/// How long after its time limit a job without a word is presumed lost, in seconds: the agent needs time to tell.
const GRACE_SECONDS: u32 = 300;
/// How many pieces of log are kept: one a second for the longest time that a job may run, and some more. A log of crumbs
/// would be mostly keys.
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
    /// What was asked for.
    #[serde(flatten)]
    pub asked: Asked,
    /// Where it is.
    pub state: JobState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was first offered.
    pub offered_at: Option<Timestamp>,
    /// The session it was last offered to.
    pub session: Option<u64>,
    /// When the host said that it has it.
    pub accepted_at: Option<Timestamp>,
    /// When the host said that it has started.
    pub started_at: Option<Timestamp>,
    /// When it became final.
    pub ended_at: Option<Timestamp>,
    /// Whether somebody wants it stopped.
    pub cancel_requested: bool,
    /// The process that was told to start it.
    #[serde(default)]
    pub granted: Option<ProcessId>,
    /// The agent process that numbers the events, and the highest number stored.
    pub told: Option<(ProcessId, u64)>,
    /// Bytes of log kept.
    pub log_bytes: u64,
    /// In how many pieces.
    #[serde(default)]
    pub log_pieces: u32,
    /// Bytes of output that the host could not keep.
    #[serde(default)]
    pub output_lost_bytes: u64,
    /// How it ended, by the host's word.
    pub result: Option<JobResult>,
    /// Whether its host has told another result as well: operators hear of it once, however often it is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disputed: bool,
}

/// What is asked for, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Asked {
    /// What to do.
    #[serde(flatten)]
    pub spec: JobSpec,
    /// What it acts on.
    pub resource: Option<String>,
    /// Who asked.
    pub origin: Origin,
    /// What people call a caller.
    #[serde(default)]
    pub caller_name: String,
    /// Latest start.
    pub start_by: Timestamp,
    /// How long it may run, in seconds.
    pub time_limit_seconds: u32,
}

/// A job to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// The id it will have.
    pub id: JobId,
    /// What is asked for.
    #[serde(flatten)]
    pub asked: Asked,
}

/// Who asked for a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// An operator or a program, as `user:<id>` or `key:<id>`.
    Caller(String),
    /// A fleet update, for the host in this place.
    FleetUpdate(Place),
}

impl Origin {
    /// The fleet update, if it was one.
    pub fn fleet_update(&self) -> Option<Place> {
        match self {
            Self::Caller(_) => None,
            Self::FleetUpdate(place) => Some(*place),
        }
    }

    /// How the end of a job is told to whatever asked for it: callers look for themselves.
    fn hears(&self, ended: &Job) -> Option<Effect> {
        match self {
            Self::Caller(_) => None,
            Self::FleetUpdate(place) => {
                let error = ended.result.as_ref().and_then(|result| result.error.clone());
                let event = HostEvent::JobEnded { job_id: ended.id, state: ended.state, error };
                Some(Effect::Also(place.change(event)))
            }
        }
    }
}

/// What can happen to a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its host's mailbox took it.
    Create {
        /// Where it runs.
        host_id: HostId,
        /// Its place in the host's order.
        sequence: u64,
        /// What is asked for.
        job: NewJob,
    },
    /// It is about to be offered to this session.
    Offer {
        /// The session.
        session: u64,
    },
    /// The host told what happened.
    Told {
        /// The host that tells.
        host_id: HostId,
        /// The process that numbers the events.
        process_id: ProcessId,
        /// What happened, in order.
        events: Vec<Told>,
    },
    /// The host told another result than the one that stands.
    Disputed,
    /// Somebody wants it stopped.
    Cancel,
    /// Its fleet update offers nothing more: it is taken back unless the host has accepted it.
    Recall,
    /// A newer job for the same resource exists.
    Supersede {
        /// The newer one.
        by: JobId,
    },
    /// Its host was retired.
    HostRetired,
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
            | Event::Recall
            | Event::Supersede { .. }
            | Event::HostRetired
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
            (Queued, Event::Cancel | Event::Recall | Event::HostRetired) => Ok(self.end(JobState::Cancelled, now)),
            (Queued, Event::Supersede { .. }) => Ok(self.end(JobState::Superseded, now)),
            (Queued, Event::Tick) if now >= self.asked.start_by => Ok(self.end(JobState::Expired, now)),
            (Offered | Accepted | Running | PresumedLost, Event::Cancel) | (Offered, Event::Recall) => {
                Ok(self.ask_to_cancel())
            }
            (_, Event::Cancel) => self.can_be_cancelled().map(|()| self.stay()),
            (Offered | Accepted | Running, Event::HostRetired) => Ok(self.presume_lost(now)),
            (Offered | Accepted | Running, Event::Tick) if now >= self.deadline() => Ok(self.presume_lost(now)),
            // The host has it, or it is over: what was meant for an earlier state changes nothing.
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
    /// Whether a session gets it with its next answer: it has these jobs, and its journal has seen this sequence.
    pub fn is_for(&self, open_on_host: &[JobId], highest_sequence: u64, now: Timestamp) -> bool {
        let deliverable = match self.state {
            // Past its start nobody gets it any more: the next tick ends it.
            JobState::Queued => now < self.asked.start_by,
            JobState::Offered => true,
            // A process was told to start it: no other one is, where once is all it may run.
            JobState::Accepted => self.granted.is_none() || self.asked.spec.rules().recovery() != Recovery::Once,
            // Perhaps it never arrived. Its time is over, so that the host can only refuse it, and thereby end it. Or its
            // result was stored by a server whose store was put back to a backup: whose journal has seen it, knows.
            JobState::PresumedLost => self.accepted_at.is_none() || self.sequence <= highest_sequence,
            _ => false,
        };
        deliverable && !self.cancel_requested && !open_on_host.contains(&self.id)
    }

    /// Whether the host shall stop it, or not start it: also because its latest start has passed on the server's clock,
    /// which stands still for nobody.
    pub fn shall_stop(&self, now: Timestamp) -> bool {
        let too_late = self.state == JobState::Accepted && now >= self.asked.start_by;
        self.cancel_requested || self.state.is_final() || too_late
    }

    /// The highest event of a process that is stored.
    pub fn told_through(&self, process: ProcessId) -> u64 {
        self.told.filter(|(teller, _)| *teller == process).map_or(0, |(_, through)| through)
    }

    fn can_be_cancelled(&self) -> Result<(), Refused> {
        if self.state.is_final() {
            return Err(Refused::wrong_state(format_args!("the job has already ended: {}", word(self.state))));
        }
        // Asked again, that changes nothing and is no fault.
        if self.cancel_requested {
            return Err(Refused::wrong_state("the host was already told to stop it"));
        }
        Ok(())
    }

    /// The server's own deadline: one clock, one owner, nothing shorter in between.
    fn deadline(&self) -> Timestamp {
        after(self.asked.start_by, self.asked.time_limit_seconds + GRACE_SECONDS)
    }

    fn created(host_id: HostId, sequence: u64, job: &NewJob, now: Timestamp) -> Step<Self> {
        let asked_by_caller = matches!(job.asked.origin, Origin::Caller(_));
        let detail = format!("{} on {host_id}", job.asked.spec.kind());
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
            output_lost_bytes: 0,
            log_pieces: 0,
            result: None,
            disputed: false,
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

    fn presume_lost(&self, now: Timestamp) -> Step<Self> {
        let detail = format!("no report from {} by {now}", self.host_id);
        Step::to(Self { state: JobState::PresumedLost, ..self.clone() }).and(Note::alert(
            "job.presumed_lost",
            self.id,
            detail,
        ))
    }

    /// Final, whoever said so: the mailbox forgets it, and its fleet update hears of it.
    fn end(&self, state: JobState, now: Timestamp) -> Step<Self> {
        let next = Self { state, ended_at: Some(now), ..self.clone() };
        let forget = Effect::Also(Change::Mailbox(self.host_id, mailboxes::Event::Remove(self.id)));
        let hears = self.asked.origin.hears(&next);
        let audited = matches!(state, JobState::Cancelled | JobState::Superseded | JobState::Expired);
        let note = audited.then(|| Note::new("job.ended", self.id, word(state)));
        Step::to(next).and(forget).and_all(hears).and_all(note)
    }
}
