//! Keys: where every record lives and what else finds it. All of the table is drawn here.
//!
//! ```text
//! partition            sort            record                  list, owner, due
//! host#ID              host            Host                    list hosts
//! host#ID              mailbox         Mailbox
//! host-key#SHA256      host-key        id of the host with this key
//! job#ID               job             Job                     list jobs, owner host#ID, due
//! job#ID               log#OFFSET      a piece of log
//! token#ID             token           EnrollmentToken         list tokens
//! release#VERSION      release         Release                 list releases
//! fleet-update#ID      fleet-update    FleetUpdate             list fleet-updates, due
//! fleet-update#ID      host#POSITION   FleetUpdateHost         due
//! user#ID              user            account                 list users
//! user-name#NAME       user-name       id of the account with this name
//! session#ID           session         session of a person
//! sign-in#SHA256       sign-in         tries of a name that no right password has followed
//! api-key#ID           api-key         ApiKey                  list api-keys
//! lock#NAME            lock            who has it
//! idempotency#…        PART            what an earlier request made
//! overview             counted         how many hosts are how, as last counted
//! overview             history         how many were
//! outbox#ID            entry           a change that is still to happen       due
//! audit#DAY            ID              AuditEntry              list audit, owner audit#SUBJECT
//! ```

use jiff::Timestamp;
use muster_domain::{
    changes::Change, enrollment_tokens::EnrollmentToken, fleet_update_hosts::FleetUpdateHost,
    fleet_updates::FleetUpdate, hosts::Host, jobs::Job, machine::Machine, mailboxes::Mailbox, releases::Release,
};
use muster_schemas::{
    audit::AuditEntry,
    ids::{ApiKeyId, EnrollmentTokenId, FleetUpdateId, HostId, JobId, UserId},
};

use super::{Index, IndexEntry, Key};

/// The partition of the due index.
pub const DUE: &str = "due";

/// A host's description.
pub fn host(id: HostId) -> Key {
    Key::new(format!("host#{id}"), "host")
}

/// A host's mailbox.
pub fn mailbox(id: HostId) -> Key {
    Key::new(format!("host#{id}"), "mailbox")
}

/// Which host has a public key.
pub fn host_key(public_key_sha256: &str) -> Key {
    Key::new(format!("host-key#{public_key_sha256}"), "host-key")
}

/// A job.
pub fn job(id: JobId) -> Key {
    Key::new(format!("job#{id}"), "job")
}

/// The piece of a job's log that starts at this byte.
pub fn log(id: JobId, offset: u64) -> Key {
    Key::new(format!("job#{id}"), format!("log#{offset:020}"))
}

/// An enrollment token.
pub fn enrollment_token(id: EnrollmentTokenId) -> Key {
    Key::new(format!("token#{id}"), "token")
}

/// A release.
pub fn release(version: &str) -> Key {
    Key::new(format!("release#{version}"), "release")
}

/// A fleet update.
pub fn fleet_update(id: FleetUpdateId) -> Key {
    Key::new(format!("fleet-update#{id}"), "fleet-update")
}

/// The host at a position of a fleet update.
pub fn fleet_update_host(id: FleetUpdateId, position: u32) -> Key {
    Key::new(format!("fleet-update#{id}"), format!("host#{position:08}"))
}

/// The position of a host in a fleet update, if this is the key of one.
pub fn position(key: &Key) -> Option<u32> {
    key.sort.strip_prefix("host#").and_then(|position| position.parse().ok())
}

/// An account.
pub fn user(id: UserId) -> Key {
    Key::new(format!("user#{id}"), "user")
}

/// Which account has a name.
pub fn user_name(name: &str) -> Key {
    Key::new(format!("user-name#{name}"), "user-name")
}

/// A session of a person.
pub fn session(id: &str) -> Key {
    Key::new(format!("session#{id}"), "session")
}

/// Tries to sign in by this name.
pub fn sign_in(username_sha256: &str) -> Key {
    Key::new(format!("sign-in#{username_sha256}"), "sign-in")
}

