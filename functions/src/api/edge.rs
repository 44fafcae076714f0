//! Middleware around every route: gives the request an id and a tracing span, writes problems out, logs faults once, and bounds
//! the memory of answers.

use std::{any::Any, io};

use axum::{
    Json,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use muster_schemas::{
    ids::RequestId,
    problems::{Problem, ProblemCode},
};
use tracing::{Instrument as _, Level, Span, field::Empty};

use super::{bodies, known::Known, problem::Failure};
use crate::{app::App, errors::chain};

/// The target of the access log's lines: off, unless a process is told otherwise.
pub const ACCESS_LOG: &str = "access";
/// Paths of hosts: no browser and no cache asks for them, and their answers stay as small as they are.
pub const AGENT_PATHS: &str = "/api/v1/agent/";

/// Serves a request in a span of its own, and logs one line with the outcome at `debug`, and one in the access log.
pub async fn serve(app: App, mut request: Request, next: Next) -> Response {
    let (id, known) = (RequestId::new(app.now(), rand::random()), Known::default());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(known.clone());
    let mut access = Access::begin(&app, &request, id, &known);
    let span = span(&request, id);
    let began_at = (!span.is_disabled()).then(|| app.now());
    let response = answered(&app, request, next, id, &known).instrument(span.clone()).await;
    if let Some(began_at) = began_at {
        span.record("http.status", response.status().as_u16());
        span.record("elapsed_ms", app.now().duration_since(began_at).as_millis());
        span.in_scope(|| tracing::debug!("Answered."));
    }
    if let Some(access) = &mut access {
        access.status = response.status().as_u16();
    }
    response
}

/// The span has the route but neither the path nor the query, because those may hold secrets. [`super::auth`] adds the actor.
fn span(request: &Request, id: RequestId) -> Span {
    tracing::debug_span!(
        "request",
        request.id = %id,
        http.method = %request.method(),
        http.route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str),
        actor = Empty,
        http.status = Empty,
        elapsed_ms = Empty,
    )
}

/// A line of the access log, written when the request is over: also one whose caller has gone away, with the status 0.
struct Access {
    app: App,
    id: RequestId,
    method: Method,
    path: String,
    known: Known,
    began_at: Timestamp,
    status: u16,
}

impl Access {
    /// Nothing if nobody reads it. Paths of this API hold no secrets; queries and bodies may.
    fn begin(app: &App, request: &Request, id: RequestId, known: &Known) -> Option<Self> {
        tracing::enabled!(target: ACCESS_LOG, Level::INFO).then(|| Self {
            app: app.clone(),
            id,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            known: known.clone(),
            began_at: app.now(),
            status: 0,
        })
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        let Self { app, id, method, path, known, began_at, status } = self;
        let text = if *status == 0 { "The caller went away." } else { "Answered." };
        let elapsed_ms = app.now().duration_since(*began_at).as_millis();
        tracing::info!(
            target: ACCESS_LOG,
            { request.id = %id, http.method = %method, http.path = path, http.status = status, actor = known.caller(), elapsed_ms },
            "{text}"
        );
    }
}

async fn answered(app: &App, request: Request, next: Next, id: RequestId, known: &Known) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let what = || format!("{method} {}", uri.path());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = written(failure, id, &what());
    }
    let mut response =
        bodies::leaves(app, known, &method, response).unwrap_or_else(|failure| written(failure, id, &what()));
    if !uri.path().starts_with(AGENT_PATHS) {
        is_kept_by_nobody(response.headers_mut());
    }
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Answers hold secrets and what only the caller may see: unless an answer says how long it may be kept, it is not.
fn is_kept_by_nobody(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn written(failure: Failure, id: RequestId, what: &str) -> Response {
    let mut problem = match failure {
        Failure::Refused(problem) => *problem,
        Failure::Broken(error) => {
            tracing::error!(request.id = %id, "{what} failed: {}", chain(&*error));
            Problem::new(ProblemCode::Internal).detail("the cause is in the server's log under this request's id")
        }
        Failure::Unavailable(error) => {
            tracing::warn!(request.id = %id, "{what} was deferred: {}", chain(&*error));
            Problem::new(ProblemCode::Unavailable)
                .detail("the store does not answer; it is unknown whether anything was done")
        }
    };
    problem.instance = Some(id.to_string());
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(&problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    match problem.code {
        ProblemCode::Unauthorized => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        ProblemCode::TooManyRequests | ProblemCode::Unavailable | ProblemCode::Contended => {
            let known = problem.members.get("retry_after_seconds").and_then(serde_json::Value::as_u64);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(known.unwrap_or(5)));
        }
        _ => {}
    }
    response
}
/// The answer to a request whose handler has panicked.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let error = io::Error::other(format!("a handler panicked: {}", text.unwrap_or("without a message")));
    Failure::broken(error).into_response()
}
