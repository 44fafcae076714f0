//! State machine of a mailbox: the jobs and the session of a host, in one small item that an idle check-in only reads.
//!
//! ```text
//! active ──second live copy, wrong bytes──▶ quarantined ──Readmit──▶ active
//! active | quarantined ──Retire──▶ retired (for good)
//! ```
//! The session number is a fencing token: every start of an agent process takes the next one, and only the newest is served.
//! A process that returns after another one took over proves that two live copies (clones) share one identity, because a
//! process that ended makes no more requests.

mod sessions;
mod standing;

use jiff::Timestamp;
use muster_schemas::{
    hosts::HostState,
    ids::{HostId, JobId, ProcessId},
    jobs::AGENT,
    problems::{Problem, ProblemCode},
    reports::{AgentReport, Report},
};
use serde::{Deserialize, Serialize};

use crate::{
    changes::{Change, Effect},
    fleet_updates::hosts::Place,
    jobs::{self, NewJob},
    machine::{Machine, Step},
    refused::Refused,
    times::after,
};

/// How many earlier processes of a host are remembered, to recognize one that returns. With more, the mailbox of an
/// idle host would outgrow the kilobyte that one write unit takes.
const REMEMBERED_PROCESSES: usize = 8;
/// How long a host polls often after something happened to it, in seconds: the next thing mostly follows soon.
const ATTENTION_SECONDS: u32 = 120;
/// How often it is recorded at most that an operator looks at a host, in seconds.
const LOOK_WRITE_SECONDS: u32 = 60;
/// How far the clocks of two servers of one store may differ, in seconds.
const CLOCKS_DIFFER_SECONDS: u32 = 10;
/// How many jobs of a host may be open.
const MAX_OPEN_JOBS: usize = 80;

/// The mailbox of a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mailbox {
    /// The host.
    pub host_id: HostId,
    /// The host's public key: 32 bytes, base64url. Here too, so that a proof of identity needs no other record.
    pub public_key: String,
    /// Whether it is served.
    pub state: HostState,
    /// Why it is quarantined or retired.
    pub state_reason: Option<String>,
    /// When it was retired. Absent also if that was before this was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// The number of the newest session; 0 before the first.
    pub session: u64,
    /// The agent process of that session.
    pub process_id: Option<ProcessId>,
    /// The processes of earlier sessions, oldest first.
    pub earlier_processes: Vec<ProcessId>,
    /// The highest job sequence in use.
    pub sequence: u64,
    /// Jobs that are not final, in sequence order.
    pub open: Vec<OpenJob>,
    /// The fleet update that last offered it a release, until the host's agent is committed: it judges by the host's
    /// reports, and the proof may come after the job has ended.
    #[serde(default)]
    pub fleet_update: Option<Place>,
    /// When the host was last heard from; written at most every `presence_write_seconds`.
    pub last_seen_at: Option<Timestamp>,
    /// When it left: it said that it stops, or its connection was closed and it did not come back. Absent: it was heard from
    /// since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// Whether it said so itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub said_goodbye: bool,
    /// Until when the host is asked to poll often, where polls are not held. A host with open jobs always polls often.
    pub attention_until: Option<Timestamp>,
    /// Digests of the host's reports, to see whether one of them is not stored yet.
    #[serde(flatten)]
    pub digests: Digests,
}

/// Digests of a host's reports. One of the two is empty: an agent compares the one or the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256 of the stored facts, for agents that compare only facts.
    #[serde(default)]
    pub facts_digest: String,
    /// The digest of all sections, with the sections that the server accepted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reports_digest: String,
}

/// A job that is not final.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpenJob {
    /// The job.
    pub id: JobId,
    /// The resource that it acts on.
    pub resource: Option<String>,
    /// Whether the host must stop it.
    pub cancel: bool,
    /// Whether it was already marked as offered because the host's journal is ahead of a restored server, so that this happens
    /// only once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub perhaps_offered: bool,
}

