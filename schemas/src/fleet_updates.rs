//! Fleet updates (rollouts): one change brought to many hosts in waves, which halts by itself on failures.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{Action, Actions},
    hosts::Selector,
    ids::{FleetUpdateId, HostId, JobId},
};

/// A number of hosts, or a share of those taking part: `5` or `"10%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Share {
    /// A number of hosts.
    Count(u32),
    /// A percentage, rounded up.
    Percent(Percent),
}

/// A whole number from 1 to 100, written `"10%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^([1-9][0-9]?|100)%$")]
pub struct Percent(u8);

impl TryFrom<String> for Percent {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
        // Only the canonical form: no sign, no leading zero.
        let percent = number.filter(|percent| (1..=100).contains(percent) && text == format!("{percent}%"));
        percent.map(Self).ok_or("must be a count or 1% to 100%")
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        format!("{}%", percent.0)
    }
}

impl Share {
    /// The share of `total` hosts, at least one.
    pub fn of(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count.max(1),
            Self::Percent(Percent(percent)) => {
                let share = (u64::from(total) * u64::from(percent)).div_ceil(100);
                u32::try_from(share).unwrap_or(u32::MAX).max(1)
            }
        }
    }
}

/// The rule for hosts that are offline at their turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfflinePolicy {
    /// Skip them: `skipped: offline`.
    #[default]
    Skip,
    /// Wait for them until the fleet update's own deadline.
    Wait,
    /// Count them as failures.
    Fail,
    /// Skip them now, and offer it under the same limits when they return while the fleet update still runs.
    CatchUp,
}

/// A daily window in UTC in which hosts may be offered the release. An end before the start is on the next day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`.
    pub end: String,
}

/// `POST /api/v1/fleet-updates`; with `?dry_run=true` the answer is the plan and nothing is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetUpdateRequest {
    /// The version of the agent release to bring; must be published. A request names exactly one change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Which hosts, by id: at most 1 000. Absent with `selector` absent too: every active host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_ids: Vec<HostId>,
    /// Which hosts, by labels and operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// Sizes of the waves, the canary first; the remaining hosts are the last wave. Absent: one host, then the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves: Option<Vec<Share>>,
    /// How many hosts may be in an unproven update at once. Absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<Share>,
    /// How many failures halt it: 1 to 1 000. Absent: 1, the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<u32>,
    /// How long to watch a finished wave before the next, in seconds: at most 7 days. Absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak_seconds: Option<u32>,
    /// How long one host may take from the offer to the proof, in seconds: 60 to 86 400. Absent: 1 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_time_limit_seconds: Option<u32>,
    /// The rule for offline hosts. Absent: `skip`.
    #[serde(default)]
    pub offline_policy: OfflinePolicy,
    /// When hosts may be offered the release. Absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<MaintenanceWindow>,
    /// How long to wait for offline hosts, in seconds: at most 30 days. Absent: 7 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u32>,
    /// Why, for people; up to 1 024 characters.
    #[serde(default)]
    pub note: String,
}

/// The state of a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetUpdateState {
    /// Its hosts are being planned.
    Planning,
    /// It offers the change to hosts.
    Running,
    /// An operator stopped the offers.
    Paused,
    /// It stopped the offers itself: too many failures, or no slot left. Only an operator can resume it.
    Halted,
    /// Every host has its final state.
    Completed,
    /// An operator ended it. Final.
    Cancelled,
}

/// The state of a host within a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetUpdateHostState {
    /// It has not had its turn.
    Pending,
    /// It was offered the release and holds a slot.
    Offered,
    /// It runs the release and has not proven it yet; holds a slot.
    Verifying,
    /// It did not report in time; it keeps its slot until it does, or until an operator writes it off.
    Lost,
    /// A new process of the right version and digest passed its own health gate.
    Succeeded,
    /// The update failed there; the reason says why.
    Failed,
    /// It was skipped; the reason says why.
    Skipped,
    /// The fleet update was cancelled before its turn came.
    Cancelled,
}

