//! A golden sample of every message: what is written here can be read and is written again the same. A sample that has to be
//! changed is a change of the protocol.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, fs, path::Path};

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
    jobs::{JobRequest, JobView, JobsCreated},
    overview::Overview,
    pages::Page,
    problems::Problem,
    releases::{Manifest, ReleaseView, UploadPlace, YankRequest},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Reads a sample and writes it again.
fn again<T: DeserializeOwned + Serialize>(sample: Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(sample)?)
}

type Again = fn(Value) -> Result<Value, serde_json::Error>;

/// A message whose unknown members are an error, because a person wrote it.
const STRICT: bool = true;
/// A message whose unknown members are from a newer side.
const TOLERANT: bool = false;

const SAMPLES: [(&str, Again, bool); 49] = [
    ("api_key_created", again::<ApiKeyCreated>, TOLERANT),
    ("api_key_request", again::<ApiKeyRequest>, STRICT),
    ("api_key_view_page", again::<Page<ApiKeyView>>, TOLERANT),
    ("audit_entry_page", again::<Page<AuditEntry>>, TOLERANT),
    ("check_in_request", again::<CheckInRequest>, TOLERANT),
    ("check_in_response", again::<CheckInResponse>, TOLERANT),
    ("command", again::<Command>, TOLERANT),
    ("enroll_request", again::<EnrollRequest>, TOLERANT),
    ("enroll_response", again::<EnrollResponse>, TOLERANT),
    ("enrollment_token_created", again::<EnrollmentTokenCreated>, TOLERANT),
    ("enrollment_token_request", again::<EnrollmentTokenRequest>, STRICT),
    ("enrollment_token_view_page", again::<Page<EnrollmentTokenView>>, TOLERANT),
    ("envelope", again::<Envelope>, TOLERANT),
    ("events_request", again::<EventsRequest>, TOLERANT),
    ("events_response", again::<EventsResponse>, TOLERANT),
    ("fleet_update_action", again::<FleetUpdateAction>, STRICT),
    ("fleet_update_host_view_page", again::<Page<FleetUpdateHostView>>, TOLERANT),
    ("fleet_update_plan", again::<FleetUpdatePlan>, TOLERANT),
    ("fleet_update_request", again::<FleetUpdateRequest>, STRICT),
    ("fleet_update_view", again::<FleetUpdateView>, TOLERANT),
    ("fleet_update_view_page", again::<Page<FleetUpdateView>>, TOLERANT),
    ("health", again::<Health>, TOLERANT),
    ("host_change", again::<HostChange>, STRICT),
    ("host_update_request", again::<HostUpdateRequest>, STRICT),
    ("host_view", again::<HostView>, TOLERANT),
    ("host_view_page", again::<Page<HostView>>, TOLERANT),
    ("job_request", again::<JobRequest>, STRICT),
    ("job_view", again::<JobView>, TOLERANT),
    ("job_view_page", again::<Page<JobView>>, TOLERANT),
    ("jobs_created", again::<JobsCreated>, TOLERANT),
    ("login_request", again::<LoginRequest>, STRICT),
    ("manifest", again::<Manifest>, TOLERANT),
    ("overview", again::<Overview>, TOLERANT),
    ("problem", again::<Problem>, TOLERANT),
    ("reason", again::<Reason>, STRICT),
    ("release_view", again::<ReleaseView>, TOLERANT),
    ("release_view_page", again::<Page<ReleaseView>>, TOLERANT),
    ("session_request", again::<SessionRequest>, TOLERANT),
    ("session_response", again::<SessionResponse>, TOLERANT),
    ("session_view", again::<SessionView>, TOLERANT),
    ("token_request", again::<TokenRequest>, TOLERANT),
    ("token_response", again::<TokenResponse>, TOLERANT),
    ("upload_place", again::<UploadPlace>, TOLERANT),
    ("user_change", again::<UserChange>, STRICT),
    ("user_request", again::<UserRequest>, STRICT),
    ("user_view", again::<UserView>, TOLERANT),
    ("user_view_page", again::<Page<UserView>>, TOLERANT),
    ("version", again::<Version>, TOLERANT),
    ("yank_request", again::<YankRequest>, STRICT),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/samples"))
}

fn sample(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_sample_is_read_and_written_again_the_same() {
    for (name, again, _) in SAMPLES {
        let sample = sample(name);
        let written = again(sample.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(written, sample, "{name}");
    }
}

#[test]
fn what_is_unknown_is_tolerated_between_programs_and_an_error_from_people() {
    for (name, again, strict) in SAMPLES {
        let mut newer = sample(name);
        newer["from_the_future"] = json!({ "any": "thing" });
        assert_eq!(again(newer).is_err(), strict, "{name}");
    }
}

#[test]
fn every_message_of_the_routes_has_a_sample_and_every_sample_a_message() {
    let document: Value = serde_json::from_str(include_str!("../openapi.json")).expect("the document is JSON");
    let mut named = BTreeSet::from(["command".to_owned(), "manifest".to_owned()]);
    for operation in document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        let answers = operation["responses"].as_object().unwrap().values();
        for body in answers
            .chain(operation.get("requestBody"))
            .filter_map(|body| body["content"].as_object())
            .flat_map(|content| content.values())
        {
            let reference = body["schema"]["$ref"].as_str();
            named.extend(reference.map(|reference| snake_case(reference.rsplit('/').next().unwrap())));
        }
    }
    // What the tick has done is the server's own word, not one of this crate.
    named.remove("tick_report");
    let listed = SAMPLES.iter().map(|(name, ..)| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(listed, named);
    let file =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
    assert_eq!(fs::read_dir(folder()).unwrap().map(file).collect::<BTreeSet<_>>(), listed);
}

/// What a program of the release before sends is still read, and nothing of it is lost; there may be more to say now.
#[test]
fn every_sample_of_the_release_before_is_read_and_says_the_same() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/before/samples"));
    let before = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert!(before.len() >= 49, "{before:?}");
    for path in before {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let row = SAMPLES.iter().find(|(known, ..)| *known == name);
        let (_, again, _) = row.unwrap_or_else(|| panic!("{name} is a message no more"));
        let sample: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let written = again(sample.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        says_the_same(name, &sample, &written);
    }
}

fn says_the_same(place: &str, before: &Value, now: &Value) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before {
                let place = format!("{place}.{name}");
                says_the_same(&place, value, now.get(name).unwrap_or_else(|| panic!("{place} is lost")));
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            before.iter().zip(now).for_each(|(before, now)| says_the_same(place, before, now));
        }
        _ => assert_eq!(now, before, "{place}"),
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
