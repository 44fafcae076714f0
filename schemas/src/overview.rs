//! The overview: the whole fleet in one answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{fleet_updates::FleetUpdateView, jobs::JobView};

/// `GET /api/v1/overview`: the whole fleet in one answer. Hosts are counted now and then, however many look; everything
/// else is as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Overview {
    /// How many hosts are how.
    pub hosts: HostCounts,
    /// The newest release that is published. Null: there is none.
    #[schema(required)]
    pub newest_release: Option<String>,
    /// How many hosts run which version: of the 50 most common.
    pub versions: BTreeMap<String, u32>,
    /// Fleet updates that are not over.
    pub fleet_updates: Vec<FleetUpdateView>,
    /// Jobs that did not end well, newest first: at most 10, of the newest 200 jobs.
    pub recent_failures: Vec<JobView>,
    /// How the fleet was, oldest first: every quarter of an hour of the last day in which somebody looked, then every hour
    /// of the last week, then every day; at most 400. Nobody looked: there is a hole.
    pub history: Vec<FleetSample>,
    /// When hosts were counted, and recent failures looked for.
    pub as_of: Timestamp,
}

/// How many hosts are how; retired ones are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostCounts {
    /// All.
    pub total: u32,
    /// Heard from within the offline threshold.
    pub online: u32,
    /// Not heard from.
    pub offline: u32,
    /// That a published release is newer for.
    pub behind: u32,
    /// Not served until an operator has looked.
    pub quarantined: u32,
}

/// How the fleet was at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetSample {
    /// When.
    pub at: Timestamp,
    /// Hosts that were heard from.
    pub online: u32,
    /// Hosts that were not.
    pub offline: u32,
    /// Hosts that a published release was newer for.
    pub behind: u32,
    /// How many hosts ran which version: of the 8 most common.
    pub versions: BTreeMap<String, u32>,
}
