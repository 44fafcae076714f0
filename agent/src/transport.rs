//! HTTP transport: over the network, or over the simulated network of a test.
//!
//! Authorities are read when a connection pool is made, so a new pool is made when their files have changed, and when a
//! certificate was not believed: the one that vouches for it may have come since.

use std::{
    error::Error,
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use muster_schemas::upstreams::FailureKind;
use reqwest::{Certificate, Request, Response, Url, redirect};
use tracing::{info, warn};

use crate::{
    config::{Network, NetworkError},
    errors::chain,
    identity::is_loopback,
    lookup::Lookups,
    sys::texts::{Stamp, stamps},
    version::VERSION,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Keepalive: how long a connection is idle before it is probed; after twice this without an answer it is closed. A long poll is
/// idle: if a NAT has dropped it, nothing else would tell before its time limit.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Where the system's authorities are, on the systems that there are.
const SYSTEM_AUTHORITIES: [&str; 6] = [
    "/etc/ssl/certs",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Brings requests to where they go, each within its own time limit.
pub trait Transport: fmt::Debug + Send + Sync {
    /// The builder of requests.
    fn requests(&self) -> reqwest::Client;

    /// Sends a request; the answer's body may come later.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ConnectionError>>;

    /// Drops all connections, because they are dead.
    fn reconnect(&self);

    /// From now on requests go to this server, by this way. When that cannot be, all stays as it is.
    fn adjust(&self, server: &str, way: &Network) -> Result<(), TransportError> {
        let _ = (server, way);
        Ok(())
    }

    /// Reads the authorities again if their files have changed.
    fn look(&self) {}
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
    #[error("cannot use the certificates in {path} (ca_file)")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The proxy is of no use.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// TLS cannot be set up; mostly there is no certificate store.
    #[error("cannot set up TLS; without a certificate store in the system set ca_file in agent.toml")]
    Tls(#[source] reqwest::Error),
}

/// HTTP.
#[derive(Debug)]
pub struct Http {
    route: Mutex<Route>,
    client: RwLock<reqwest::Client>,
    lookups: Lookups,
    /// What was said last of authorities that cannot be read again. Empty: they could be.
    complaint: Mutex<String>,
}

/// Where requests go, by which way, and the authorities' files as they were read.
#[derive(Debug, Clone, PartialEq)]
struct Route {
    server: String,
    way: Network,
    authorities: Vec<Option<Stamp>>,
}

impl Http {
    /// HTTP to this server, by this way.
    pub fn new(server: &str, way: &Network) -> Result<Self, TransportError> {
        let (route, lookups) = (Route::now(server, way), Lookups::default());
        let client = RwLock::new(connect(&route, &lookups)?);
        Ok(Self { route: Mutex::new(route), client, lookups, complaint: Mutex::default() })
    }

    fn broken(&self, error: reqwest::Error) -> ConnectionError {
        let is_connect = error.is_connect();
        let broken = match ConnectionError::from(error) {
            late if late.kind == FailureKind::TimedOut && self.lookups.take_given_up() => {
                ConnectionError::new(FailureKind::Name, NameServerSilent)
            }
            broken => broken,
        };
        // Connections in the pool are probably broken, too: each would be tried in turn, and waited for. And who is not
        // believed may be vouched for by an authority that has come since.
        if !is_connect || broken.kind == FailureKind::Certificate {
            self.reconnect();
        }
        broken
    }

    /// Replaces the connections by new ones to this.
    fn connect(&self, route: Route) -> Result<(), TransportError> {
        let client = connect(&route, &self.lookups)?;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        *self.route() = route;
        Ok(())
    }

    fn route(&self) -> MutexGuard<'_, Route> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same route, with the files as they are now.
    fn route_now(&self) -> Route {
        let Route { server, way, .. } = self.route().clone();
        Route::now(&server, &way)
    }
}

impl Route {
    fn now(server: &str, way: &Network) -> Self {
        let authorities = if server.starts_with("http://") { Vec::new() } else { stamps(&authorities(way)) };
        Self { server: server.into(), way: way.clone(), authorities }
    }
}

/// The files in which authorities are.
fn authorities(way: &Network) -> Vec<PathBuf> {
    let variables = || ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    match &way.ca_file {
        Some(path) => vec![path.clone()],
        None => variables().chain(SYSTEM_AUTHORITIES.map(PathBuf::from)).collect(),
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
        if let Err(failed) = self.connect(self.route_now()) {
            warn!("Cannot drop the old connections: {}", chain(&failed));
        }
    }

    fn adjust(&self, server: &str, way: &Network) -> Result<(), TransportError> {
        let wanted = Route::now(server, way);
        if *self.route() == wanted { Ok(()) } else { self.connect(wanted) }
    }

    fn look(&self) {
        let now = self.route_now();
        if *self.route() == now {
            return;
        }
        let complaint = self.connect(now).map_or_else(|failed| chain(&failed), |()| String::new());
        let mut before = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if complaint.is_empty() {
            info!("The files of the authorities have changed, and were read again");
        } else if complaint != *before {
            warn!("The authorities that were read before stay believed: {complaint}");
        }
        *before = complaint;
    }
}

fn connect(route: &Route, lookups: &Lookups) -> Result<reqwest::Client, TransportError> {
    let Route { server, way, .. } = route;
    let loopback = Url::parse(server).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url));
    let mut builder = reqwest::Client::builder()
        .user_agent(format!("muster-agent/{VERSION}"))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(KEEPALIVE)
        .dns_resolver(lookups.clone())
        .redirect(redirect::Policy::none());
    if let Some(path) = &way.ca_file {
        builder = builder.tls_certs_only(believed(path)?);
    } else if loopback {
        // No TLS is spoken, and a machine without a certificate store must do.
        builder = builder.tls_certs_only([]);
    }
    if loopback || way.proxy.is_some() {
        // Also not the environment's.
        builder = builder.no_proxy();
    }
    if let Some(proxy) = way.proxy()?.filter(|_| !loopback) {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(TransportError::Tls)
}

/// The authorities in a file: one at least, because a file that is being written holds none.
fn believed(path: &Path) -> Result<Vec<Certificate>, TransportError> {
    let unusable = |source| TransportError::Certificates { path: path.to_owned(), source };
    let pem = fs::read(path).map_err(|error| unusable(error.into()))?;
    let believed = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(error.into()))?;
    if believed.is_empty() { Err(unusable("there is no certificate in it".into())) } else { Ok(believed) }
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
