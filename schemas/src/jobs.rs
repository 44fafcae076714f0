//! Jobs: one piece of work on one host, with a state, a log and a result. What a kind of job is stands in a file of its own.

mod inspect;
mod reboot;
mod requests;
mod reset_breakers;
mod results;
mod run;
mod secrets;
mod self_update;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use self::{
    inspect::InspectSpec,
    reboot::RebootSpec,
    requests::{HostRefused, IfOffline, JobRequest, JobsCreated},
    reset_breakers::ResetBreakersSpec,
    results::{JobError, JobResult, Outcome},
    run::{HIDDEN, RunSpec, SECRET_ENVIRONMENT},
    self_update::{AGENT, SelfUpdateSpec},
};

use crate::{
    actions::{Action, Actions},
    ids::{FleetUpdateId, HostId, JobId},
    problems::Problem,
};

/// What to do, typed per kind; never a shell string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "spec", rename_all = "snake_case")]
pub enum JobSpec {
    /// Run a program. Recovery: `once`.
    Run(RunSpec),
    /// Report the host's facts in full. Recovery: `converge`.
    Inspect(InspectSpec),
    /// Close the agent's circuit breakers: what did not answer is well again. Recovery: `converge`.
    ResetBreakers(ResetBreakersSpec),
    /// Bring the agent to a release. Recovery: `probe`.
    SelfUpdate(SelfUpdateSpec),
    /// Restart the machine. Recovery: `probe`, by the boot id.
    Reboot(RebootSpec),
}

/// Every kind of job, by its name on the wire.
pub const KINDS: [Kind; 5] = [run::KIND, inspect::KIND, reset_breakers::KIND, self_update::KIND, reboot::KIND];

/// The resource of a job that takes the whole host: no other job of the host runs beside it, whatever that one acts on.
pub const HOST: &str = "host";

/// How much output of a job is kept in its log unless its spec says otherwise, in bytes.
pub const DEFAULT_LOG_BYTES: u64 = 1024 * 1024;
/// How long a title is at most, in characters.
const MAX_TITLE: usize = 160;

/// What is the same for every job of a kind.
#[derive(Debug)]
pub struct Kind {
    /// The kind as one word.
    pub name: &'static str,
    /// By what else operators ask for it. Absent: by `POST /api/v1/jobs`.
    pub instead: Option<&'static str>,
    /// What the command line says of the kind, which gets a command of its own by this: its spec is empty. Absent: its command
    /// is written by hand, or nobody types it.
    pub command: Option<&'static str>,
    /// A golden sample of a job of this kind, as JSON: it keeps the kind's rules.
    pub sample: &'static str,
    /// What its spec is called in the `OpenAPI` document.
    spec: fn() -> Cow<'static, str>,
    /// A spec of this kind from its JSON, or the field that breaks a rule.
    parse: fn(&Value) -> Result<JobSpec, Box<Problem>>,
}

/// What holds for a job of a kind, whoever asks for it and whoever does it.
pub trait JobKind {
    /// What is the same for every job of the kind.
    fn kind(&self) -> &'static Kind;

    /// What to do about a job of this kind that was cut off after it had started.
    fn recovery(&self) -> Recovery;

    /// The job in a few words, for people.
    fn title(&self) -> String;

    /// What it acts on: one job per resource runs at a time, and none beside one that acts on [`HOST`]. `None`: nothing that
    /// others act on.
    fn resource(&self) -> Option<String> {
        None
    }

    /// The first rule that the spec breaks. Server and agent both ask; neither believes the other.
    fn check(&self) -> Result<(), Box<Problem>> {
        Ok(())
    }

    /// How much output is kept in the log, in bytes: its beginning and its end.
    fn log_limit_bytes(&self) -> u64 {
        DEFAULT_LOG_BYTES
    }

    /// What a host must name among the capabilities of its facts to get the job, beside its kind. `None`: nothing.
    fn needs(&self) -> Option<&'static str> {
        None
    }

    /// The job for the audit trail: all that it does, within bounds and without secrets.
    fn summary(&self) -> String {
        self.title()
    }
}

impl JobSpec {
    /// What holds for a job of this kind.
    pub fn rules(&self) -> &dyn JobKind {
        match self {
            Self::Run(spec) => spec,
            Self::Inspect(spec) => spec,
            Self::ResetBreakers(spec) => spec,
            Self::SelfUpdate(spec) => spec,
            Self::Reboot(spec) => spec,
        }
    }

    /// The kind as one word.
    pub fn kind(&self) -> &'static str {
        self.rules().kind().name
    }

    /// A spec from its two members, or the field that breaks a rule.
    pub fn from_parts(kind: &str, spec: &Value) -> Result<Self, Box<Problem>> {
        let Some(known) = KINDS.iter().find(|known| known.name == kind) else {
            let names = KINDS.map(|known| known.name).join(", ");
            return Err(Box::new(Problem::invalid("kind", format_args!("must be one of {names}"))));
        };
        (known.parse)(spec)
    }
}

/// The spec of one kind.
fn typed<T: DeserializeOwned>(spec: &Value) -> Result<T, Box<Problem>> {
    // serde would read a list as the object's members in their order.
    if !spec.is_object() {
        return Err(Box::new(Problem::invalid("spec", "must be an object")));
    }
    serde_path_to_error::deserialize(spec).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "spec".into() } else { format!("spec.{path}") };
        // The message quotes what is wrong, which may be a secret.
        if path.starts_with("secret_") {
            return Box::new(Problem::invalid(field, "must be texts by name"));
        }
        Box::new(Problem::invalid(field, error.inner()))
    })
}

