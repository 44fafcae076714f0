//! Every message of the wire and every record of the store: what is read is written, and read again the same.

use std::collections::BTreeMap;

use muster_domain::{
    changes::Change, enrollment_tokens::EnrollmentToken, fleet_updates::FleetUpdate,
    fleet_updates::hosts::FleetUpdateHost, hosts::Host, jobs::Job, mailboxes::Mailbox, releases::Release,
};
use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyRequest, ApiKeyView, LoginRequest, SessionView, UserChange, UserRequest, UserView},
    audit::AuditEntry,
    check_ins::{CheckInRequest, CheckInResponse, SessionRequest, SessionResponse, TokenRequest, TokenResponse},
    commands::{Command, EventsRequest, EventsResponse},
    enrollment::{EnrollRequest, EnrollResponse, EnrollmentTokenCreated, EnrollmentTokenRequest, EnrollmentTokenView},
    envelopes::Envelope,
    fleet_updates::{FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView},
    health::{Health, Version},
    hosts::{HostChange, HostUpdateRequest, HostView, Reason},
    jobs::{JobRequest, JobSpec, JobView, JobsCreated},
    overview::Overview,
    pages::Page,
    problems::Problem,
    releases::{Manifest, ReleaseView, Root, UploadPlace, YankRequest},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

type Again = fn(&str);

const MESSAGES: [(&str, Again); 57] = [
    ("api_key_created", again::<ApiKeyCreated>),
    ("api_key_request", again::<ApiKeyRequest>),
    ("api_key_view_page", again::<Page<ApiKeyView>>),
    ("audit_entry_page", again::<Page<AuditEntry>>),
    ("change", again::<Change>),
    ("check_in_request", again::<CheckInRequest>),
    ("check_in_response", again::<CheckInResponse>),
    ("command", again::<Command>),
    ("enroll_request", again::<EnrollRequest>),
    ("enroll_response", again::<EnrollResponse>),
    ("enrollment_token", again::<EnrollmentToken>),
    ("enrollment_token_created", again::<EnrollmentTokenCreated>),
    ("enrollment_token_request", again::<EnrollmentTokenRequest>),
    ("enrollment_token_view_page", again::<Page<EnrollmentTokenView>>),
    ("envelope", again::<Envelope>),
    ("events_request", again::<EventsRequest>),
    ("events_response", again::<EventsResponse>),
    ("fleet_update", again::<FleetUpdate>),
    ("fleet_update_action", again::<FleetUpdateAction>),
    ("fleet_update_host", again::<FleetUpdateHost>),
    ("fleet_update_host_view_page", again::<Page<FleetUpdateHostView>>),
    ("fleet_update_plan", again::<FleetUpdatePlan>),
    ("fleet_update_request", again::<FleetUpdateRequest>),
    ("fleet_update_view", again::<FleetUpdateView>),
    ("fleet_update_view_page", again::<Page<FleetUpdateView>>),
    ("health", again::<Health>),
    ("host", again::<Host>),
    ("host_change", again::<HostChange>),
    ("host_update_request", again::<HostUpdateRequest>),
    ("host_view", again::<HostView>),
    ("host_view_page", again::<Page<HostView>>),
    ("job", again::<Job>),
    ("job_request", again::<JobRequest>),
    ("job_spec", again::<JobSpec>),
    ("job_view", again::<JobView>),
    ("job_view_page", again::<Page<JobView>>),
    ("jobs_created", again::<JobsCreated>),
    ("login_request", again::<LoginRequest>),
    ("mailbox", again::<Mailbox>),
    ("manifest", again::<Manifest>),
    ("overview", again::<Overview>),
    ("problem", again::<Problem>),
    ("reason", again::<Reason>),
    ("release", again::<Release>),
    ("release_view_page", again::<Page<ReleaseView>>),
    ("root", again::<Root>),
    ("session_request", again::<SessionRequest>),
    ("session_response", again::<SessionResponse>),
    ("session_view", again::<SessionView>),
    ("token_request", again::<TokenRequest>),
    ("token_response", again::<TokenResponse>),
    ("upload_place", again::<UploadPlace>),
    ("user_change", again::<UserChange>),
    ("user_request", again::<UserRequest>),
    ("user_view_page", again::<Page<UserView>>),
    ("version", again::<Version>),
    ("yank_request", again::<YankRequest>),
];

/// Nothing is lost or changed on the way. An input says which message it is, as `{"job_view": {…}}`.
pub fn messages(bytes: &[u8]) {
    let Ok(named) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(bytes) else { return };
    for (name, again) in MESSAGES {
        named.get(name).into_iter().for_each(|text| again(text.get()));
    }
}

fn again<T: DeserializeOwned + Serialize>(text: &str) {
    let Ok(first) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&first).expect("a message is plain data");
    let second = serde_json::from_str::<T>(&written);
    let second = second.unwrap_or_else(|error| panic!("{}: {error}: {written}", std::any::type_name::<T>()));
    let twice = serde_json::to_string(&second).expect("a message is plain data");
    assert_eq!(twice, written, "{}", std::any::type_name::<T>());
}
