//! HTTP client for the API: a bearer token, bounded retries with backoff, long polls, and problem details as errors.
//!
//! A request that was never sent is retried. A request that may have arrived is retried only if repeating it is safe:
//! reads, uploads, and creations, which carry the same `Idempotency-Key` each time.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    time::{Duration, Instant},
};

use muster_schemas::{
    jobs::{LOG_COMPLETE_HEADER, LOG_NEXT_HEADER},
    problems::Problem,
    secrets::Secret,
};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode, Url, header, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};

use crate::{failures::Failure, files};

/// Attempts for one request.
const TRIES: u32 = 3;
/// Attempts for one long poll: enough for `--wait` and `watch` to survive a restart of the server.
const POLL_TRIES: u32 = 30;
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// The backoff doubles from the first pause to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// A long poll that is answered sooner than this, without anything new, was not held by the server.
const UNHELD: Duration = Duration::from_millis(900);
/// Pause after a long poll that was not held.
const UNHELD_PAUSE: Duration = Duration::from_secs(2);

/// A connection to one server.
pub struct Client {
    http: reqwest::Client,
    server: String,
    token: Option<Secret>,
}

/// An answer of the server: its body, not parsed yet.
pub struct Answer {
    /// The body as it came.
    pub body: String,
    /// Path of the request, for error texts.
    path: String,
}

impl Answer {
    /// Parses the body.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let unreadable = |error: serde_json::Error| Failure::Unreadable {
            what: format!("the server's answer for {}", self.path),
            why: error.to_string(),
        };
        serde_json::from_str(&self.body).map_err(unreadable)
    }
}

/// A request that can be sent more than once.
struct Call<'a> {
    request: Box<dyn Fn() -> RequestBuilder + 'a>,
    /// Whether repeating it is safe after it may have arrived.
    repeatable: bool,
    tries: u32,
}

impl Client {
    /// A client for `server`, whose URL `config::checked` has normalized.
    pub fn new(server: &str, token: Option<Secret>) -> Result<Self, Failure> {
        Ok(Self { http: http(server)?, server: server.into(), token })
    }

