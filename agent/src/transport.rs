//! HTTP transport: over the network, or over the simulated network of a test.

use std::{
    error::Error,
    fmt, fs,
    path::PathBuf,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use muster_schemas::upstreams::FailureKind;
use reqwest::{Certificate, Request, Response, Url, redirect};
use tracing::warn;

use crate::{config::Config, errors::chain, identity::is_loopback, lookup::Lookups, version::VERSION};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Keepalive: how long a connection is idle before it is probed; after twice this without an answer it is closed. A long poll is
/// idle: if a NAT has dropped it, nothing else would tell before its time limit.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Brings requests to where they go, each within its own time limit.
pub trait Transport: fmt::Debug + Send + Sync {
    /// The builder of requests.
    fn requests(&self) -> reqwest::Client;

    /// Sends a request; the answer's body may come later.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ConnectionError>>;

    /// Drops all connections, because they are dead.
    fn reconnect(&self);
}

/// A failed connection: no answer, or only a part of one.
#[derive(Debug)]
pub struct ConnectionError {
    /// In one word.
    pub kind: FailureKind,
    source: Box<dyn Error + Send + Sync>,
}

impl ConnectionError {
    /// Of this kind, in these words.
    pub fn new(kind: FailureKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for ConnectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}

impl From<reqwest::Error> for ConnectionError {
    /// Addresses stay out of messages.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        Self::new(kind(&error), error)
    }
}

/// The time was over before there was an answer to connect to.
#[derive(Debug, thiserror::Error)]
#[error("dns error: no answer in time")]
struct NameServerSilent;

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The file with the certificates to believe is of no use.
    #[error("cannot use the certificates in ca_file")]
    Certificates(#[source] Box<dyn Error + Send + Sync>),
    /// TLS cannot be set up; mostly there is no certificate store.
    #[error("cannot set up TLS; without a certificate store in the system set ca_file in agent.toml")]
    Tls(#[source] reqwest::Error),
}

/// HTTP.
#[derive(Debug)]
pub struct Http {
    server: String,
    ca_file: Option<PathBuf>,
    client: RwLock<reqwest::Client>,
    lookups: Lookups,
}

impl Http {
    /// HTTP to this server.
    pub fn new(server: &str, config: &Config) -> Result<Self, TransportError> {
        let lookups = Lookups::default();
        let client = RwLock::new(connect(server, config.ca_file.as_ref(), &lookups)?);
        Ok(Self { server: server.into(), ca_file: config.ca_file.clone(), client, lookups })
    }

    fn broken(&self, error: reqwest::Error) -> ConnectionError {
        // Connections in the pool are probably broken, too: each would be tried in turn, and waited for.
        if !error.is_connect() {
            self.reconnect();
        }
        match ConnectionError::from(error) {
            late if late.kind == FailureKind::TimedOut && self.lookups.take_given_up() => {
                ConnectionError::new(FailureKind::Name, NameServerSilent)
            }
            broken => broken,
        }
    }
}

impl Transport for Http {
    fn requests(&self) -> reqwest::Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ConnectionError>> {
        let client = self.requests();
        Box::pin(async move { client.execute(request).await.map_err(|error| self.broken(error)) })
    }

    fn reconnect(&self) {
        match connect(&self.server, self.ca_file.as_ref(), &self.lookups) {
            Ok(client) => *self.client.write().unwrap_or_else(PoisonError::into_inner) = client,
            Err(failed) => warn!("Cannot drop the old connections: {}", chain(&failed)),
        }
    }
}

fn connect(server: &str, ca_file: Option<&PathBuf>, lookups: &Lookups) -> Result<reqwest::Client, TransportError> {
    let loopback = Url::parse(server).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url));
    let mut builder = reqwest::Client::builder()
        .user_agent(format!("muster-agent/{VERSION}"))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(KEEPALIVE)
        .dns_resolver(lookups.clone())
        .redirect(redirect::Policy::none());
    if let Some(path) = ca_file {
        let pem = fs::read(path).map_err(|error| TransportError::Certificates(error.into()))?;
        let believed =
            Certificate::from_pem_bundle(&pem).map_err(|error| TransportError::Certificates(error.into()))?;
        builder = builder.tls_certs_only(believed);
    } else if loopback {
        // No TLS is spoken, and a machine without a certificate store must do.
        builder = builder.tls_certs_only([]);
    }
    if loopback {
        builder = builder.no_proxy();
    }
    builder.build().map_err(TransportError::Tls)
}

/// The libraries below distinguish these only in their messages.
fn kind(error: &reqwest::Error) -> FailureKind {
    let mut text = String::new();
    let mut source: Option<&dyn Error> = Some(error);
    while let Some(cause) = source {
        text = text + &cause.to_string().to_ascii_lowercase() + "\n";
        source = cause.source();
    }
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if error.is_timeout() => FailureKind::TimedOut,
        () if says(&["certificate"]) => FailureKind::Certificate,
        () if says(&["dns error", "failed to lookup", "name resolution"]) => FailureKind::Name,
        () if says(&["proxy auth", "407"]) => FailureKind::ProxyAuthentication,
        () if !error.is_connect() && (error.is_body() || error.is_decode()) => FailureKind::CutOff,
        () => FailureKind::Connection,
    }
}