/// An API key.
pub fn api_key(id: ApiKeyId) -> Key {
    Key::new(format!("api-key#{id}"), "api-key")
}

/// A lock.
pub fn lock(name: &str) -> Key {
    Key::new(format!("lock#{name}"), "lock")
}

/// What an earlier request with the same `Idempotency-Key` of the same caller made.
pub fn idempotency(caller: &str, key_sha256: &str, part: &str) -> Key {
    Key::new(format!("idempotency#{caller}#{key_sha256}"), part)
}

/// How many hosts are how, as last counted.
pub fn overview() -> Key {
    Key::new("overview", "counted")
}

/// How many hosts were how.
pub fn overview_history() -> Key {
    Key::new("overview", "history")
}

/// A change that is still to happen.
pub fn outbox(id: &str) -> Key {
    Key::new(format!("outbox#{id}"), "entry")
}

/// An entry of the audit trail.
pub fn audit(entry: &AuditEntry) -> Key {
    Key::new(format!("audit#{}", entry.at.strftime("%F")), entry.id.to_string())
}

/// The record that a change happens to.
pub fn of_change(change: &Change) -> Key {
    match change {
        Change::Host(id, _) => host(*id),
        Change::Mailbox(id, _) => mailbox(*id),
        Change::Job(id, _) => job(*id),
        Change::EnrollmentToken(id, _) => enrollment_token(*id),
        Change::Release(version, _) => release(version),
        Change::FleetUpdate(id, _) => fleet_update(*id),
        Change::FleetUpdateHost(id, position, _) => fleet_update_host(*id, *position),
    }
}

/// An entry of the list of all records of a kind.
pub fn list(of: &str, sort: impl ToString) -> IndexEntry {
    IndexEntry { index: Index::List, partition: of.into(), sort: sort.to_string() }
}

/// An entry of the list of what belongs to another record.
pub fn owned(by: impl ToString, sort: impl ToString) -> IndexEntry {
    IndexEntry { index: Index::Owner, partition: by.to_string(), sort: sort.to_string() }
}

/// An entry of the list of what is due.
pub fn due(at: Timestamp, what: impl ToString) -> IndexEntry {
    let sort = format!("{}#{}", due_sort(at), what.to_string());
    IndexEntry { index: Index::Due, partition: DUE.into(), sort }
}

/// A time as the due index sorts it.
pub fn due_sort(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}

/// What else finds a record with a life.
pub trait Found: Machine {
    /// Its entries in the indexes.
    fn found_by(&self) -> Vec<IndexEntry>;
}

impl Found for Host {
    fn found_by(&self) -> Vec<IndexEntry> {
        vec![list("hosts", self.id)]
    }
}

impl Found for Mailbox {
    fn found_by(&self) -> Vec<IndexEntry> {
        Vec::new()
    }
}

impl Found for Job {
    fn found_by(&self) -> Vec<IndexEntry> {
        let always = [list("jobs", self.id), owned(format_args!("host#{}", self.host_id), self.id)];
        always.into_iter().chain(self.due_at().map(|at| due(at, self.id))).collect()
    }
}

impl Found for EnrollmentToken {
    fn found_by(&self) -> Vec<IndexEntry> {
        vec![list("tokens", self.id)]
    }
}

impl Found for Release {
    fn found_by(&self) -> Vec<IndexEntry> {
        vec![list("releases", format_args!("{:020}", self.manifest.manifest_version))]
    }
}

impl Found for FleetUpdate {
    fn found_by(&self) -> Vec<IndexEntry> {
        let always = [list("fleet-updates", self.id)];
        always.into_iter().chain(self.due_at().map(|at| due(at, self.id))).collect()
    }
}

impl Found for FleetUpdateHost {
    fn found_by(&self) -> Vec<IndexEntry> {
        let due_at = self.due_at();
        due_at
            .map(|at| due(at, format_args!("{}-{}", self.place.fleet_update_id, self.place.position)))
            .into_iter()
            .collect()
    }
}
