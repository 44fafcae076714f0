//! Middleware around every route: gives the request an id and a tracing span, writes problems out, logs faults once.

use std::{any::Any, io};

use axum::{
    Json,
    extract::{MatchedPath, Request},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use muster_schemas::{
    ids::RequestId,
    problems::{Problem, ProblemCode},
};
use tracing::{Instrument as _, Span, field::Empty};

use super::problem::Failure;
use crate::{app::App, errors::chain};

/// Serves a request in a span of its own, and logs one line with the outcome at `debug`.
pub async fn serve(app: App, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(app.now(), rand::random());
    request.extensions_mut().insert(id);
    let span = span(&request, id);
    let began_at = (!span.is_disabled()).then(|| app.now());
    let response = answered(request, next, id).instrument(span.clone()).await;
    if let Some(began_at) = began_at {
        span.record("http.status", response.status().as_u16());
        span.record("elapsed_ms", app.now().duration_since(began_at).as_millis());
        span.in_scope(|| tracing::debug!("Answered."));
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

async fn answered(request: Request, next: Next, id: RequestId) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = written(failure, id, &format!("{method} {}", uri.path()));
    }
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
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
