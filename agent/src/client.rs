//! HTTP client: one call, bounded in time and size, answered by the server or failed.
//!
//! An answer that is not our JSON (a captive portal's page, a proxy's error, a redirect) counts as a connection failure. A 401
//! makes the client get a new token and retry once; all other retries are in `link`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE, TokenResponse},
    enrollment::{EnrollRequest, EnrollResponse},
    health::Health,
    ids::HostId,
    problems::{Problem, ProblemCode},
    secrets::Secret,
    upstreams,
};
use reqwest::{
    Body, Method, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, LOCATION, RANGE, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout};

use crate::{
    clock::ServerClock,
    config::{self, Config},
    failure::{self, Failure},
    identity::{Identity, IdentityError, is_allowed, is_loopback},
    link::Pacing,
    transport::Transport,
    upstream::{Door, Upstream},
};

/// The largest body that is read into memory, in bytes: jobs with their specs, and manifests.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// The same for every other answer, and for every refusal.
const MAX_SMALL_BODY_BYTES: usize = 64 * 1024;
/// How long a call may take beyond what the server may hold it and what it takes to send.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The slowest line that a request is given time for, in bytes per second: the time limit grows with the size of the body.
const SLOWEST_LINE: usize = 128;
/// The longest assumed validity of a token.
const LONGEST_TOKEN: Duration = Duration::from_hours(24);
/// How long before its expiry a token is not used any more.
const TOKEN_MARGIN: Duration = Duration::from_secs(30);

/// The server as this host reaches it.
#[derive(Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
    identity: Identity,
    token: Mutex<Option<Token>>,
    configured: Pacing,
    pacing: Mutex<Pacing>,
    health_timeout: Duration,
    api: Upstream,
    object_store: Upstream,
    /// The server's clock.
    pub clock: ServerClock,
}

/// An access token, and until when it is worth sending.
#[derive(Debug, Clone)]
struct Token {
    text: Secret,
    until: Instant,
}

/// How a blob comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From where the server sends us.
    AsToldByServer,
    /// Through the server itself: this host may reach nothing else.
    ThroughServer,
}

impl Client {
    /// A client for the server that this identity joined or is about to join, by this transport.
    pub fn new(identity: Identity, config: &Config, transport: Arc<dyn Transport>, clock: ServerClock) -> Self {
        Self {
            transport,
            identity,
            token: Mutex::default(),
            clock,
            configured: config.pacing(),
            pacing: Mutex::new(config.pacing()),
            health_timeout: config.health_timeout(),
            api: Upstream::new(upstreams::API, config.breaker(config::Health::Asked)),
            object_store: Upstream::new(upstreams::OBJECT_STORE, config.breaker(config::Health::NotAsked)),
        }
    }

    /// How pauses between attempts grow.
    pub fn pacing(&self) -> Pacing {
        *self.lock_pacing()
    }

    /// The server wants no pause to be longer than this; 0: it says nothing.
    pub fn cap(&self, seconds: u32) {
        if seconds > 0 {
            let mut pacing = self.lock_pacing();
            *pacing = self.configured.capped(Duration::from_secs(seconds.into()));
            for upstream in [&self.api, &self.object_store] {
                upstream.cap(pacing.max);
            }
        }
    }

    /// Drops all connections, because they are dead.
    pub fn reconnect(&self) {
        self.transport.reconnect();
        self.reset_breakers();
    }

    /// Closes all breakers at the request of an operator.
    pub fn reset_breakers(&self) {
        for upstream in [&self.api, &self.object_store] {
            upstream.reset();
        }
    }

    /// The report about this client's upstreams.
    pub fn upstreams(&self) -> Vec<upstreams::Upstream> {
        [&self.api, &self.object_store].map(Upstream::report).into()
    }

    /// Joins.
    pub async fn enroll(&self, request: &EnrollRequest) -> Result<EnrollResponse, Failure> {
        let request = self.request(Method::POST, "/api/v1/agent/enroll").json(request).timeout(CALL_TIMEOUT);
        answer(self.send(request).await?).await
    }

