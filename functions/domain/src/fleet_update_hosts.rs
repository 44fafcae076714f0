//! The hosts of a fleet update: one small record each, so that 100 000 hosts never meet an item-size limit.
//!
//! ```text
//! pending ──Offer──▶ offered ──Verify──▶ verifying ──Conclude──▶ succeeded | failed | skipped
//!    ▲                  └──────Lose──────────┴──▶ lost ──Conclude──▶ …
//!    └──Requeue── offered | verifying | lost | failed | skipped
//! ```
//! It decides nothing: its fleet update does, in the same commit.

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::FleetUpdateHostState,
    ids::{FleetUpdateId, HostId, JobId},
};
use serde::{Deserialize, Serialize};

use crate::machine::{Machine, Refused, Step};

/// One host of a fleet update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetUpdateHost {
    /// The fleet update.
    pub fleet_update_id: FleetUpdateId,
    /// Its place in the order, from 0.
    pub position: u32,
    /// Its wave, from 0.
    pub wave: u32,
    /// The host.
    pub host_id: HostId,
    /// Where it is.
    pub state: FleetUpdateHostState,
    /// Why it ended as it did.
    pub reason: Option<String>,
    /// The latest job.
    pub job_id: Option<JobId>,
    /// How often it was offered the release.
    pub attempts: u32,
    /// When it was last offered.
    pub offered_at: Option<Timestamp>,
    /// When the fleet update was done with it.
    pub ended_at: Option<Timestamp>,
}

/// What can happen to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It gets a slot and a job.
    Offer(JobId),
    /// It runs the release, unproven.
    Verify,
    /// It was not heard from in time.
    Lose,
    /// The fleet update is done with it.
    Conclude {
        /// How it ended.
        state: FleetUpdateHostState,
        /// Why.
        reason: Option<String>,
    },
    /// Its turn will come again.
    Requeue {
        /// Why.
        reason: Option<String>,
    },
}

impl FleetUpdateHost {
    /// The record before anything happened to it.
    pub fn planned(fleet_update_id: FleetUpdateId, position: u32, wave: u32, host_id: HostId) -> Self {
        Self {
            fleet_update_id,
            position,
            wave,
            host_id,
            state: FleetUpdateHostState::Pending,
            reason: None,
            job_id: None,
            attempts: 0,
            offered_at: None,
            ended_at: None,
        }
    }
}

impl Machine for FleetUpdateHost {
    type Event = Event;

    fn begin(_event: &Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        // Written with the plan, before the fleet update itself exists.
        Err(Refused::not_found("host of this fleet update"))
    }

    fn transition(&self, event: &Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        use FleetUpdateHostState::{Lost, Offered, Pending, Verifying};
        let next = match event {
            Event::Offer(_) if self.state != Pending => {
                return Err(Refused::wrong_state(format_args!("{} is not pending", self.host_id)));
            }
            Event::Offer(job_id) => Self {
                state: Offered,
                reason: None,
                job_id: Some(*job_id),
                attempts: self.attempts + 1,
                offered_at: Some(now),
                ..self.clone()
            },
            Event::Verify => Self { state: Verifying, ..self.clone() },
            Event::Lose => Self { state: Lost, ..self.clone() },
            Event::Conclude { state, reason } => {
                Self { state: *state, reason: reason.clone(), ended_at: Some(now), ..self.clone() }
            }
            Event::Requeue { reason } => {
                Self { state: Pending, reason: reason.clone(), ended_at: None, ..self.clone() }
            }
        };
        Ok(Step::to(next))
    }
}