/// The first of the rules, each with its field and whether it is kept, that is broken.
fn first_broken(rules: &[(&str, bool, &str)]) -> Result<(), Box<Problem>> {
    let broken = rules.iter().find(|(_, kept, _)| !kept);
    broken.map_or(Ok(()), |(field, _, rule)| Err(Box::new(Problem::invalid(*field, rule))))
}

/// A text as a title: one line, cut where it is long.
fn in_few_words(text: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    let mut title = text.chars().take(MAX_TITLE).map(plain).collect::<String>();
    if text.chars().nth(MAX_TITLE).is_some() {
        title.push('…');
    }
    title
}

/// What the agent does about a job that was cut off after it had started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Run it again.
    Converge,
    /// Ask whether it happened, then finish or run it.
    Probe,
    /// Never again: report `interrupted`. Also what an unknown word means.
    #[serde(other)]
    Once,
}

/// Where a job is. The last six but one are final and never change; `presumed_lost` is corrected by a late report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Never offered.
    Queued,
    /// Offered; the host has not said that it has it.
    Offered,
    /// On the host's disk.
    Accepted,
    /// Started.
    Running,
    /// Past its deadline without a word, or given up; not final.
    PresumedLost,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Taken back before it had an effect, or stopped.
    Cancelled,
    /// Cut off in the middle and not to be repeated.
    Interrupted,
    /// Refused by the host.
    Rejected,
    /// A newer job for the same resource came first.
    Superseded,
    /// Not offered in time; never run.
    Expired,
}

impl JobState {
    /// Whether it never changes again.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Offered | Self::Accepted | Self::Running | Self::PresumedLost)
    }
}

/// A job as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// Where it runs.
    pub host_id: HostId,
    /// Its place in the host's own order.
    pub sequence: u64,
    /// What to do.
    #[serde(flatten)]
    pub spec: JobSpec,
    /// The same in a few words, for people. Empty when the server is older than this field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where it is.
    pub state: JobState,
    /// What it waits for, in words. Absent when it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<String>,
    /// What it acts on (`agent`): one job per resource runs at a time, and none beside one that acts on `host`. Absent: nothing
    /// that others act on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who asked for it: `user:<id>`, `key:<id>`, or a fleet update's id.
    pub created_by: String,
    /// What people called it then: a user's or an API key's name. Empty for a fleet update.
    #[serde(default)]
    pub created_by_name: String,
    /// The fleet update it belongs to. Absent when an operator asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet_update_id: Option<FleetUpdateId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Latest start.
    pub start_by: Timestamp,
    /// How long it may run, in seconds.
    pub time_limit_seconds: u32,
    /// When it was first offered. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_at: Option<Timestamp>,
    /// When the host said that it has it. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When the host said that it has started: its time limit counts from here. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became final. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether an operator wants it stopped.
    pub cancel_requested: bool,
    /// Who gave it up because its host is lost: a user's or an API key's name. Absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_by: Option<String>,
    /// When it was given up. Absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_at: Option<Timestamp>,
    /// Bytes of log kept so far.
    pub log_bytes: u64,
    /// Bytes of output that the host could not keep until they were stored: the log has a line in place of each. Absent: none.
    #[serde(default, skip_serializing_if = "crate::upstreams::is_zero")]
    pub output_lost_bytes: u64,
    /// Bytes of output that are missing in the log because there were more than its limit: the log keeps the beginning and the
    /// end, and has a line between them. Absent: none.
    #[serde(default, skip_serializing_if = "crate::upstreams::is_zero")]
    pub output_cut_bytes: u64,
    /// That its log was erased: nothing of it is left, and no further output is kept. Absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_erased: Option<LogErased>,
    /// How it ended, by the host's word. Absent until the host has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// The record's revision.
    pub revision: u64,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnJob,
}

/// Who erased the log of a job, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogErased {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Who: `user:<id>` or `key:<id>`.
    pub by: String,
    /// What people called them then.
    #[serde(default)]
    pub by_name: String,
    /// Why, in their words.
    pub reason: String,
}

/// The header that says that a log is gone and why: `erased` by somebody, or `expired` after its time. Absent: it is there.
pub const LOG_GONE_HEADER: &str = "muster-log-gone";
/// The header that says from which byte a log goes on (`GET /jobs/{id}/log?after=`).
pub const LOG_NEXT_HEADER: &str = "muster-log-next";
/// The header that says whether the log is complete: `true` or `false`.
pub const LOG_COMPLETE_HEADER: &str = "muster-log-complete";

/// [`ActionOnJob`], each decided.
pub type ActionsOnJob = Actions<ActionOnJob>;

/// Actions on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnJob {
    /// Cancel it.
    Cancel,
    /// Erase its log.
    EraseLog,
    /// Give it up because its host is lost: it is presumed lost at once. A late report of the host still corrects it.
    GiveUp,
}

impl Action for ActionOnJob {
    const ALL: &'static [Self] = &[Self::Cancel, Self::EraseLog, Self::GiveUp];
}
