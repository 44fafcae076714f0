//! The API: every route in one list, each with who may call it and what it takes and gives.

pub mod api_keys;
pub mod arguments;
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
    jobs::{JobRequest, JobView, JobsCreated, LOG_COMPLETE_HEADER, LOG_NEXT_HEADER},
    overview::Overview,
    pages::Page,
    problems::ProblemCode,
    releases::{ReleaseView, UploadPlace, YankRequest},
    ticks::TickReport,
};
use tower_http::catch_panic::CatchPanicLayer;

use self::{
    problem::{Failure, edge},
    route::{Answer, Asked, Route, delete, get, patch, post, put},
};
use crate::app::App;

const PAGE: [Asked; 2] = [
    ("limit", "integer", "How many entries to return at most: 1 to 200. Absent: 50."),
    ("cursor", "string", "The `next_cursor` of the page before. Absent: the first page."),
];
const PAGE_OF_HOSTS: [Asked; 2] =
    [("limit", "integer", "How many entries to return at most: 1 to 1000. Absent: 50."), PAGE[1]];
const REVISION: [Asked; 1] =
    [("revision", "integer", "Wait for a revision after this one. Absent: for the next change from now on.")];

/// Every route.
#[expect(clippy::too_many_lines, reason = "it is a list, to be read as one")]
pub fn routes() -> Vec<Route> {
    vec![
        get("/api/v1/health", health::get)
            .says("Check whether the server can do its work.")
            .asks(&[("deep", "boolean", "Whether to ask the store, too.")])
            .gives::<Health>(200),
        get("/api/v1/version", health::version).says("Get the version of the server.").gives::<Version>(200),
        get("/api/v1/openapi.json", openapi::get).says("Get this document.").gives_other(Answer::Object),
        // People and programs
        post("/api/v1/session", session::create).says("Sign in.").takes::<LoginRequest>().gives::<SessionView>(201),
        get("/api/v1/session", session::get).says("Get the account or API key that is signed in.").gives::<SessionView>(200),
        delete("/api/v1/session", session::delete).says("Sign out.").ends(204),
        post("/api/v1/users", users::create).says("Create an account.").takes::<UserRequest>().gives::<UserView>(201),
        get("/api/v1/users", users::list).says("List accounts.").asks(&PAGE).gives::<Page<UserView>>(200),
        patch("/api/v1/users/{id}", users::change)
            .says("Change the role or the password of an account.")
            .takes::<UserChange>()
            .gives::<UserView>(200),
        delete("/api/v1/users/{id}", users::delete).says("Delete an account.").ends(204),
        post("/api/v1/api-keys", api_keys::create)
            .says("Create an API key.")
            .takes::<ApiKeyRequest>()
            .gives::<ApiKeyCreated>(201),
        get("/api/v1/api-keys", api_keys::list).says("List API keys.").asks(&PAGE).gives::<Page<ApiKeyView>>(200),
        delete("/api/v1/api-keys/{id}", api_keys::delete).says("Revoke an API key.").ends(204),
        // Hosts
        post("/api/v1/enrollment-tokens", enrollment::create)
            .says("Create an enrollment token.")
            .takes::<EnrollmentTokenRequest>()
            .gives::<EnrollmentTokenCreated>(201),
        get("/api/v1/enrollment-tokens", enrollment::list)
            .says("List enrollment tokens.")
            .asks(&PAGE)
            .gives::<Page<EnrollmentTokenView>>(200),
        delete("/api/v1/enrollment-tokens/{id}", enrollment::revoke).says("Revoke an enrollment token.").ends(204),
        get("/api/v1/hosts", hosts::list)
            .says("List hosts.")
            .asks(&[
                ("label", "strings", "A label as `key=value`. May be given several times; all of them must match."),
                ("os", "string", "The operating system."),
                ("version", "string", "The version of the agent."),
                ("updates", "string", "`behind`: only hosts that a newer published release exists for."),
                ("online", "boolean", "Whether the host was heard from lately."),
                ("state", "HostState", "The state of the host. Absent: every state but `retired`."),
            ])
            .asks(&PAGE_OF_HOSTS)
            .gives::<Page<HostView>>(200),
        get("/api/v1/hosts/{id}", hosts::get).says("Get a host, or with `wait` its next change.").waits().gives::<HostView>(200),
        patch("/api/v1/hosts/{id}", hosts::change)
            .says("Change the name and the labels of a host.")
            .takes::<HostChange>()
            .gives::<HostView>(200),
        delete("/api/v1/hosts/{id}", hosts::retire)
            .says("Retire a host for good.")
            .asks(&[("force", "boolean", "Give up its open jobs."), ("reason", "string", "Why, for people.")])
            .ends(204),
        post("/api/v1/hosts/{id}/readmit", hosts::readmit)
            .says("Readmit a quarantined host.")
            .takes::<Reason>()
            .gives::<HostView>(200),
        post("/api/v1/hosts/{id}/update", hosts::update)
            .says("Update the agent of one host to a release.")
            .takes::<HostUpdateRequest>()
            .gives::<JobView>(202),
        get("/api/v1/overview", overview::get)
            .says("Get the whole fleet in one answer, or with `wait` its next change.")
            .waits()
            .gives::<Overview>(200),
        // Jobs
        post("/api/v1/jobs", jobs::create).says("Run the same job on one or more hosts.").takes::<JobRequest>().gives::<JobsCreated>(202),
        get("/api/v1/jobs", jobs::list)
            .says("List jobs, newest first.")
            .asks(&[
                ("host", "HostId", "The host that the job is for."),
                ("state", "JobState", "The state of the job."),
                ("kind", "string", "The kind of the job."),
            ])
            .asks(&PAGE)
            .gives::<Page<JobView>>(200),
        get("/api/v1/jobs/{id}", jobs::get)
            .says("Get a job, or with `wait` its next change.")
            .waits()
            .asks(&REVISION)
            .gives::<JobView>(200),
        post("/api/v1/jobs/{id}/cancel", jobs::cancel).says("Cancel a job.").gives::<JobView>(200),
        get("/api/v1/jobs/{id}/log", jobs::log).says("Get the log of a job as text, from a byte on.")
            .gives_other(Answer::Text("text/plain"))
            .tells(&[
                (LOG_NEXT_HEADER, "The byte that the rest of the log starts at: the next `after`."),
                (LOG_COMPLETE_HEADER, "`true` if this is the end of the log, else `false`."),
            ])
            .asks(&[
            ("after", "integer", "The byte to start at. Absent: 0."),
            ("wait", "integer", "How long to wait for more of the log: 0 to 60 seconds."),
        ]),
        // Releases
        post("/api/v1/releases", releases::create)
            .says("Announce a signed release.")
            .takes::<Envelope>()
            .gives::<ReleaseView>(201),
        get("/api/v1/releases", releases::list).says("List releases, newest first.").asks(&PAGE).gives::<Page<ReleaseView>>(200),
        get("/api/v1/releases/{version}", releases::get).says("Get a release.").gives::<ReleaseView>(200),
        post("/api/v1/releases/{version}/targets/{platform}/upload", releases::upload_place)
            .says("Get the place to upload the file for a platform to.")
            .gives::<UploadPlace>(200),
        put("/api/v1/releases/{version}/targets/{platform}", releases::upload)
            .says("Upload the file for a platform.")
            .takes_file()
            .asks(&[("uploaded", "boolean", "The file was put into the object store already, and there is no body.")])
            .gives::<ReleaseView>(200),
        post("/api/v1/releases/{version}/yank", releases::yank)
            .says("Yank a release: it is offered to no host any more.")
            .takes::<YankRequest>()
            .gives::<ReleaseView>(200),
        // Fleet updates
        post("/api/v1/fleet-updates", fleet_updates::create)
            .says("Start a fleet update, or with `dry_run` get its plan.")
            .asks(&[("dry_run", "boolean", "Answer the plan with status 200, and start nothing.")])
            .takes::<FleetUpdateRequest>()
            .gives::<FleetUpdateView>(201)
            .gives_dry::<FleetUpdatePlan>(),
        get("/api/v1/fleet-updates", fleet_updates::list)
            .says("List fleet updates, newest first.")
            .asks(&PAGE)
            .gives::<Page<FleetUpdateView>>(200),
        get("/api/v1/fleet-updates/{id}", fleet_updates::get)
            .says("Get a fleet update, or with `wait` its next change.")
            .waits()
            .asks(&REVISION)
            .gives::<FleetUpdateView>(200),
        get("/api/v1/fleet-updates/{id}/hosts", fleet_updates::hosts)
            .says("List the hosts of a fleet update, each with what it is waiting on, or with `wait` the next change of the page.")
            .asks(&PAGE_OF_HOSTS)
            .waits()
            .gives::<Page<FleetUpdateHostView>>(200),
        post("/api/v1/fleet-updates/{id}/pause", fleet_updates::pause)
            .says("Pause a fleet update: it is offered to no further host.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/resume", fleet_updates::resume)
            .says("Resume a fleet update.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/cancel", fleet_updates::cancel)
            .says("Cancel a fleet update.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/retry-failed", fleet_updates::retry_failed)
            .says("Retry the failed hosts of a fleet update.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        post("/api/v1/fleet-updates/{id}/write-off", fleet_updates::write_off)
            .says("Write off a lost host, so that its slot is free again.")
            .takes::<FleetUpdateAction>()
            .gives::<FleetUpdateView>(200),
        get("/api/v1/audit", audit::list)
            .says("List entries of the audit trail, newest first.")
            .asks(&[
                ("subject", "string", "The id of what the entry is about."),
                ("alert", "boolean", "Only entries that somebody should look at."),
            ])
            .asks(&PAGE)
            .gives::<Page<AuditEntry>>(200),
        post("/api/v1/tick", tick::create).says("Run the server's regular duties now.").gives::<TickReport>(200),
        // Agents
        get("/api/v1/install.sh", install::script).says("Get the script that installs the agent and enrolls the host.")
            .gives_other(Answer::Text("text/x-shellscript")),
        get("/api/v1/install/{platform}", install::agent)
            .says("Get the agent of the newest release for a platform, such as `linux-x86_64`.")
            .gives_other(Answer::File),
        post("/oauth/token", tokens::create)
            .says("Get an access token for a host by an assertion that its key has signed.")
            .takes_form::<TokenRequest>()
            .gives::<TokenResponse>(200),
        post("/api/v1/agent/enroll", enrollment::enroll)
            .says("Enroll a host.")
            .takes::<EnrollRequest>()
            .gives::<EnrollResponse>(201),
        post("/api/v1/agent/session", check_ins::start)
            .says("Start the session of an agent process.")
            .takes::<SessionRequest>()
            .gives::<SessionResponse>(200),
        post("/api/v1/agent/check-in", check_ins::check_in)
            .says("Check in: a long poll that brings jobs.")
            .takes::<CheckInRequest>()
            .gives::<CheckInResponse>(200),
        post("/api/v1/agent/jobs/{id}/events", commands::tell)
            .says("Report what happened to a job.")
            .takes::<EventsRequest>()
            .gives::<EventsResponse>(200),
        get("/api/v1/agent/releases/{version}/manifest", releases::manifest)
            .says("Get the signed manifest of a release.")
            .gives::<Envelope>(200),
        get("/api/v1/agent/blobs/{sha256}", releases::blob)
            .says("Get a file of a release. `Range: bytes=N-` resumes.")
            .gives_other(Answer::File)
            .asks(&[("through_server", "boolean", "Answer the bytes themselves, for hosts that reach nothing but the server.")]),
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
