//! What handlers take from a request, each with a clear problem when it is not there: JSON bodies, parameters, ids.

use std::{fmt::Display, str::FromStr, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use muster_domain::{load::Work, refused::Refused};
use muster_schemas::{
    envelopes::sha256_hex,
    ids::RequestId,
    pages::{DEFAULT_LIMIT, MAX_LIMIT},
    problems::{Problem, ProblemCode},
};
use serde::de::DeserializeOwned;

use super::problem::Failure;
use crate::app::App;

/// The largest JSON body, in bytes.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;
/// When to ask again for a list that was put off, in seconds.
pub const LIST_AGAIN_SECONDS: u32 = 5;
/// How long a body may take, beyond what has come of it over the slowest line that is one: not for as long as somebody likes.
const LONGEST_BODY: Duration = Duration::from_secs(30);
/// No line is slower, in bytes a second. Agents give a call as long, so that the callers of one line may share it.
const SLOWEST_LINE: u64 = 128;

/// A JSON body, with the digest of its bytes.
pub struct Sent<T> {
    /// What was sent.
    pub body: T,
    /// SHA-256 of its bytes: tells whether another request sent the same.
    pub sha256: String,
}

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let kind =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.is_empty() && !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err(Problem::new(ProblemCode::Malformed).detail("Content-Type must be application/json").into());
        }
        let bytes = read(app, request.into_body(), MAX_JSON_BYTES).await?;
        Ok(Self { body: json(&bytes)?, sha256: sha256_hex(&bytes) })
    }
}

/// A whole body of at most `limit` bytes, if it comes in time.
pub async fn read(app: &App, body: Body, limit: usize) -> Result<Vec<u8>, Failure> {
    let (mut body, mut bytes, began) = (Limited::new(body, limit), Vec::new(), app.now());
    loop {
        let longest = LONGEST_BODY + Duration::from_secs(bytes.len() as u64 / SLOWEST_LINE);
        let taken = Duration::try_from(app.now().duration_since(began)).unwrap_or_default();
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = app.clock.sleep(longest.saturating_sub(taken)) => {
                let detail = format!("the body did not come within {} seconds", longest.as_secs());
                return Err(Problem::new(ProblemCode::Malformed).detail(detail).into());
            }
        };
        match frame {
            None => return Ok(bytes),
            Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Some(Err(error)) if error.is::<LengthLimitError>() => {
                let detail = format_args!("the body may have {limit} bytes");
                return Err(Problem::new(ProblemCode::TooLarge).detail(detail).into());
            }
            Some(Err(_)) => return Err(Problem::new(ProblemCode::Malformed).detail("the body broke off").into()),
        }
    }
}

/// JSON, or which field breaks which rule. An empty body is an empty object.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    // In two steps, so that what is no JSON at all is told from what breaks a rule.
    let value = serde_json::from_slice::<serde_json::Value>(bytes)
        .map_err(|error| Problem::new(ProblemCode::Malformed).detail(format_args!("not JSON: {error}")))?;
    // A list would be taken for an object's members in their order.
    if !value.is_object() {
        return Err(Problem::invalid("body", "must be an object").into());
    }
    typed(&value, "body")
}

/// A value of the right shape, or which field breaks which rule.
fn typed<T: DeserializeOwned>(value: &serde_json::Value, whole: &str) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|error| refused(&error, whole))
}

/// Which field breaks which rule; `whole` is what all of it is called.
fn refused<E: Display>(error: &serde_path_to_error::Error<E>, whole: &str) -> Failure {
    let path = error.path().to_string();
    let field = if path == "." { whole.to_owned() } else { path };
    Problem::invalid(field, error.inner()).into()
}

/// A text for people, within its bound.
pub fn check_text(field: &str, text: &str, most: usize) -> Result<(), Failure> {
    if text.chars().count() > most {
        return Err(Problem::invalid(field, format_args!("must be at most {most} characters")).into());
    }
    Ok(())
}

/// Parameters of the query.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| refused(&error, "query"))
    }
}

/// What a list is asked for, of a server that has the time for lists.
pub struct Paged(pub PageParams);

impl FromRequestParts<App> for Paged {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Params(params) = Params::from_request_parts(parts, app).await?;
        app.admit(Work::List, LIST_AGAIN_SECONDS)?;
        Ok(Self(params))
    }
}

/// Where a list starts and how long it is.
#[derive(Debug, Default, Clone, serde::Deserialize)]
pub struct PageParams {
    /// How many entries.
    limit: Option<u16>,
    /// Where an earlier page stopped.
    pub cursor: Option<String>,
}

impl PageParams {
    /// How many entries, within the bounds.
    pub fn limit(&self) -> Result<usize, Failure> {
        self.limit_up_to(MAX_LIMIT)
    }

    /// The same of a list whose pages may be larger or smaller.
    pub fn limit_up_to(&self, most: u16) -> Result<usize, Failure> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > most {
            return Err(Problem::invalid("limit", format_args!("must be 1 to {most}")).into());
        }
        Ok(limit.into())
    }
}

/// An id in the path; what is no id names nothing.
pub struct Id<T>(pub T);

impl<T: FromStr + Send> FromRequestParts<App> for Id<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| Refused::not_found("path"))?;
        let id = params.iter().find(|(name, _)| *name == "id").and_then(|(_, value)| value.parse().ok());
        id.map(Self).ok_or_else(|| Refused::not_found("thing: the path holds no id of its kind").into())
    }
}

/// Texts in the path, in its order; what is no text names nothing.
pub struct Named<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Named<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let texts = Path::<T>::from_request_parts(parts, app).await;
        texts.map(|Path(texts)| Self(texts)).map_err(|_| Refused::not_found("thing: the path is no text").into())
    }
}

/// The `Idempotency-Key`, if there is one.
pub struct IdempotencyKey(pub Option<String>);

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let text = value.to_str().ok().filter(|text| (1..=255).contains(&text.len()));
        let rule = "must be 1 to 255 visible ASCII characters";
        text.map(|text| Self(Some(text.into()))).ok_or_else(|| Problem::invalid("Idempotency-Key", rule).into())
    }
}

/// The revision in `If-Match`, if there is one.
pub struct IfMatch(pub Option<u64>);

impl FromRequestParts<App> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default();
        let text_of_tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
        // What is told in a look has a digest behind the revision, for `If-None-Match`.
        let revision = text_of_tag.split('-').next().and_then(|revision| revision.parse().ok());
        match (text, revision) {
            ("*", _) => Ok(Self(None)),
            (_, Some(revision)) => Ok(Self(Some(revision))),
            _ => Err(Failure::of(ProblemCode::RevisionMismatch)),
        }
    }
}

/// A revision as an `ETag`.
pub fn etag(revision: u64) -> [(header::HeaderName, String); 1] {
    [(header::ETAG, format!("\"{revision}\""))]
}

/// The request's id, as given by the outermost layer.
pub fn request_id(parts: &Parts) -> String {
    parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default()
}

/// A header as text; empty when it is not there.
pub fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
