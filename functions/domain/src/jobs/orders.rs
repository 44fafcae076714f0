//! Orders for jobs: what is to be done, for whom, and until when.

use jiff::Timestamp;
use muster_schemas::{ids::JobId, jobs::JobSpec};
use serde::{Deserialize, Serialize};

use super::Job;
use crate::{
    changes::Effect,
    fleet_updates::hosts::{Event as HostEvent, Place},
};

/// An order for a job, by a caller or by a fleet update.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobOrder {
    /// Its kind and spec.
    #[serde(flatten)]
    pub spec: JobSpec,
    /// The resource that it acts on.
    pub resource: Option<String>,
    /// The caller or the fleet update that ordered it.
    pub origin: Origin,
    /// The display name of a caller.
    #[serde(default)]
    pub caller_name: String,
    /// Latest start.
    pub start_by: Timestamp,
    /// How long it may run, in seconds.
    pub time_limit_seconds: u32,
}

impl JobOrder {
    /// The same when nobody needs its secrets any more.
    pub(super) fn without_secrets(&self) -> Self {
        Self { spec: self.spec.clone().without_secrets(), ..self.clone() }
    }
}

/// A job to create.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// The id it will have.
    pub id: JobId,
    /// The order.
    #[serde(flatten)]
    pub asked: JobOrder,
}

/// The origin of a job.
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

    /// The effect of the end of a job on its origin: a fleet update gets an event, a caller polls.
    pub(super) fn notify(&self, ended: &Job) -> Option<Effect> {
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
