//! Records: where each noun lives in the table, what else finds it, and what happens when it is due. One file per noun.
//!
//! ```text
//! partition            sort            record                  list, owner, due
//! host#ID              host            Host                    list hosts
//! host#ID              mailbox         Mailbox                 due
//! host-key#SHA256      host-key        id of the host with this key
//! job#ID               job             Job                     list jobs, owner host#ID, due
//! job#ID               log#OFFSET      a piece of log
//! token#ID             token           EnrollmentToken         list tokens
//! release#VERSION      release         Release                 list releases
//! fleet-update#ID      fleet-update    FleetUpdate             list fleet-updates, due
//! fleet-update#ID      host#POSITION   FleetUpdateHost         due
//! trust-root           trust-root      the root of trust for releases
//! user#ID              user            account                 list users
//! user-name#NAME       user-name       id of the account with this name
//! session#ID           session         session of a person
//! sign-in#SHA256       sign-in         tries of a caller with a name that no right password has followed
//! sign-in#SHA256       refusals        how many of them failed of late, and which audit entry says so
//! api-key#ID           api-key         ApiKey                  list api-keys
//! lock#NAME            lock            id of the holder
//! clock                reading         what the last tick read from the clock
//! idempotency#…        PART            what an earlier request made
//! installation         installation    Installation: its id and its URLs
//! overview             counted         how many hosts are how, as last counted
//! overview             history         how many were
//! health               probe           nothing: to write it proves that the table takes writes
//! retention            walk            how far records of before were given the time at which they are removed
//! outbox#ID            entry           a change that is still to happen       due
//! audit#DAY            ID              AuditEntry              list audit, owner audit#SUBJECT
//! ```

pub mod api_keys;
pub mod audit;
pub mod clock;
pub mod enrollment_tokens;
pub mod fleet_update_hosts;
pub mod fleet_updates;
pub mod hosts;
pub mod idempotency;
pub mod installations;
pub mod jobs;
pub mod locks;
pub mod mailboxes;
pub mod outbox;
pub mod overview;
pub mod releases;
pub mod retention;
pub mod sessions;
pub mod trust_root;
pub mod users;

use jiff::Timestamp;
use muster_domain::{
    changes::{Change, Effect},
    enrollment_tokens::EnrollmentToken,
    fleet_updates::{FleetUpdate, hosts::FleetUpdateHost},
    hosts::Host,
    jobs::Job,
    machine::Machine,
    mailboxes::Mailbox,
    refused::Refused,
    releases::Release,
    retention::Retention,
};

use muster_schemas::problems::ProblemCode;

use crate::store::{IndexEntry, Item, Key, StoreError, Versioned};

/// A record with a life, as the table keeps it.
pub trait Record: Machine {
    /// The name of the kind, for a request that finds none.
    const NOUN: &'static str;

    /// The problem of a request that names none.
    const ABSENT: ProblemCode = ProblemCode::NotFound;

    /// The id of one.
    type Id: ?Sized;

    /// Where it lives.
    fn key(id: &Self::Id) -> Key;

    /// Its entries in the indexes.
    fn found_by(&self, _retention: &Retention) -> Vec<IndexEntry> {
        Vec::new()
    }

    /// When it is removed by itself. `None`: never, or not yet.
    fn expires_at(&self, _retention: &Retention) -> Option<Timestamp> {
        None
    }

    /// When what is stored of it apart is removed by itself (pieces of a log).
    fn parts_expire_at(&self, _retention: &Retention, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// The topic that a held request for it waits on. `None`: no request is held for it.
    fn topic(_id: &Self::Id) -> Option<String> {
        None
    }

    /// The change that happens to the record with this key when it is due. `None`: it is not a record of this kind.
    fn due(_key: &Key) -> Option<Change> {
        None
    }
}

/// Which kinds of record can be due, and what happens to each then. Hosts of a fleet update stand before fleet updates,
/// because both live in one partition.
pub const DUE: [fn(&Key) -> Option<Change>; 3] = [Job::due, FleetUpdateHost::due, FleetUpdate::due];

/// A change with the record it happens to, ready to be decided.
pub struct Transition<'a> {
    /// Where the record lives.
    pub key: Key,
    /// The topic that held requests for it wait on.
    pub topic: Option<String>,
    decide: Box<Decide<'a>>,
}

/// The step of one record, from the item as it is, or from nothing.
type Decide<'a> = dyn Fn(Option<&Item>, &Retention, Timestamp) -> Result<Decision, DecisionError> + Send + Sync + 'a;

/// The record after a step, as it will be stored, and the step's further effects.
pub struct Decision {
    /// The record as JSON.
    pub body: Vec<u8>,
    /// Its entries in the indexes.
    pub indexes: Vec<IndexEntry>,
    /// When it is removed by itself.
    pub expires_at: Option<Timestamp>,
    /// When what is stored of it apart is.
    pub parts_expire_at: Option<Timestamp>,
    /// Its further effects.
    pub effects: Vec<Effect>,
}

/// Why there is no decision.
#[derive(Debug)]
pub enum DecisionError {
    /// The rules say no.
    Refused(Refused),
    /// The record cannot be read or written.
    Fault(StoreError),
}

impl From<Refused> for DecisionError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// The record that a change happens to. The only place where kinds of record are told apart.
pub fn of(change: &Change) -> Transition<'_> {
    match change {
        Change::Host(id, event) => Transition::of::<Host>(id, event),
        Change::Mailbox(id, event) => Transition::of::<Mailbox>(id, event),
        Change::Job(id, event) => Transition::of::<Job>(id, event),
        Change::EnrollmentToken(id, event) => Transition::of::<EnrollmentToken>(id, event),
        Change::Release(version, event) => Transition::of::<Release>(version, event),
        Change::FleetUpdate(id, event) => Transition::of::<FleetUpdate>(id, event),
        Change::FleetUpdateHost(id, position, event) => Transition::of::<FleetUpdateHost>(&(*id, *position), event),
    }
}

impl<'a> Transition<'a> {
    fn of<R: Record>(id: &R::Id, event: &'a R::Event) -> Self
    where
        R::Event: Sync,
    {
        Self {
            key: R::key(id),
            topic: R::topic(id),
            decide: Box::new(move |current, retention, now| decide::<R>(event, current, retention, now)),
        }
    }

    /// Decides: the step from the record as it is, or from nothing.
    pub fn decide(
        &self,
        current: Option<&Item>,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<Decision, DecisionError> {
        (self.decide)(current, retention, now)
    }
}

fn decide<R: Record>(
    event: &R::Event,
    current: Option<&Item>,
    retention: &Retention,
    now: Timestamp,
) -> Result<Decision, DecisionError> {
    let step = match current.map(Versioned::<R>::read).transpose().map_err(DecisionError::Fault)? {
        Some(current) => current.record.transition(event, now)?,
        None => R::begin(event, now)?,
    };
    let fault = |source| StoreError::Fault { doing: "write a record", source: Box::new(source) };
    let body = serde_json::to_vec(&step.next).map_err(|source| DecisionError::Fault(fault(source)))?;
    let next = &step.next;
    Ok(Decision {
        body,
        indexes: next.found_by(retention),
        expires_at: next.expires_at(retention),
        parts_expire_at: next.parts_expire_at(retention, now),
        effects: step.effects,
    })
}
