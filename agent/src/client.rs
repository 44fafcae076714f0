//! HTTP client: one call, bounded in time and size, answered by the server or failed.
//!
//! An answer that is not our JSON (a captive portal's page, a proxy's error, a redirect) counts as a connection failure. A 401
//! makes the client get a new token and retry once; all other retries are in `link`.

mod answers;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE, Relocation, TokenResponse},
    enrollment::{EnrollRequest, EnrollResponse},
    health::Health,
    ids::HostId,
    problems::ProblemCode,
    secrets::Secret,
    upstreams,
};
use reqwest::{
    Body, Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, RANGE},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

pub use self::answers::may_follow;
use self::answers::{MAX_BODY_BYTES, answer, answer_within, bytes, most_bytes, redirected};
use crate::{
    clock::ServerClock,
    config::{self, Config},
    failure::{self, Failure},
    identity::{Identity, IdentityError},
    link::Pacing,
    transport::{Transport, TransportError},
    upstream::{Door, Upstream},
};

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
    identity: RwLock<Identity>,
    token: Mutex<Option<Token>>,
    pauses: Mutex<Pauses>,
    api: Upstream,
    object_store: Upstream,
    /// The server's clock.
    pub clock: ServerClock,
    /// The word of the server that it has got another URL; `None` when it has said nothing.
    pub relocation: watch::Sender<Option<Relocation>>,
}

/// How long to pause and to wait, by the configuration and by the server.
#[derive(Debug, Clone, Copy)]
struct Pauses {
    configured: Pacing,
    /// The server wants no pause to be longer; `None` when it has said nothing.
    cap: Option<Duration>,
    health_timeout: Duration,
}

impl Pauses {
    fn of(config: &Config, cap: Option<Duration>) -> Self {
        Self { configured: config.pacing(), cap, health_timeout: config.health_timeout() }
    }

    fn pacing(self) -> Pacing {
        self.cap.map_or(self.configured, |cap| self.configured.capped(cap))
    }
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
            identity: RwLock::new(identity),
            token: Mutex::default(),
            clock,
            pauses: Mutex::new(Pauses::of(config, None)),
            api: Upstream::new(upstreams::API, config.breaker(config::Health::Asked)),
            object_store: Upstream::new(upstreams::OBJECT_STORE, config.breaker(config::Health::NotAsked)),
            relocation: watch::Sender::new(None),
        }
    }

    /// Goes on by another configuration. When it cannot be, all stays as it is.
    pub fn configure(&self, config: &Config) -> Result<(), TransportError> {
        self.transport.adjust(&self.server(), &config.way())?;
        let pauses = Pauses::of(config, self.pauses().cap);
        *self.lock_pauses() = pauses;
        for (upstream, health) in [(&self.api, config::Health::Asked), (&self.object_store, config::Health::NotAsked)] {
            upstream.configure(config.breaker(health));
        }
        self.pace_breakers();
        Ok(())
    }

    /// Goes on as the same host at another URL of the server.
    pub fn relocate(&self, identity: Identity, config: &Config) -> Result<(), TransportError> {
        self.transport.adjust(&identity.server, &config.way())?;
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
        // What one server gave out is not shown to another one.
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.reset_breakers();
        Ok(())
    }

    /// Looks whether the authorities that are believed have changed.
    pub fn look(&self) {
        self.transport.look();
    }

    /// Who this host is, and where its server.
    pub fn identity(&self) -> Identity {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server's URL.
    pub fn server(&self) -> String {
        self.identity().server
    }

    /// Shows the server who this host is: it must be the one that the host has joined.
    pub async fn authenticate(&self) -> Result<(), Failure> {
        self.prove().await.map(drop)
    }

    /// How pauses between attempts grow.
    pub fn pacing(&self) -> Pacing {
        self.pauses().pacing()
    }

    /// The server wants no pause to be longer than this; 0: it says nothing.
    pub fn cap(&self, seconds: u32) {
        if seconds > 0 {
            self.lock_pauses().cap = Some(Duration::from_secs(seconds.into()));
            self.pace_breakers();
        }
    }

    /// Breakers are open for no longer than a pause may be.
    fn pace_breakers(&self) {
        let pauses = self.pauses();
        if pauses.cap.is_some() {
            for upstream in [&self.api, &self.object_store] {
                upstream.cap(pauses.pacing().max);
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

    /// Whether the circuit to the server is closed.
    pub fn is_well(&self) -> bool {
        self.api.report().breaker == upstreams::BreakerState::Closed
    }

    /// How many calls to the server have failed by its fault.
    pub fn failures(&self) -> u64 {
        self.api.report().failures
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
        let asked = Instant::now();
        let call = async { answer_within(most_bytes(path), self.authenticated(request).await?).await };
        let call = async { call.await.map_err(|failure: Failure| failure.of_held_call(held, asked.elapsed())) };
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
                    let health = self.health(self.pauses().health_timeout).await;
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
        let identity = self.identity();
        let host = identity.host_id.ok_or(Failure::Identity(IdentityError::Missing))?;
        let claims = self.claims(host, identity.audience.clone());
        let assertion = identity.assertion(&claims).map_err(Failure::Identity)?;
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
        self.relocation.send_if_modified(|known| {
            *known != token.relocation && {
                known.clone_from(&token.relocation);
                true
            }
        });
        let valid = Duration::from_secs(token.expires_in.into()).min(LONGEST_TOKEN);
        Ok(Token { text: token.access_token, until: asked_at + valid.saturating_sub(TOKEN_MARGIN) })
    }

    fn claims(&self, host: HostId, aud: String) -> AssertionClaims {
        let now = self.clock.now().as_second();
        let jti = format!("{:032x}", rand::random::<u128>());
        AssertionClaims { iss: host, sub: host, aud, iat: now, exp: now + 60, jti }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.transport.requests().request(method, format!("{}{path}", self.server()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let mut request = request.build().map_err(|error| Failure::Transport(error.into()))?;
        let bytes = request.body().and_then(Body::as_bytes).map_or(0, <[u8]>::len);
        if let Some(limit) = request.timeout_mut() {
            *limit += Duration::from_secs((bytes / SLOWEST_LINE) as u64);
        }
        self.transport.send(request).await.map_err(Failure::Transport)
    }

    fn pauses(&self) -> Pauses {
        *self.lock_pauses()
    }

    fn lock_pauses(&self) -> MutexGuard<'_, Pauses> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the bytes begin; from then on the download looks at the clock.
async fn begun<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(3 * CALL_TIMEOUT, call).await.unwrap_or(Err(Failure::TimedOut))
}
