//! The API: every route in one list, each with who may call it and what it takes and gives.

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod check_ins;
pub mod commands;
pub mod credentials;
pub mod enrollment;
pub mod extract;
pub mod fleet_updates;
pub mod found;
pub mod health;
pub mod hosts;
pub mod idempotency;
pub mod install;
pub mod jobs;
pub mod lists;
pub mod looks;
pub mod openapi;
pub mod overview;
pub mod problem;
pub mod releases;
pub mod reports;
pub mod route;
pub mod session;
pub mod tick;
pub mod tokens;
pub mod users;

use axum::{
    Router, middleware,
    routing::{MethodRouter, any},
};
use muster_schemas::{
    access::{ApiKeyCreated, ApiKeyRequest, ApiKeyView, LoginRequest, SessionView, UserChange, UserRequest, UserView},
    audit::AuditEntry,
    check_ins::{CheckInRequest, CheckInResponse, SessionRequest, SessionResponse, TokenRequest, TokenResponse},
    commands::{EventsRequest, EventsResponse},
    enrollment::{EnrollRequest, EnrollResponse, EnrollmentTokenCreated, EnrollmentTokenRequest, EnrollmentTokenView},
    envelopes::Envelope,
    fleet_updates::{FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView},
    health::{Health, Version},
    hosts::{HostChange, HostUpdateRequest, HostView, Reason},
    jobs::{JobRequest, JobView, JobsCreated},
    overview::Overview,
    pages::Page,
    problems::ProblemCode,
    releases::{ReleaseView, UploadPlace, YankRequest},
};
use tower_http::catch_panic::CatchPanicLayer;

use self::{
    problem::{Failure, edge},
    route::{Asked, Route, delete, get, patch, post, put},
};
use crate::app::App;

const PAGE: [Asked; 2] = [
    ("limit", "integer", "How many entries, 1 to 200; 50 unless said otherwise"),
    ("cursor", "string", "Where an earlier page stopped: its next_cursor"),
];
const PAGE_OF_HOSTS: [Asked; 2] =
    [("limit", "integer", "How many entries, 1 to 1000; 50 unless said otherwise"), PAGE[1]];
const REVISION: [Asked; 1] =
    [("revision", "integer", "Wait for a revision after this one; absent: for the next change from now on")];