/// An event of a /// .
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The host joined, with this public key.
    Open(HostId, String),
    /// An agent process has started.
    Started {
        /// The running agent.
        agent: AgentReport,
        /// The host's reports, in sections.
        news: HostNews,
    },
    /// The host checked in with what has changed; absent parts are unchanged.
    Seen {
        /// The session it named.
        session: u64,
        /// The changes since the last check-in.
        news: HostNews,
    },
    /// The host said that it stops, or its connection was closed and it did not come back.
    Left {
        /// The session that has ended.
        session: u64,
        /// When the host was last heard from.
        seen_at: Timestamp,
        /// Whether it said so itself.
        said_goodbye: bool,
    },
    /// An operator looks at the host, and wants to see changes soon.
    LookedAt,
    /// A job for the host is created.
    Enqueue(Box<NewJob>),
    /// A job must be stopped.
    Cancel(JobId),
    /// A job is final.
    Remove(JobId),
    /// The host must not be served until an operator readmits it.
    Quarantine(String),
    /// An operator readmits the host.
    Readmit(String),
    /// The host's identity is revoked.
    Retire {
        /// Why.
        reason: String,
        /// Whether open jobs are abandoned.
        force: bool,
    },
}

/// The news of a check-in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostNews {
    /// The sections that have changed.
    pub reports: Vec<Report>,
    /// The digests after them, as the mailbox keeps them; absent where they stay as they are.
    pub digests: Option<Digests>,
    /// What the mailbox must hold for the digests to be those of all that is stored; absent where the reports are complete.
    pub after: Option<String>,
    /// The highest job sequence in the host's journal.
    pub highest_sequence: u64,
}

impl HostNews {
    /// Whether it has something that the mailbox does not have.
    pub fn is_new_to(&self, mailbox: &Mailbox) -> bool {
        !self.reports.is_empty() || self.highest_sequence > mailbox.sequence
    }

    fn agent(&self) -> Option<&AgentReport> {
        self.reports.iter().find_map(|report| match report {
            Report::Agent(agent) => Some(agent),
            Report::Facts(_) | Report::Upstreams(_) => None,
        })
    }
}

impl Machine for Mailbox {
    type Event = Event;

    fn begin(event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Open(host_id, public_key) => Ok(Step::to(Self::new(*host_id, public_key))),
            Event::Started { .. }
            | Event::Seen { .. }
            | Event::Left { .. }
            | Event::LookedAt
            | Event::Enqueue(_)
            | Event::Cancel(_)
            | Event::Remove(_)
            | Event::Quarantine(_)
            | Event::Readmit(_)
            | Event::Retire { .. } => Err(Refused::new(ProblemCode::HostNotFound, "no such host")),
        }
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::Open(..) => Err(Refused::wrong_state("the mailbox already exists")),
            Event::Started { agent, news } => self.started(agent, news, now),
            Event::Seen { session, news } => self.seen(*session, news, now),
            Event::Left { session, seen_at, said_goodbye } => Ok(self.left(*session, *seen_at, *said_goodbye, now)),
            Event::LookedAt => Ok(self.looked_at(now)),
            Event::Enqueue(job) => self.enqueue(job, now),
            Event::Cancel(id) => Ok(self.cancel(*id)),
            Event::Remove(id) => Ok(self.remove(*id, now)),
            Event::Quarantine(reason) => Ok(self.quarantine(reason)),
            Event::Readmit(reason) => self.readmit(reason),
            Event::Retire { reason, force } => self.retire(reason, *force, now),
        }
    }
}

impl Mailbox {
    /// An empty mailbox.
    pub fn new(host_id: HostId, public_key: &str) -> Self {
        Self {
            host_id,
            public_key: public_key.into(),
            state: HostState::Active,
            state_reason: None,
            retired_at: None,
            session: 0,
            process_id: None,
            earlier_processes: Vec::new(),
            sequence: 0,
            open: Vec::new(),
            fleet_update: None,
            last_seen_at: None,
            left_at: None,
            said_goodbye: false,
            attention_until: None,
            digests: Digests::default(),
        }
    }

    /// Whether the host is asked to poll often: it has open jobs, or something happened recently.
    pub fn has_attention(&self, now: Timestamp) -> bool {
        !self.open.is_empty() || self.attention_until(now).is_some()
    }

