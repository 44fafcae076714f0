//! Every message of the wire with its golden sample: one list for the samples' test, for the fuzzer, and for the examples of
//! the `OpenAPI` document. Kinds of job bring their samples themselves.
//!
//! A name is the message's type in snake case. Where one sample cannot show all of it, a point and what the sample shows
//! follow: `job_spec.run`. The sample stands in `schemas/samples/NAME.json`; one that has to be changed is a change of the
//! protocol.

use std::{borrow::Cow, sync::LazyLock};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    access::{ApiKeyCreated, ApiKeyRequest, ApiKeyView, LoginRequest, SessionView, UserChange, UserRequest, UserView},
    audit::AuditEntry,
    check_ins::{
        CheckInRequest, CheckInResponse, SessionEnd, SessionRequest, SessionResponse, TokenRequest, TokenResponse,
    },
    commands::{Command, EventsRequest, EventsResponse},
    enrollment::{EnrollRequest, EnrollResponse, EnrollmentTokenCreated, EnrollmentTokenRequest, EnrollmentTokenView},
    envelopes::Envelope,
    fleet_updates::{FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView},
    health::{Health, Version},
    hosts::{HostChange, HostUpdateRequest, HostView, Reason},
    jobs::{JobRequest, JobSpec, JobView, JobsCreated, KINDS, Kind},
    overview::Overview,
    pages::Page,
    problems::Problem,
    releases::{Manifest, ReleaseView, Root, UploadPlace, YankRequest},
    storage::StorageView,
    ticks::TickReport,
};

/// Every message.
pub static MESSAGES: LazyLock<Vec<Message>> =
    LazyLock::new(|| LISTED.iter().cloned().chain(KINDS.iter().map(Message::of)).collect());

/// A message of the wire.
#[derive(Clone)]
pub struct Message {
    /// Its type in snake case, and what its sample shows.
    pub name: Cow<'static, str>,
    /// Its golden sample, as JSON.
    pub sample: &'static str,
    /// Reads it and writes it again.
    pub again: fn(&str) -> Result<String, serde_json::Error>,
    /// How an unknown member is treated.
    pub unknown: Unknown,
}

/// How a reader treats a member of a message that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// An error, because a person wrote it.
    Refused,
    /// Ignored: it comes from a newer side.
    Tolerated,
}

impl Message {
    /// A job of this kind.
    fn of(kind: &Kind) -> Self {
        let name = format!("job_spec.{}", kind.name).into();
        Self { name, sample: kind.sample, again: again::<JobSpec>, unknown: Unknown::Tolerated }
    }

    /// Its type in snake case.
    pub fn kind(&self) -> &str {
        self.name.split('.').next().unwrap_or(&self.name)
    }
}

macro_rules! messages {
    ($($name:literal $message:ty, $unknown:ident;)*) => {
        /// Every message but the kinds of job, by name.
        const LISTED: &[Message] = &[$(Message {
            name: Cow::Borrowed($name),
            sample: include_str!(concat!("../samples/", $name, ".json")),
            again: again::<$message>,
            unknown: Unknown::$unknown,
        }),*];
    };
}

messages! {
    "api_key_created" ApiKeyCreated, Tolerated;
    "api_key_request" ApiKeyRequest, Refused;
    "api_key_view_page" Page<ApiKeyView>, Tolerated;
    "audit_entry_page" Page<AuditEntry>, Tolerated;
    "check_in_request" CheckInRequest, Tolerated;
    "check_in_response" CheckInResponse, Tolerated;
    "command" Command, Tolerated;
    "enroll_request" EnrollRequest, Tolerated;
    "enroll_response" EnrollResponse, Tolerated;
    "enrollment_token_created" EnrollmentTokenCreated, Tolerated;
    "enrollment_token_request" EnrollmentTokenRequest, Refused;
    "enrollment_token_view_page" Page<EnrollmentTokenView>, Tolerated;
    "envelope" Envelope, Tolerated;
    "events_request" EventsRequest, Tolerated;
    "events_response" EventsResponse, Tolerated;
    "fleet_update_action" FleetUpdateAction, Refused;
    "fleet_update_host_view_page" Page<FleetUpdateHostView>, Tolerated;
    "fleet_update_plan" FleetUpdatePlan, Tolerated;
    "fleet_update_request" FleetUpdateRequest, Refused;
    "fleet_update_request.by_selector" FleetUpdateRequest, Refused;
    "fleet_update_view" FleetUpdateView, Tolerated;
    "fleet_update_view_page" Page<FleetUpdateView>, Tolerated;
    "health" Health, Tolerated;
    "host_change" HostChange, Refused;
    "host_update_request" HostUpdateRequest, Refused;
    "host_view" HostView, Tolerated;
    "host_view_page" Page<HostView>, Tolerated;
    "job_request" JobRequest, Refused;
    "job_request.by_selector" JobRequest, Refused;
    "job_view" JobView, Tolerated;
    "job_view_page" Page<JobView>, Tolerated;
    "jobs_created" JobsCreated, Tolerated;
    "login_request" LoginRequest, Refused;
    "manifest" Manifest, Tolerated;
    "overview" Overview, Tolerated;
    "problem" Problem, Tolerated;
    "reason" Reason, Refused;
    "release_view" ReleaseView, Tolerated;
    "release_view_page" Page<ReleaseView>, Tolerated;
    "root" Root, Tolerated;
    "session_end" SessionEnd, Tolerated;
    "session_request" SessionRequest, Tolerated;
    "session_response" SessionResponse, Tolerated;
    "session_view" SessionView, Tolerated;
    "storage_view" StorageView, Tolerated;
    "tick_report" TickReport, Tolerated;
    "token_request" TokenRequest, Tolerated;
    "token_response" TokenResponse, Tolerated;
    "upload_place" UploadPlace, Tolerated;
    "user_change" UserChange, Refused;
    "user_request" UserRequest, Refused;
    "user_view" UserView, Tolerated;
    "user_view_page" Page<UserView>, Tolerated;
    "version" Version, Tolerated;
    "yank_request" YankRequest, Refused;
}

fn again<T: DeserializeOwned + Serialize>(text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::from_str::<T>(text)?)
}
