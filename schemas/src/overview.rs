//! Fleet overview: the whole fleet in one answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{fleet_updates::FleetUpdateView, jobs::JobView};

/// `GET /api/v1/overview`: the whole fleet in one answer. Hosts are counted periodically, no matter how many people look;
/// everything else is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Overview {
    /// Hosts by state.
    pub hosts: HostCounts,
    /// The newest release that is published. Null: there is none.
    #[schema(required)]
    pub newest_release: Option<String>,
    /// Hosts by agent version: the 50 most common.
    pub versions: BTreeMap<String, u32>,
    /// Fleet updates that have not ended.
    pub fleet_updates: Vec<FleetUpdateView>,
    /// Failed jobs, newest first: at most 10, of the newest 200 jobs.
    pub recent_failures: Vec<JobView>,
    /// The history of the fleet, oldest first: a sample per quarter of an hour for the last day, then per hour for the last
    /// week, then per day; at most 400. Samples are taken when somebody looks, so there may be gaps.
    pub history: Vec<FleetSample>,
    /// When hosts were counted and failed jobs collected.
    pub as_of: Timestamp,
}

/// Hosts by state, without retired ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostCounts {
    /// All hosts.
    pub total: u32,
    /// Hosts that made a request within the offline threshold.
    pub online: u32,
    /// Hosts that did not.
    pub offline: u32,
    /// Hosts for which a newer release is published.
    pub behind: u32,
    /// Hosts that are blocked until an operator readmits them.
    pub quarantined: u32,
}

/// The fleet at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetSample {
    /// When it was taken.
    pub at: Timestamp,
    /// Hosts that were online.
    pub online: u32,
    /// Hosts that were offline.
    pub offline: u32,
    /// Hosts for which a newer release was published.
    pub behind: u32,
    /// Hosts by agent version: the 8 most common.
    pub versions: BTreeMap<String, u32>,
}