/// Every route.
#[expect(clippy::too_many_lines, reason = "it is a list, to be read as one")]
pub fn routes() -> Vec<Route> {
    vec![
        get("/api/v1/health", health::health)
            .says("Whether the server can do its work")
            .asks(&[("deep", "boolean", "Whether to ask the store, too")])
            .gives::<Health>(200),
        get("/api/v1/version", health::version).says("What the server is").gives::<Version>(200),
        get("/api/v1/openapi.json", openapi::get).says("This document"),
        // People and programs
        post("/api/v1/session", session::create).says("Sign in").takes::<LoginRequest>().gives::<SessionView>(201),
        get("/api/v1/session", session::get).says("Who am I").gives::<SessionView>(200),
        delete("/api/v1/session", session::delete).says("Sign out").ends(204),
        post("/api/v1/users", users::create).says("Make an account").takes::<UserRequest>().gives::<UserView>(201),
        get("/api/v1/users", users::list).says("Accounts").asks(&PAGE).gives::<Page<UserView>>(200),
        patch("/api/v1/users/{id}", users::change)
            .says("Change an account")
            .takes::<UserChange>()
            .gives::<UserView>(200),
        delete("/api/v1/users/{id}", users::delete).says("Remove an account").ends(204),
        post("/api/v1/api-keys", api_keys::create)
            .says("Make an API key")
            .takes::<ApiKeyRequest>()
            .gives::<ApiKeyCreated>(201),
        get("/api/v1/api-keys", api_keys::list).says("API keys").asks(&PAGE).gives::<Page<ApiKeyView>>(200),
        delete("/api/v1/api-keys/{id}", api_keys::delete).says("Revoke an API key").ends(204),
        // Hosts
        post("/api/v1/enrollment-tokens", enrollment::create)
            .says("Make an enrollment token")
            .takes::<EnrollmentTokenRequest>()
            .gives::<EnrollmentTokenCreated>(201),
        get("/api/v1/enrollment-tokens", enrollment::list)
            .says("Enrollment tokens")
            .asks(&PAGE)
            .gives::<Page<EnrollmentTokenView>>(200),
        delete("/api/v1/enrollment-tokens/{id}", enrollment::revoke).says("Revoke an enrollment token").ends(204),
        get("/api/v1/hosts", hosts::list)
            .says("Hosts, by label, os, version, state")
            .asks(&[
                ("label", "string", "key=value; may be given several times, all must hold"),
                ("os", "string", "The operating system"),
                ("version", "string", "The agent's version"),
                ("updates", "string", "behind: those that a published release is newer for"),
                ("online", "boolean", "Whether they were heard from lately"),
                ("state", "string", "active, quarantined or retired; all but retired unless said otherwise"),
            ])
            .asks(&PAGE_OF_HOSTS)
            .gives::<Page<HostView>>(200),
        get("/api/v1/hosts/{id}", hosts::get).says("A host; ?wait= for its next change").waits().gives::<HostView>(200),
        patch("/api/v1/hosts/{id}", hosts::change)
            .says("Name and label a host")
            .takes::<HostChange>()
            .gives::<HostView>(200),
        delete("/api/v1/hosts/{id}", hosts::retire)
            .says("Retire a host for good")
            .asks(&[("force", "boolean", "Give up its open jobs"), ("reason", "string", "Why, for people")])
            .ends(204),
        post("/api/v1/hosts/{id}/readmit", hosts::readmit)
            .says("Serve a quarantined host again")
            .takes::<Reason>()
            .gives::<HostView>(200),
        post("/api/v1/hosts/{id}/update", hosts::update)
            .says("Bring one host's agent to a release")
            .takes::<HostUpdateRequest>()
            .gives::<JobView>(202),
        get("/api/v1/overview", overview::get)
            .says("The whole fleet in one answer; ?wait= for its next change")
            .waits()
            .gives::<Overview>(200),
        // Jobs
        post("/api/v1/jobs", jobs::create).says("Run something").takes::<JobRequest>().gives::<JobsCreated>(202),
        get("/api/v1/jobs", jobs::list)
            .says("Jobs, newest first")
            .asks(&[
                ("host", "string", "Of this host"),
                ("state", "string", "In this state"),
                ("kind", "string", "Of this kind"),
            ])
            .asks(&PAGE)
            .gives::<Page<JobView>>(200),
        get("/api/v1/jobs/{id}", jobs::get)
            .says("A job; ?wait= for its next change")
            .waits()
            .asks(&REVISION)
            .gives::<JobView>(200),
        post("/api/v1/jobs/{id}/cancel", jobs::cancel).says("Stop a job").gives::<JobView>(200),
        get("/api/v1/jobs/{id}/log", jobs::log).says("A job's log from a byte on, as text").asks(&[
            ("after", "integer", "From which byte on"),
            ("wait", "integer", "How long to wait for more, in seconds, at most 60"),
        ]),
        // Releases
        post("/api/v1/releases", releases::create)
            .says("Announce a signed release")
            .takes::<Envelope>()
            .gives::<ReleaseView>(201),
        get("/api/v1/releases", releases::list).says("Releases").asks(&PAGE).gives::<Page<ReleaseView>>(200),
        get("/api/v1/releases/{version}", releases::get).says("A release").gives::<ReleaseView>(200),
        post("/api/v1/releases/{version}/targets/{platform}/upload", releases::upload_place)
            .says("Where the file for a platform is to be put")
            .gives::<UploadPlace>(200),
        put("/api/v1/releases/{version}/targets/{platform}", releases::upload)
            .says("Upload the file for a platform")
            .asks(&[("uploaded", "boolean", "It was put into the object store already; there is no body")])
            .gives::<ReleaseView>(200),
        post("/api/v1/releases/{version}/yank", releases::yank)
            .says("Take a release back")
            .takes::<YankRequest>()
            .gives::<ReleaseView>(200),
        // Fleet updates
        post("/api/v1/fleet-updates", fleet_updates::create)
            .says("Start a fleet update; ?dry_run=true for the plan")
            .asks(&[("dry_run", "boolean", "Answer the plan, a FleetUpdatePlan with status 200, and start nothing")])
            .takes::<FleetUpdateRequest>()
            .gives::<FleetUpdateView>(201)
            .gives_dry::<FleetUpdatePlan>(),
        get("/api/v1/fleet-updates", fleet_updates::list)
            .says("Fleet updates")
            .asks(&PAGE)
            .gives::<Page<FleetUpdateView>>(200),
        get("/api/v1/fleet-updates/{id}", fleet_updates::get)
            .says("A fleet update; ?wait= for its next change")
            .waits()
            .asks(&REVISION)
            .gives::<FleetUpdateView>(200),
        get("/api/v1/fleet-updates/{id}/hosts", fleet_updates::hosts)
            .says("Its hosts, each with why it waits; ?wait= for the next change of the page")
            .asks(&PAGE_OF_HOSTS)
            .waits()
            .gives::<Page<FleetUpdateHostView>>(200),
        post("/api/v1/fleet-updates/{id}/pause", fleet_updates::pause)
            .says("Offer the release to no further host")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/resume", fleet_updates::resume)
            .says("Go on")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/cancel", fleet_updates::cancel)
            .says("End it")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/retry-failed", fleet_updates::retry_failed)
            .says("Give failed hosts another turn")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/write-off", fleet_updates::write_off)
            .says("Give up the slot of a lost host")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        get("/api/v1/audit", audit::list)
            .says("The audit trail, newest first")
            .asks(&[
                ("subject", "string", "Of this thing"),
                ("alert", "boolean", "Only those that somebody should look at"),
            ])
            .asks(&PAGE)
            .gives::<Page<AuditEntry>>(200),
        post("/api/v1/tick", tick::create).says("Run the duties now").gives::<tick::TickReport>(200),
        // Agents
        get("/api/v1/install.sh", install::script).says("The script that installs the agent and lets the host join"),
        get("/api/v1/install/{platform}", install::agent)
            .says("The agent of the newest release for a platform, such as linux-x86_64, or a redirect (307) to it"),
        post("/oauth/token", tokens::create)
            .says("An access token for a host that shows it has its key")
            .takes_form::<TokenRequest>()
            .gives::<TokenResponse>(200),
        post("/api/v1/agent/enroll", enrollment::enroll)
            .says("Join")
            .takes::<EnrollRequest>()
            .gives::<EnrollResponse>(201),
        post("/api/v1/agent/session", check_ins::start)
            .says("An agent process has started")
            .takes::<SessionRequest>()
            .gives::<SessionResponse>(200),
        post("/api/v1/agent/check-in", check_ins::check_in)
            .says("The long poll")
            .takes::<CheckInRequest>()
            .gives::<CheckInResponse>(200),
        post("/api/v1/agent/jobs/{id}/events", commands::tell)
            .says("What happened to a job")
            .takes::<EventsRequest>()
            .gives::<EventsResponse>(200),
        get("/api/v1/agent/releases/{version}/manifest", releases::manifest)
            .says("A release's signed manifest")
            .gives::<Envelope>(200),
        get("/api/v1/agent/blobs/{sha256}", releases::blob)
            .says("A file of a release, or a redirect (307) to it; Range: bytes=N- resumes, 206 brings a part")
            .asks(&[("through_server", "boolean", "The bytes themselves, for hosts that reach nothing else")]),
    ]
}

/// The URL that agents and people know the server by: `aud` of every assertion, so it is one and the same text for all.
pub fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let named = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = named.filter(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(['?', '#', '@', ' ']));
    host.map(|_| text.to_owned()).ok_or_else(|| "must be http(s)://host, with a port and a path perhaps".into())
}

/// The router of all of them.
pub fn router(app: &App) -> Router {
    router_beside(app, any(async || Failure::of(ProblemCode::NotFound)))
}

/// The router of all of them, and of something else where no route is.
pub fn router_beside(app: &App, others: MethodRouter<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, route.serve);
    }
    let edge_app = app.clone();
    router
        .method_not_allowed_fallback(async || Failure::of(ProblemCode::MethodNotAllowed))
        .fallback_service(others.with_state(app.clone()))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request, next| edge(edge_app.clone(), request, next)))
        .with_state(app.clone())
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::http::Response<axum::body::Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let error = std::io::Error::other(format!("a handler panicked: {}", text.unwrap_or("without a text")));
    axum::response::IntoResponse::into_response(Failure::broken(error))
}