    /// Posts with proof of who this host is. `held` is how long the server may hold the call.
    pub async fn post<T: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        body: &T,
        held: Duration,
    ) -> Result<R, Failure> {
        let request = || self.request(Method::POST, path).json(body).timeout(held + CALL_TIMEOUT);
        let call = async { answer_within(most_bytes(path), self.authenticated(request).await?).await };
        self.through(&self.api, call).await
    }

    /// Gets with proof of who this host is.
    pub async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, Failure> {
        let request = || self.request(Method::GET, path).timeout(CALL_TIMEOUT);
        let call = async { answer_within(MAX_BODY_BYTES, self.authenticated(request).await?).await };
        self.through(&self.api, call).await
    }

    /// A blob's bytes from `from` on, as a stream: from the server or from where it redirects, once.
    pub async fn blob(&self, sha256: &str, from: u64, way: Way) -> Result<Response, Failure> {
        let ranged = |request: RequestBuilder| {
            if from == 0 { request } else { request.header(RANGE, format!("bytes={from}-")) }
        };
        let query = match way {
            Way::AsToldByServer if !self.object_store.is_shut() => "",
            Way::AsToldByServer | Way::ThroughServer => "?through_server=true",
        };
        let path = format!("/api/v1/agent/blobs/{sha256}{query}");
        let ask = async {
            let response = self.authenticated(|| ranged(self.request(Method::GET, &path))).await?;
            if redirected(&response).is_some() { Ok(response) } else { bytes(response).await }
        };
        let response = self.through(&self.api, begun(ask)).await?;
        let Some(url) = redirected(&response) else { return Ok(response) };
        // A presigned URL: the token is not for it.
        let call = async { bytes(self.send(ranged(self.transport.requests().get(url))).await?).await };
        self.through(&self.object_store, begun(call)).await
    }

    /// Makes a call if the upstream's breaker lets it through, and tells it how the call ended.
    async fn through<T>(
        &self,
        upstream: &Upstream,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let permit = loop {
            match upstream.enter() {
                Door::Open(permit) => break permit,
                Door::Shut(retry_in) => return Err(Failure::CircuitOpen { retry_in }),
                Door::Probe(probe) => {
                    let health = self.health(self.health_timeout).await;
                    failure::end(probe, health.as_ref().err());
                    health?;
                }
            }
        };
        let done = call.await;
        failure::end(permit, done.as_ref().err());
        done
    }

    async fn health(&self, within: Duration) -> Result<Health, Failure> {
        let health = self.request(Method::GET, "/api/v1/health").timeout(within);
        answer(self.send(health).await?).await
    }

    async fn authenticated(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let send = async |token: Secret| self.send(request().bearer_auth(token.reveal())).await;
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // An expired token is not tried: each refusal would cost a request.
        if let Some(token) = known.filter(|known| Instant::now() < known.until) {
            let response = send(token.text).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
        }
        let token = self.prove().await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        send(token.text).await
    }

    /// A new access token. When the proof is refused, the host's clock may be to blame: the server is asked for the time.
    async fn prove(&self) -> Result<Token, Failure> {
        match self.ask_for_token().await {
            Err(failure) if failure.code() == Some(ProblemCode::Unauthorized) => {
                self.clock.learn(self.health(CALL_TIMEOUT).await?.time);
                self.ask_for_token().await
            }
            answered => answered,
        }
    }

    async fn ask_for_token(&self) -> Result<Token, Failure> {
        let host = self.identity.host_id.ok_or(Failure::Identity(IdentityError::Missing))?;
        let assertion = self.identity.assertion(&self.claims(host)).map_err(Failure::Identity)?;
        let form = [
            ("grant_type", GRANT_TYPE),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.reveal()),
        ];
        // Each of these texts is made of unreserved characters and colons, which a form carries as they are.
        let body = form.map(|(name, value)| format!("{name}={value}")).join("&");
        let request = self.request(Method::POST, "/oauth/token").timeout(CALL_TIMEOUT);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        // From before the request: a slow answer must not make it look younger.
        let asked_at = Instant::now();
        let token: TokenResponse = answer(self.send(request).await?).await?;
        // One that cannot be sent would be kept until it is over, and nothing asked.
        if token.access_token.reveal().is_empty()
            || !token.access_token.reveal().bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Failure::NotOurs { status: 200, retry_after: None });
        }
        let valid = Duration::from_secs(token.expires_in.into()).min(LONGEST_TOKEN);
        Ok(Token { text: token.access_token, until: asked_at + valid.saturating_sub(TOKEN_MARGIN) })
    }

    fn claims(&self, host: HostId) -> AssertionClaims {
        let now = self.clock.now().as_second();
        let jti = format!("{:032x}", rand::random::<u128>());
        AssertionClaims { iss: host, sub: host, aud: self.identity.audience.clone(), iat: now, exp: now + 60, jti }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.transport.requests().request(method, format!("{}{path}", self.identity.server))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let mut request = request.build().map_err(|error| Failure::Transport(error.into()))?;
        let bytes = request.body().and_then(Body::as_bytes).map_or(0, <[u8]>::len);
        if let Some(limit) = request.timeout_mut() {
            *limit += Duration::from_secs((bytes / SLOWEST_LINE) as u64);
        }
        self.transport.send(request).await.map_err(Failure::Transport)
    }

    fn lock_pacing(&self) -> MutexGuard<'_, Pacing> {
        self.pacing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body as what was expected, or the server's refusal.