    /// When the host was last heard from, unless a clock that has been set back since has written it.
    pub fn last_seen_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.last_seen_at.filter(|seen| *seen <= after(now, CLOCKS_DIFFER_SECONDS))
    }

    /// Whether somebody whom it did not tell so believes that it left.
    pub fn is_missed(&self) -> bool {
        self.left_at.is_some() && !self.said_goodbye
    }

    /// Until when the host is asked to poll often because something happened recently. A time further ahead than attention ever
    /// lasts is from a clock that has been set back since.
    pub fn attention_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.attention_until.filter(|until| now < *until && *until <= after(now, ATTENTION_SECONDS))
    }

    /// Whether an operator's look must be recorded: the time of frequent polls ends soon.
    pub fn lacks_attention(&self, now: Timestamp) -> bool {
        let enough = after(now, ATTENTION_SECONDS - LOOK_WRITE_SECONDS);
        self.state == HostState::Active && self.attention_until(now).is_none_or(|until| until <= enough)
    }

    /// Whether it takes another job.
    pub fn has_room(&self) -> bool {
        self.open.len() < MAX_OPEN_JOBS
    }

    /// Whether the host is served at all.
    pub fn served(&self) -> Result<(), Refused> {
        let reason = self.state_reason.as_deref().unwrap_or_default();
        match self.state {
            HostState::Active => Ok(()),
            HostState::Quarantined => {
                let detail = format_args!("the host is blocked until it is readmitted: {reason}");
                Err(Refused::new(ProblemCode::HostQuarantined, detail))
            }
            HostState::Retired => Err(Refused::new(
                ProblemCode::HostRetired,
                format_args!("its identity was permanently revoked: {reason}"),
            )),
        }
    }

    /// Whether it takes another job.
    pub fn takes_work(&self) -> Result<(), Refused> {
        self.served()?;
        if self.has_room() {
            return Ok(());
        }
        Err(Refused::new(ProblemCode::TooManyRequests, format_args!("this host already has {MAX_OPEN_JOBS} open jobs")))
    }

    /// Whether an operator can ask for an update of its agent.
    pub fn takes_update(&self) -> Result<(), Refused> {
        if self.update().is_some() {
            return Err(Refused::new(ProblemCode::UpdateInProgress, "another update of its agent is in progress"));
        }
        Ok(())
    }

    /// The refusal for an offline host.
    pub fn offline(&self, detail: &str) -> Refused {
        let seen = self.last_seen_at.map_or(serde_json::Value::Null, |at| at.to_string().into());
        Refused(Box::new(Problem::new(ProblemCode::HostOffline).detail(detail).with("last_seen_at", seen)))
    }

    /// Whether a request of this session is served.
    pub fn serves(&self, session: u64) -> Result<(), Refused> {
        self.served()?;
        if session == self.session {
            return Ok(());
        }
        let detail = format!("session {session} was superseded; the newest is {}", self.session);
        Err(Refused::new(ProblemCode::SessionSuperseded, detail))
    }

    /// The open update of the agent, if there is one.
    pub fn update(&self) -> Option<&OpenJob> {
        self.open_on(AGENT)
    }

    /// An open job that acts on this, if there is one.
    pub fn open_on(&self, resource: &str) -> Option<&OpenJob> {
        self.open.iter().find(|job| job.resource.as_deref() == Some(resource))
    }

    fn enqueue(&self, job: &NewJob, now: Timestamp) -> Result<Step<Self>, Refused> {
        self.served()?;
        if job.asked.origin.fleet_update().is_none() && job.asked.resource.as_deref() == Some(AGENT) {
            self.takes_update()?;
        }
        self.takes_work()?;
        let mut next = self.clone();
        next.sequence += 1;
        next.attention_until = Some(after(now, ATTENTION_SECONDS));
        next.fleet_update = job.asked.origin.fleet_update().or(self.fleet_update);
        next.open.push(OpenJob {
            id: job.id,
            resource: job.asked.resource.clone(),
            cancel: false,
            perhaps_offered: false,
        });
        let created =
            jobs::Event::Create { host_id: self.host_id, sequence: next.sequence, job: Box::new(job.clone()) };
        let older = self.open.iter().filter(|open| job.asked.resource.is_some() && open.resource == job.asked.resource);
        let supersede = |open: &OpenJob| Effect::Later(Change::Job(open.id, jobs::Event::Supersede { by: job.id }));
        Ok(Step::to(next)
            .and(Effect::Also(Change::Job(job.id, created)))
            .and_all(older.map(supersede))
            .and(Effect::Wake(self.host_id)))
    }

    fn cancel(&self, id: JobId) -> Step<Self> {
        let mut next = self.clone();
        for open in next.open.iter_mut().filter(|open| open.id == id) {
            open.cancel = true;
        }
        Step::to(next).and(Effect::Wake(self.host_id))
    }

    fn remove(&self, id: JobId, now: Timestamp) -> Step<Self> {
        let mut next = self.clone();
        next.attention_until = Some(after(now, ATTENTION_SECONDS));
        next.open.retain(|open| open.id != id);
        Step::to(next)
    }
}
