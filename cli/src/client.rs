//! The API over HTTP: one bearer credential, bounded retries, problems as failures.
//!
//! What was never sent is sent again; what may have arrived is sent again only where that is harmless: reads, uploads,
//! and creations, which carry the same `Idempotency-Key` each time.

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

/// How often a request is tried.
const TRIES: u32 = 3;
/// How often a poll is tried: a watch outlives a restart of the server.
const PATIENT_TRIES: u32 = 30;
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// The pauses between tries double from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// A poll that is answered sooner, without news, was not held.
const UNHELD: Duration = Duration::from_millis(900);
/// How long to wait then before the next one.
const UNHELD_PAUSE: Duration = Duration::from_secs(2);

/// A connection to one server.
pub struct Client {
    http: reqwest::Client,
    server: String,
    token: Option<Secret>,
}

/// What the server answered: the body as it came.
pub struct Answer {
    /// The body.
    pub body: String,
    /// What the answer is to, for error texts.
    path: String,
}

impl Answer {
    /// The body as what it should be.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let unreadable = |error: serde_json::Error| Failure::Unreadable {
            what: format!("the answer of {}", self.path),
            why: error.to_string(),
        };
        serde_json::from_str(&self.body).map_err(unreadable)
    }
}

/// A request, ready to be sent more than once.
struct Call<'a> {
    request: Box<dyn Fn() -> RequestBuilder + 'a>,
    /// Whether it may be sent again when it may have arrived.
    harmless: bool,
    tries: u32,
}

impl Client {
    /// A client of `server`, which is in the form that `config::checked` gives.
    pub fn new(server: &str, token: Option<Secret>) -> Result<Self, Failure> {
        Ok(Self { http: http(server)?, server: server.into(), token })
    }

    /// The server's URL.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Reads.
    pub async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        let request = || self.request(Method::GET, path, query);
        self.answer(path, Call { request: Box::new(request), harmless: true, tries: TRIES }).await
    }

    /// Reads with patience: waits for a change up to `wait` seconds, and outlives a short absence of the server.
    pub async fn poll(&self, path: &[&str], query: &[(&str, String)], wait: u64) -> Result<Response, Failure> {
        let time_limit = TIME_LIMIT + Duration::from_secs(wait);
        let request = || {
            let wait = ("wait", wait.to_string());
            self.request(Method::GET, path, query).query(&[wait]).timeout(time_limit)
        };
        let asked_at = Instant::now();
        let response = self.send(Call { request: Box::new(request), harmless: true, tries: PATIENT_TRIES }).await?;
        // A server that does not hold polls answers at once. What is no news is no worse for coming later.
        if wait > 0 && asked_at.elapsed() < UNHELD && !brings_news(query, &response) {
            tokio::time::sleep(UNHELD_PAUSE).await;
        }
        Ok(response)
    }

    /// The same for an answer in JSON.
    pub async fn poll_json(&self, path: &[&str], query: &[(&str, String)], wait: u64) -> Result<Answer, Failure> {
        let response = self.poll(path, query, wait).await?;
        self.body(path, response).await
    }

    /// Creates something, once however often it is sent.
    pub async fn create(&self, path: &[&str], body: &impl Serialize) -> Result<Answer, Failure> {
        let key = format!("{:032x}", rand::random::<u128>());
        let request = || self.request(Method::POST, path, &[]).header("Idempotency-Key", &key).json(body);
        self.answer(path, Call { request: Box::new(request), harmless: true, tries: TRIES }).await
    }

    /// Changes something; sent again only if it was never sent.
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
        self.answer(path, Call { request: Box::new(request), harmless: false, tries: TRIES }).await
    }

    /// Asks for something to be done.
    pub async fn act(&self, path: &[&str], body: &impl Serialize) -> Result<Answer, Failure> {
        self.change(Method::POST, path, &[], Some(body)).await
    }

    /// Takes something away.
    pub async fn delete(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        self.change(Method::DELETE, path, query, None::<&()>).await
    }

    /// Puts bytes in their place; `body` makes them anew for each try.
    pub async fn upload(
        &self,
        path: &[&str],
        length: u64,
        body: impl Fn() -> reqwest::Body,
    ) -> Result<Answer, Failure> {
        // A line of 32 KiB a second is slow enough to wait for.
        let time_limit = TIME_LIMIT + Duration::from_secs(length / (32 * 1024));
        let request = || {
            let request = self.request(Method::PUT, path, &[]).timeout(time_limit);
            let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
            request.header(header::CONTENT_LENGTH, length).body(body())
        };
        self.answer(path, Call { request: Box::new(request), harmless: true, tries: TRIES }).await
    }

    /// Puts bytes where the server says, outside of it: the token is not for that place, and what fails there is not told
    /// as the server's.
    pub async fn upload_elsewhere(
        &self,
        url: &str,
        headers: &BTreeMap<String, String>,
        length: u64,
        body: impl Fn() -> reqwest::Body,
    ) -> Result<(), Failure> {
        let place = Url::parse(url).ok().filter(|place| place.scheme() == "https" || self.server.starts_with("http:"));
        let place = place.ok_or_else(|| Failure::Unreadable {
            what: "the place for the upload".into(),
            why: "it is no https URL".into(),
        })?;
        let store = Self { http: self.http.clone(), server: place.origin().ascii_serialization(), token: None };
        let time_limit = TIME_LIMIT + Duration::from_secs(length / (32 * 1024));
        let request = || {
            let request = self.http.put(place.clone()).timeout(time_limit).header(header::CONTENT_LENGTH, length);
            headers.iter().fold(request, |request, (name, value)| request.header(name, value)).body(body())
        };
        store.send(Call { request: Box::new(request), harmless: true, tries: TRIES }).await.map(drop)
    }

    /// A body that need not be text.
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
                Ok(response) if tries_left > 0 && call.harmless && is_busy(response.status()) => {
                    pause = retry_after(&response).unwrap_or(pause);
                }
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => return Err(self.refused(response).await),
                Err(error) if tries_left > 0 && (error.is_connect() || call.harmless && !error.is_builder()) => {}
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

/// Whether an answer says more than the caller knew: another revision than it named, or more log than it had.
fn brings_news(query: &[(&str, String)], response: &Response) -> bool {
    let known = |name: &str| query.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    let told = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Behind the revision stands what else may have changed, which is no news to who asked for a revision.
    let revision = told("etag").trim_matches('"').split('-').next();
    let same_revision = known("revision").is_some_and(|known| revision == Some(known));
    let same_log = known("after").is_some_and(|known| told(LOG_NEXT_HEADER) == known);
    !(same_revision || same_log && told(LOG_COMPLETE_HEADER) != "true")
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(Duration::from_secs(30)))
}

/// The transport. A system without CA certificates cannot verify anybody: that is no obstacle where there is nothing to
/// verify (http to loopback), or where our own CA was named.
fn http(server: &str) -> Result<reqwest::Client, Failure> {
    let certificates = own_certificates()?;
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

fn own_certificates() -> Result<Vec<Certificate>, Failure> {
    let Some(path) = env::var_os("MUSTER_CA_FILE").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(Vec::new());
    };
    let unreadable = |why: String| Failure::Unreadable { what: path.display().to_string(), why };
    let certificates = Certificate::from_pem_bundle(&files::read_bytes(&path)?);
    let certificates = certificates.map_err(|error| unreadable(error.to_string()))?;
    if certificates.is_empty() { Err(unreadable("it holds no PEM certificate".into())) } else { Ok(certificates) }
}