impl FleetUpdateHostState {
    /// Whether this is a final state.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

/// A fleet update as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetUpdateView {
    /// Its id.
    pub id: FleetUpdateId,
    /// A short title of the change, for people: `agent 1.9.2`. Empty from a server that is older than this field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The version of the release that it brings.
    pub version: String,
    /// SHA-256 of the release's signed payload.
    pub manifest_sha256: String,
    /// Its state.
    pub state: FleetUpdateState,
    /// Reads well after "Waiting for". Absent when it is completed or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<String>,
    /// Why it halted. Absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted_reason: Option<String>,
    /// Why it was paused, by whoever paused it. Empty when nobody said so, and when it is not paused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub paused_note: String,
    /// The wave being offered, from 0 (the canary).
    pub wave: u32,
    /// The waves' sizes, in hosts. Empty while it is planned.
    pub waves: Vec<u32>,
    /// How many hosts may be in an unproven update at once. 0 while it is planned.
    pub max_in_flight: u32,
    /// How many failures halt it.
    pub max_failures: u32,
    /// Failures since it was started or last resumed.
    pub failures: u32,
    /// How long a finished wave is watched, in seconds.
    pub soak_seconds: u32,
    /// Hosts in an unproven update right now; at most the first 100 of them.
    pub in_flight: Vec<HostId>,
    /// Hosts by state.
    pub counts: Counts,
    /// Why, for people.
    pub note: String,
    /// The caller that started it: `user:<id>` or `key:<id>`.
    pub created_by: String,
    /// The display name of that caller at that time.
    #[serde(default)]
    pub created_by_name: String,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it was completed or cancelled. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The record's revision; `?wait=` waits for the next.
    pub revision: u64,
    /// The actions that the caller may take on it now, and why the others are not allowed.
    #[serde(flatten)]
    pub actions: ActionsOnFleetUpdate,
}

/// Hosts by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// All that take part; while it is planned, all that are planned so far.
    pub total: u32,
    /// They have not had their turn.
    pub pending: u32,
    /// In an unproven update, lost ones included.
    pub in_flight: u32,
    /// Proven.
    pub succeeded: u32,
    /// Failed.
    pub failed: u32,
    /// Skipped.
    pub skipped: u32,
    /// Not offered because of a cancel.
    pub cancelled: u32,
}

/// One host of a fleet update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetUpdateHostView {
    /// The host.
    pub host_id: HostId,
    /// Its place in the order, from 0.
    pub position: u32,
    /// Its wave, from 0 (the canary).
    pub wave: u32,
    /// Its state.
    pub state: FleetUpdateHostState,
    /// Reads well after "Waiting for". Absent in a final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<String>,
    /// Why it ended as it did. Absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The latest job. Absent: none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// How often it was offered the release.
    pub attempts: u32,
    /// When it was last offered. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_at: Option<Timestamp>,
    /// When it reached its final state. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// The plan of a fleet update: the answer to a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetUpdatePlan {
    /// The release.
    pub version: String,
    /// The waves in order, the canary first.
    pub waves: Vec<Vec<PlannedHost>>,
    /// Hosts that already run the release, and are skipped.
    pub current: Vec<HostId>,
    /// Hosts in the waves that are offline now.
    pub offline: Vec<HostId>,
    /// How many hosts may be in an unproven update at once.
    pub max_in_flight: u32,
    /// How long it takes at best, in seconds: probation of each host and soak between waves.
    pub best_case_seconds: u64,
    /// Whether there are more hosts than were examined: a dry run stops after 5 000.
    #[serde(default)]
    pub incomplete: bool,
}

/// One host of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlannedHost {
    /// The host.
    pub host_id: HostId,
    /// Its name.
    pub name: String,
    /// The version of its agent. Absent before its first session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it is online.
    pub online: bool,
}

/// `POST /api/v1/fleet-updates/{id}/{pause,resume,cancel,retry-failed,write-off}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FleetUpdateAction {
    /// Why, for people; up to 1 024 characters. Required to resume after a halt.
    pub note: String,
    /// For `write-off`: the lost host whose slot is freed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
}

/// [`ActionOnFleetUpdate`], each decided.
pub type ActionsOnFleetUpdate = Actions<ActionOnFleetUpdate>;

/// Actions on a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOnFleetUpdate {
    /// Stop offering the release to further hosts.
    Pause,
    /// Continue; after a halt with a note.
    Resume,
    /// End it permanently.
    Cancel,
    /// Retry the failed hosts; after a halt with a note.
    RetryFailed,
    /// Write off a lost host, which frees its slot.
    WriteOff,
}

impl Action for ActionOnFleetUpdate {
    const ALL: &'static [Self] = &[Self::Pause, Self::Resume, Self::Cancel, Self::RetryFailed, Self::WriteOff];
}