    /// URL of the server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `GET`: reads something.
    pub async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        let request = || self.request(Method::GET, path, query);
        self.answer(path, Call { request: Box::new(request), repeatable: true, tries: TRIES }).await
    }

    /// Long poll: reads something and waits up to `wait` seconds for a change. Survives a short outage of the server.
    pub async fn poll(&self, path: &[&str], query: &[(&str, String)], wait: u64) -> Result<Response, Failure> {
        let time_limit = TIME_LIMIT + Duration::from_secs(wait);
        let request = || {
            let wait = ("wait", wait.to_string());
            self.request(Method::GET, path, query).query(&[wait]).timeout(time_limit)
        };
        let asked_at = Instant::now();
        let response = self.send(Call { request: Box::new(request), repeatable: true, tries: POLL_TRIES }).await?;
        // Some servers do not hold long polls and answer at once. Without a pause, this would be a busy loop.
        if wait > 0 && asked_at.elapsed() < UNHELD && !brings_news(query, &response) {
            tokio::time::sleep(UNHELD_PAUSE).await;
        }
        Ok(response)
    }

    /// Long poll for an answer in JSON.
    pub async fn poll_json(&self, path: &[&str], query: &[(&str, String)], wait: u64) -> Result<Answer, Failure> {
        let response = self.poll(path, query, wait).await?;
        self.body(path, response).await
    }

    /// `POST` with an idempotency key: creates something once, however often the request is sent.
    pub async fn create(&self, path: &[&str], body: &impl Serialize) -> Result<Answer, Failure> {
        let key = format!("{:032x}", rand::random::<u128>());
        let request = || self.request(Method::POST, path, &[]).header("Idempotency-Key", &key).json(body);
        self.answer(path, Call { request: Box::new(request), repeatable: true, tries: TRIES }).await
    }

    /// Changes something; retried only if the request was never sent.
    pub async fn change(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<Answer, Failure> {
        let request = || {
            let request = self.request(method.clone(), path, query);
            if let Some(body) = body { request.json(body) } else { request }
        };
        self.answer(path, Call { request: Box::new(request), repeatable: false, tries: TRIES }).await
    }

    /// `POST`: runs an action.
    pub async fn act(&self, path: &[&str], body: &impl Serialize) -> Result<Answer, Failure> {
        self.change(Method::POST, path, &[], Some(body)).await
    }

    /// `DELETE`: removes something.
    pub async fn delete(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        self.change(Method::DELETE, path, query, None::<&()>).await
    }

    /// `PUT`: uploads bytes; `body` produces them again for each attempt.
    pub async fn upload(
        &self,
        path: &[&str],
        length: u64,
        body: impl Fn() -> reqwest::Body,
    ) -> Result<Answer, Failure> {
        // The time limit allows for a connection of 32 KiB per second.
        let time_limit = TIME_LIMIT + Duration::from_secs(length / (32 * 1024));
        let request = || {
            let request = self.request(Method::PUT, path, &[]).timeout(time_limit);
            let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
            request.header(header::CONTENT_LENGTH, length).body(body())
        };
        self.answer(path, Call { request: Box::new(request), repeatable: true, tries: TRIES }).await
    }

    /// Uploads bytes to a presigned URL in the object store. The request carries no token, and an error names the object
    /// store, not the server.
    pub async fn upload_elsewhere(
        &self,
        url: &str,
        headers: &BTreeMap<String, String>,
        length: u64,
        body: impl Fn() -> reqwest::Body,
    ) -> Result<(), Failure> {
        let place = Url::parse(url).ok().filter(|place| place.scheme() == "https" || self.server.starts_with("http:"));
        let place = place.ok_or_else(|| Failure::Unreadable {
            what: "the upload URL from the server".into(),
            why: "it is not an https URL".into(),
        })?;
        let store = Self { http: self.http.clone(), server: place.origin().ascii_serialization(), token: None };
        let time_limit = TIME_LIMIT + Duration::from_secs(length / (32 * 1024));
        let request = || {
            let request = self.http.put(place.clone()).timeout(time_limit).header(header::CONTENT_LENGTH, length);
            headers.iter().fold(request, |request, (name, value)| request.header(name, value)).body(body())
        };
        store.send(Call { request: Box::new(request), repeatable: true, tries: TRIES }).await.map(drop)
    }

    /// Reads a body that may not be text.
    pub async fn bytes(&self, response: Response) -> Result<Vec<u8>, Failure> {
        response.bytes().await.map(Into::into).map_err(|source| self.unreachable(source))
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, String)]) -> RequestBuilder {
        let mut url = Url::parse(&self.server).expect("the server's URL was checked");
        let segments = ["api", "v1"].iter().chain(path);
        url.path_segments_mut().expect("http URLs have a path").pop_if_empty().extend(segments);
        let request = self.http.request(method, url).query(query).timeout(TIME_LIMIT);
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    async fn answer(&self, path: &[&str], call: Call<'_>) -> Result<Answer, Failure> {
        let response = self.send(call).await?;
        self.body(path, response).await
    }

    async fn body(&self, path: &[&str], response: Response) -> Result<Answer, Failure> {
        let body = response.text().await.map_err(|source| self.unreachable(source))?;
        Ok(Answer { body: body.trim_end().into(), path: format!("/api/v1/{}", path.join("/")) })
    }

    async fn send(&self, call: Call<'_>) -> Result<Response, Failure> {
        let (mut pause, mut tries_left) = (FIRST_PAUSE, call.tries);
        loop {
            tries_left -= 1;
            match (call.request)().send().await {
                Ok(response) if tries_left > 0 && call.repeatable && is_busy(response.status()) => {
                    pause = retry_after(&response).unwrap_or(pause);
                }
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => return Err(self.refused(response).await),
                Err(error) if tries_left > 0 && (error.is_connect() || call.repeatable && !error.is_builder()) => {}
                Err(error) => return Err(self.unreachable(error)),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn unreachable(&self, source: reqwest::Error) -> Failure {
        Failure::Unreachable { server: self.server.clone(), source: source.without_url() }
    }

    async fn refused(&self, response: Response) -> Failure {
        let (server, status) = (self.server.clone(), response.status().as_u16());
        let text = response.text().await.unwrap_or_default();
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Failure::Refused { problem: Box::new(problem), server },
            Err(_) => Failure::Unexpected { server, status, text: text.chars().take(200).collect() },
        }
    }
}

/// Whether an answer tells more than the caller knew: another revision, or more of the log.
fn brings_news(query: &[(&str, String)], response: &Response) -> bool {
    let known = |name: &str| query.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The ETag is the revision, then a part that also covers other changes. Only the revision matters here.
    let revision = header("etag").trim_matches('"').split('-').next();
    let same_revision = known("revision").is_some_and(|known| revision == Some(known));
    let same_log = known("after").is_some_and(|known| header(LOG_NEXT_HEADER) == known);
    !(same_revision || same_log && header(LOG_COMPLETE_HEADER) != "true")
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(Duration::from_secs(30)))
}

/// Builds the HTTP client. A system without CA certificates is an error only if they are needed: plain http to loopback
/// verifies nothing, and `MUSTER_CA_FILE` may name all the certificates that matter.
fn http(server: &str) -> Result<reqwest::Client, Failure> {
    let certificates = private_certificates()?;
    let builder = || {
        let agent = concat!("muster/", env!("CARGO_PKG_VERSION"));
        reqwest::Client::builder().user_agent(agent).redirect(Policy::none()).connect_timeout(Duration::from_secs(10))
    };
    let needs_no_system = !certificates.is_empty() || server.starts_with("http://");
    match builder().tls_certs_merge(certificates.clone()).build() {
        Err(_) if needs_no_system => builder().tls_certs_only(certificates).build(),
        built => built,
    }
    .map_err(|source| Failure::Tls { source })
}

/// Certificates from `MUSTER_CA_FILE`; empty if it is not set.
fn private_certificates() -> Result<Vec<Certificate>, Failure> {
    let Some(path) = env::var_os("MUSTER_CA_FILE").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(Vec::new());
    };
    let unreadable = |why: String| Failure::Unreadable { what: path.display().to_string(), why };
    let certificates = Certificate::from_pem_bundle(&files::read_bytes(&path)?);
    let certificates = certificates.map_err(|error| unreadable(error.to_string()))?;
    if certificates.is_empty() {
        Err(unreadable("it does not contain a PEM certificate".into()))
    } else {
        Ok(certificates)
    }
}