async fn answer<R: DeserializeOwned>(response: Response) -> Result<R, Failure> {
    answer_within(MAX_SMALL_BODY_BYTES, response).await
}

/// How much this route may answer.
fn most_bytes(path: &str) -> usize {
    if path.ends_with("/check-in") { MAX_BODY_BYTES } else { MAX_SMALL_BODY_BYTES }
}

/// Waits until the bytes begin; from then on the download looks at the clock.
async fn begun<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(3 * CALL_TIMEOUT, call).await.unwrap_or(Err(Failure::TimedOut))
}

/// An answer that is a file, or a part of one.
async fn bytes(response: Response) -> Result<Response, Failure> {
    if matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        Ok(response)
    } else {
        Err(refusal(response).await)
    }
}

async fn answer_within<R: DeserializeOwned>(most: usize, response: Response) -> Result<R, Failure> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let status = response.status().as_u16();
    let body = body(response, "application/json", most).await?;
    serde_json::from_slice(&body).map_err(|_| Failure::NotOurs { status, retry_after: None })
}

async fn refusal(response: Response) -> Failure {
    let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
    match body(response, "application/problem+json", MAX_SMALL_BODY_BYTES).await {
        Ok(body) => match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Failure::Refused { problem: Box::new(problem), retry_after },
            Err(_) => Failure::NotOurs { status, retry_after },
        },
        Err(Failure::NotOurs { status, .. }) => Failure::NotOurs { status, retry_after },
        Err(failure) => failure,
    }
}

async fn body(mut response: Response, expected: &str, most: usize) -> Result<Vec<u8>, Failure> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with(expected) {
        return Err(Failure::NotOurs { status: response.status().as_u16(), retry_after: None });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::Transport(error.into()))? {
        if body.len() + chunk.len() > most {
            return Err(Failure::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Seconds or a date; a date counts by the host's clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.parse().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(u64::try_from(at.as_second() - Timestamp::now().as_second()).unwrap_or_default())
    });
    seconds.map(Duration::from_secs)
}

fn redirected(response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let url = response.url().join(location.to_str().ok()?).ok()?;
    may_follow(response.url(), &url).then_some(url)
}

/// No server elsewhere sends this host to a port of its own.
fn may_follow(from: &Url, to: &Url) -> bool {
    is_allowed(to) && (is_loopback(from) || !is_loopback(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_on_this_machine_may_redirect_to_it() {
        let may = |from: &str, to: &str| may_follow(&Url::parse(from).unwrap(), &Url::parse(to).unwrap());
        assert!(may("https://muster.example", "https://store.example/x"));
        assert!(may("http://127.0.0.1:8080", "http://127.0.0.1:9000/x"));
        for to in ["http://127.0.0.1:9000/x", "https://localhost/x", "http://store.example/x"] {
            assert!(!may("https://muster.example", to), "{to}");
        }
    }

    #[test]
    fn only_a_check_in_may_be_answered_at_length() {
        assert_eq!(most_bytes("/api/v1/agent/check-in"), MAX_BODY_BYTES);
        assert_eq!(most_bytes("/api/v1/agent/jobs/x/events"), MAX_SMALL_BODY_BYTES);
    }
}
