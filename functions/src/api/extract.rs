//! Extractors: JSON bodies, query parameters, ids and headers of a request, each with a clear problem when it is missing.

use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use muster_domain::{load::Sheddable, refused::Refused};
use muster_schemas::{
    envelopes::sha256_hex,
    ids::RequestId,
    pages::{DEFAULT_LIMIT, MAX_LIMIT},
    problems::{Problem, ProblemCode},
};
use serde::de::DeserializeOwned;

use super::{
    bodies::{Arriving, most_json_bytes},
    known::Known,
    problem::Failure,
};
use crate::{app::App, memory::Share};

/// How deep JSON may be nested: as deep as its reader goes.
const MAX_DEPTH: usize = 128;
/// When to ask again for a list that was shed, in seconds.
pub const LIST_AGAIN_SECONDS: u32 = 5;

/// A JSON body.
pub struct JsonBody<T> {
    /// The body.
    pub body: T,
    /// The memory that it has for as long as it is worked on.
    _share: Share,
}

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (bytes, share) = json_bytes(request, app).await?;
        Ok(Self { body: json(&bytes)?, _share: share })
    }
}

/// A JSON body with the digest of its bytes, for routes that compare requests: to make one takes longer than to read the body.
pub struct DigestedBody<T> {
    /// The body.
    pub body: T,
    /// SHA-256 of its bytes, to compare with another request.
    pub sha256: String,
    /// The memory that it has for as long as it is worked on.
    _share: Share,
}

impl<T: DeserializeOwned> FromRequest<App> for DigestedBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (bytes, share) = json_bytes(request, app).await?;
        Ok(Self { body: json(&bytes)?, sha256: sha256_hex(&bytes), _share: share })
    }
}

async fn json_bytes(request: Request, app: &App) -> Result<(Vec<u8>, Share), Failure> {
    check_is_json(&request)?;
    let known = Known::of(request.extensions());
    Arriving::new(app, request.into_body(), &known).whole(most_json_bytes(&known)).await
}

/// Refuses a body that says of itself that it is something else.
pub fn check_is_json(request: &Request) -> Result<(), Failure> {
    const JSON: &[u8] = b"application/json";
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.is_empty() || kind.get(..JSON.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(JSON)) {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::Malformed).detail("Content-Type must be application/json").into())
}

/// JSON, or which field breaks which rule. An empty body is an empty object.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    // A list would be taken for an object's members in their order.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    // What is skipped, because it is not known, is skipped at any depth: the slower way counts it.
    let is_flat = bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() < MAX_DEPTH;
    let text = str::from_utf8(bytes).ok().filter(|_| is_object && is_flat);
    match text.and_then(|text| serde_json::from_str(text).ok()) {
        Some(body) => Ok(body),
        None => explained(bytes),
    }
}

/// The same, more slowly: what is wrong with it, if anything is.
fn explained<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    // In two steps, so that a body that is not JSON is told from one that breaks a rule.
    let value = serde_json::from_slice::<serde_json::Value>(bytes)
        .map_err(|error| Problem::new(ProblemCode::Malformed).detail(format_args!("not JSON: {error}")))?;
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

/// The page that a request asks for. Refused while the server sheds load.
pub struct Paging(pub PageParams);

impl FromRequestParts<App> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Params(params) = Params::from_request_parts(parts, app).await?;
        app.admit(Sheddable::List, LIST_AGAIN_SECONDS)?;
        Ok(Self(PageParams { caller: Known::of(&parts.extensions).caller().into(), ..params }))
    }
}

/// Where a list starts and how long it is.
#[derive(Debug, Default, Clone, serde::Deserialize)]
pub struct PageParams {
    /// How many entries.
    limit: Option<u16>,
    /// Where an earlier page stopped.
    pub cursor: Option<String>,
    /// Who asks.
    #[serde(skip)]
    pub caller: String,
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

/// An id in the path; 404 if it is not a valid one.
pub struct Id<T>(pub T);

impl<T: FromStr + Send> FromRequestParts<App> for Id<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| not_found("The path cannot be read."))?;
        let id = params.iter().find(|(name, _)| *name == "id").and_then(|(_, value)| value.parse().ok());
        id.map(Self).ok_or_else(|| not_found("The path does not contain a valid id.").into())
    }
}

/// Texts in the path, in its order; 404 if they are not valid.
pub struct PathParams<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for PathParams<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let texts = Path::<T>::from_request_parts(parts, app).await;
        texts.map(|Path(texts)| Self(texts)).map_err(|_| not_found("The path is not valid text.").into())
    }
}

fn not_found(detail: &str) -> Refused {
    Refused::new(ProblemCode::NotFound, detail)
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
        // The `ETag` of a conditional request has a digest behind the revision, for `If-None-Match`.
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
