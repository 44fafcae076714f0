//! From what went wrong to what the caller is told: refused (4xx, not logged) and broken (5xx, logged once) part here.

use std::{error::Error, sync::Arc};

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use muster_domain::refused::Refused;
use muster_schemas::{
    ids::RequestId,
    problems::{Problem, ProblemCode},
};

use crate::{app::App, blobs::BlobError, commit::CommitError, errors::chain, store::StoreError};

/// Why a request was not done.
#[derive(Debug, Clone)]
pub enum Failure {
    /// By the rules: the caller is told why.
    Refused(Box<Problem>),
    /// A fault of ours: the chain goes to the log, nothing of it to the caller.
    Broken(Arc<dyn Error + Send + Sync>),
    /// What the server works with does not answer: the caller is asked to come again.
    Unavailable(Arc<dyn Error + Send + Sync>),
}

impl Failure {
    /// Refused with this code.
    pub fn of(code: ProblemCode) -> Self {
        Problem::new(code).into()
    }

    /// A fault of ours.
    pub fn broken(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Broken(Arc::new(error))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        Self::Refused(problem)
    }
}

impl From<Refused> for Failure {
    fn from(Refused(problem): Refused) -> Self {
        Self::Refused(problem)
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refused) => refused.into(),
            CommitError::Locked(_) => Self::of(ProblemCode::FleetUpdateActive),
            CommitError::Overtaken => Self::of(ProblemCode::AlreadyExists),
            CommitError::RevisionMismatch => Self::of(ProblemCode::RevisionMismatch),
            CommitError::Contended => Self::of(ProblemCode::Contended),
            CommitError::Store(source) => source.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale { .. } => Self::of(ProblemCode::Contended),
            StoreError::Cursor => Problem::invalid("cursor", "must come from an earlier page of this list").into(),
            absent @ StoreError::Unavailable { .. } => Self::Unavailable(Arc::new(absent)),
            fault @ StoreError::Fault { .. } => Self::broken(fault),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::WrongSize { .. } | BlobError::WrongDigest { .. } => Problem::invalid("body", error).into(),
            BlobError::BrokenOff(_) => Problem::new(ProblemCode::Malformed).detail("the upload broke off").into(),
            absent @ BlobError::Unavailable { .. } => Self::Unavailable(Arc::new(absent)),
            fault @ BlobError::Fault { .. } => Self::broken(fault),
        }
    }
}

impl IntoResponse for Failure {
    /// Only marks the answer: [`edge`] knows the request's id and writes it out.
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The outermost layer: gives the request an id, writes problems out, logs faults once.
pub async fn edge(app: App, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(app.now(), rand::random());
    request.extensions_mut().insert(id);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = written(failure, id, &format!("{method} {path}"));
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

fn written(failure: Failure, id: RequestId, what: &str) -> Response {
    let mut problem = match failure {
        Failure::Refused(problem) => *problem,
        Failure::Broken(error) => {
            tracing::error!(request.id = %id, "{what} failed: {}", chain(&*error));
            Problem::new(ProblemCode::Internal).detail("the server's log has the cause under this request's id")
        }
        Failure::Unavailable(error) => {
            tracing::warn!(request.id = %id, "{what} was put off: {}", chain(&*error));
            Problem::new(ProblemCode::Unavailable).detail("the store does not answer; nothing is known to be done")
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
