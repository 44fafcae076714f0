//! Fleet updates: one release brought to many hosts, in waves, halting by itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    actions::ActionsOnFleetUpdate,
    hosts::Selector,
    ids::{FleetUpdateId, HostId, JobId},
};

/// A number of hosts, or a share of those taking part: `5` or `"10%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Share {
    /// So many hosts.
    Count(u32),
    /// So many of a hundred, rounded up.
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
        // Only as it is written again: no sign, no zero before it.
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
    /// So many of `total`, at least one.
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

/// What to do about hosts that are offline when their turn comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfflinePolicy {
    /// Leave them out: `skipped: offline`.
    #[default]
    Skip,
    /// Wait for them until the fleet update's own deadline.
    Wait,
    /// Count them as failures.
    Fail,
    /// Leave them out now, and offer it under the same budget when they return while the fleet update still runs.
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
    /// What to bring: the version of a release of the agent; must be published. A request names exactly one thing to bring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Which hosts, by id: at most 1 000. Absent with `selector` absent too: every active host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_ids: Vec<HostId>,
    /// Which hosts, by what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// Sizes of the waves, the canary first; what is left over is the last wave. Absent: one host, then the rest.
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
    /// What to do about offline hosts. Absent: `skip`.
    #[serde(default)]
    pub offline_policy: OfflinePolicy,
    /// When hosts may be offered the release. Absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<MaintenanceWindow>,
    /// After how long hosts are waited for no more, in seconds: at most 30 days. Absent: 7 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u32>,
    /// Why, for people; up to 1 024 characters.
    #[serde(default)]
    pub note: String,
}

/// Where a fleet update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetUpdateState {
    /// Every host gets its place.
    Planning,
    /// Offering.
    Running,
    /// An operator stopped the offers.
    Paused,
    /// It stopped the offers itself: too many failures, or no slot left. Goes on only when an operator says so.
    Halted,
    /// Every host is done with.
    Completed,
    /// An operator ended it. Stays so.
    Cancelled,
}

/// Where a host is within a fleet update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetUpdateHostState {
    /// Its turn has not come.
    Pending,
    /// It was offered the release and holds a slot.
    Offered,
    /// It runs the release and has not proven it yet; holds a slot.
    Verifying,
    /// It was not heard from in time; keeps its slot until it is, or until an operator writes it off.
    Lost,
    /// A new process of the right version and digest passed its own health gate.
    Succeeded,
    /// It did not.
    Failed,
    /// It was left out; the reason says why.
    Skipped,
    /// The fleet update was cancelled before its turn came.
    Cancelled,
}

impl FleetUpdateHostState {
    /// Whether the fleet update is done with the host.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

/// A fleet update as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetUpdateView {
    /// Its id.
    pub id: FleetUpdateId,
    /// What it brings, in a few words, for people: `agent 1.9.2`. Empty when the server is older than this field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The version of the release that it brings.
    pub version: String,
    /// SHA-256 of the release's signed payload.
    pub manifest_sha256: String,
    /// Where it is.
    pub state: FleetUpdateState,
    /// What it waits for, in words. Absent when it is completed or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<String>,
    /// Why it halted. Absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted_reason: Option<String>,
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
    /// How many hosts are where.
    pub counts: Counts,
    /// Why, for people.
    pub note: String,
    /// Who started it: `user:<id>` or `key:<id>`.
    pub created_by: String,
    /// What people called it then.
    #[serde(default)]
    pub created_by_name: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was completed or cancelled. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The record's revision; `?wait=` waits for the next.
    pub revision: u64,
    /// What the caller may do with it now, and why not the rest.
    #[serde(flatten)]
    pub actions: ActionsOnFleetUpdate,
}

/// How many hosts are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// All that take part; all that have their place, while it is planned.
    pub total: u32,
    /// Their turn has not come.
    pub pending: u32,
    /// In an unproven update, lost ones included.
    pub in_flight: u32,
    /// Proven.
    pub succeeded: u32,
    /// Failed.
    pub failed: u32,
    /// Left out.
    pub skipped: u32,
    /// Not offered any more because of a cancel.
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
    /// Where it is.
    pub state: FleetUpdateHostState,
    /// What it waits for, in words. Absent when it is done with.
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
    /// When it was done with. Absent: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// What a fleet update would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetUpdatePlan {
    /// The release.
    pub version: String,
    /// The waves in order, the canary first.
    pub waves: Vec<Vec<PlannedHost>>,
    /// Hosts that run the release already, and are left out.
    pub current: Vec<HostId>,
    /// Hosts in the waves that are offline now.
    pub offline: Vec<HostId>,
    /// How many hosts may be in an unproven update at once.
    pub max_in_flight: u32,
    /// How long it takes at best, in seconds: probation of each host and soak between waves.
    pub best_case_seconds: u64,
    /// Whether there are more hosts than were looked at: a plan that is only looked at stops after 5 000.
    #[serde(default)]
    pub incomplete: bool,
}

/// One host of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlannedHost {
    /// The host.
    pub host_id: HostId,
    /// What operators call it.
    pub name: String,
    /// What it runs. Absent before its first session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it was heard from lately.
    pub online: bool,
}

/// `POST /api/v1/fleet-updates/{id}/{pause,resume,cancel,retry-failed,write-off}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FleetUpdateAction {
    /// Why, for people; up to 1 024 characters. Needed to resume one that halted.
    pub note: String,
    /// For `write-off`: the lost host whose slot is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
}
