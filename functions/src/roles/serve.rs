//! `serve`: a process that holds polls, runs the tick and speaks TLS itself; alone on the embedded store, or one of any
//! number on `DynamoDB` and S3.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::Router;
#[cfg(feature = "console")]
use axum::routing::any;
use clap::{ArgAction, builder::FalseyValueParser};
use muster_domain::pacing::Pacing;
use tokio::{
    net::TcpListener,
    signal::unix,
    sync::{Notify, watch},
};
use tracing::Level;

#[cfg(feature = "console")]
use super::console;
use super::{
    accounts::{self, AccountError},
    connections::{self, Limits, Service},
    installations, pacing, proxies,
    readings::Readings,
    retention,
    storage::{self, Kind, StorageError},
    tls::{Certificate, Tls},
    urls,
};
use crate::{
    api::{self, identity::addresses::TrustedProxies},
    app::{App, Settings},
    clock::SteadyClock,
    errors::chain,
    store::StoreError,
    tick,
};

/// How often the tick runs.
const TICK: Duration = Duration::from_secs(10);
/// How many records may be due in a tick after which records of before are looked at.
const WALKS_BELOW: usize = 200;
/// How often the whole database is read, to see whether it is undamaged; the first time is at the start.
const INTEGRITY: Duration = Duration::from_hours(24);
/// How long requests may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How to serve.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The address and port to listen on
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    storage: storage::Options,
    /// The URL that hosts and people know the server by [default: made from --listen]
    #[arg(long, env = "MUSTER_PUBLIC_URL", value_parser = urls::public_url)]
    public_url: Option<String>,
    /// A further URL that hosts and browsers reach this server by; may be given several times
    #[arg(long, env = "MUSTER_ALSO_KNOWN_AS", value_name = "URL", value_delimiter = ',', value_parser = urls::public_url)]
    also_known_as: Vec<String>,
    /// The TLS certificate with its chain, PEM; reloaded when it changes
    #[arg(long, env = "MUSTER_TLS_CERTIFICATE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The TLS certificate's private key, PEM
    #[arg(long, env = "MUSTER_TLS_KEY", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// The largest number of connections at once: each host that waits for work has one
    #[arg(long, env = "MUSTER_MAX_CONNECTIONS", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(64..))]
    max_connections: u32,
    /// The longest time that a check-in is held, in seconds: shorter than the timeouts of proxies in between
    #[arg(long, env = "MUSTER_MAX_HOLD_SECONDS", value_parser = clap::value_parser!(u32).range(1..=280))]
    max_hold_seconds: Option<u32>,
    /// How much memory the bodies of requests on their way may have together, in MiB, and those of answers on theirs; beyond
    /// it a request is put off (503)
    #[arg(long, env = "MUSTER_BODY_MEMORY_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(16..=65_536))]
    body_memory_mib: u32,
    #[command(flatten)]
    proxies: proxies::Options,
    #[command(flatten)]
    pacing: pacing::Options,
    #[command(flatten)]
    retention: retention::Options,
    /// How much to log: error, warn, info, debug (a line for each request) or trace
    #[arg(long, env = "MUSTER_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: Level,
    /// How to write the log: as text for people, or as a JSON object a line
    #[arg(long, env = "MUSTER_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Log a line for each request: its id, method, path, status, caller and time, without query and body
    #[arg(long, env = "MUSTER_ACCESS_LOG", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    access_log: bool,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// How.
    pub format: LogFormat,
    /// Whether each request has a line.
    pub access: bool,
}

impl Options {
    /// What to log, and how.
    pub fn log(&self) -> Log {
        Log { level: self.log_level, format: self.log_format, access: self.access_log }
    }
}

/// Why the server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The storage cannot be used.
    #[error("cannot use the storage")]
    Storage(#[source] StorageError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("cannot use the TLS certificate")]
    Tls(#[source] super::tls::TlsError),
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// What the installation is called cannot be read or written down.
    #[error("cannot read or write down what the installation is called")]
    Installation(#[source] StoreError),
    /// The first account cannot be made.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Serves until it is told to stop.
pub async fn run(options: Options) -> Result<(), ServeError> {
    let certificate = match (&options.tls_certificate, &options.tls_key) {
        (Some(chain), Some(key)) => Some(Certificate::read(chain, key).map_err(ServeError::Tls)?),
        _ => None,
    };
    let address = options.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
    let address = listener.local_addr().map_err(|source| ServeError::Listen { address, source })?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let public_url = options.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    // The lock of an embedded storage is held until the end.
    let (app, kept) = open(&options, public_url).await?;
    installations::begin(&app, options.also_known_as.clone()).await.map_err(ServeError::Installation)?;
    accounts::first(&app, kept.data()).await?;
    let readings = Readings::of(&app).await;
    if certificate.is_none() && !address.ip().is_loopback() {
        tracing::warn!("Serving plain HTTP beyond loopback: put a TLS proxy in front, agents refuse plain HTTP.");
    }
    // Before it says so: whoever waits for the line may stop it at once.
    let (stop, hangups) = (stop_signal(), unix::signal(unix::SignalKind::hangup()));
    tracing::info!("Serving {} on {address}.", app.settings.public_url);
    let ticking = tokio::spawn(tick_until(app.clone(), readings, stop.clone()));
    let checking = tokio::spawn(check_until(app.clone(), stop.clone()));
    let limits = Limits::of(options.max_connections);
    let tls = certificate.map(|certificate| Tls::new(certificate, hung_up(hangups)));
    serve(&app, (listener, tls), limits, options.proxies.trusted(), stop).await;
    ticking.abort();
    checking.abort();
    tracing::info!("Stopped.");
    Ok(())
}

/// The pacing of a process that holds polls for so long.
fn held(max_hold_seconds: Option<u32>) -> Pacing {
    let pacing = Pacing::default();
    Pacing { max_hold_seconds: max_hold_seconds.unwrap_or(pacing.max_hold_seconds), ..pacing }
}

/// Opens the storage, and sees that it is there.
async fn open(options: &Options, public_url: String) -> Result<(App, Kind), ServeError> {
    let pacing = options.pacing.applied_to(held(options.max_hold_seconds)).map_err(ServeError::Setting)?;
    let storage = options.storage.open().await.map_err(ServeError::Storage)?;
    // Other processes write to a shared storage without this one hearing of it.
    let pacing = Pacing { look_again_seconds: u32::from(storage.is_shared()), ..pacing };
    let token_secret = storage.token_secret().await.map_err(ServeError::Storage)?;
    storage.check().await.map_err(ServeError::Storage)?;
    let settings = Settings {
        public_url,
        console_url: String::new(),
        token_secret,
        pacing,
        retention: options.retention.retention(),
        max_target_bytes: super::MAX_TARGET_BYTES,
        max_blob_part_bytes: None,
        body_memory_bytes: usize::try_from(options.body_memory_mib).unwrap_or(usize::MAX).saturating_mul(1024 * 1024),
    };
    Ok((App::new(storage.table, storage.blobs, Arc::new(SteadyClock::default()), settings), storage.kind))
}

async fn serve(
    app: &App,
    (listener, tls): (TcpListener, Option<Tls>),
    limits: Limits,
    proxies: TrustedProxies,
    mut stop: watch::Receiver<bool>,
) {
    let service = Service { router: router(app), held: app.held.clone(), limits, proxies };
    let serving = connections::serve(listener, tls, service, stop.clone());
    let overdue = async {
        drop(stop.wait_for(|stop| *stop).await);
        app.drain();
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = serving => {}
        () = overdue => {}
    }
}

#[cfg(feature = "console")]
fn router(app: &App) -> Router {
    if !console::is_there() {
        tracing::info!("{}", console::MISSING);
    }
    api::router_beside(app, any(console::serve))
}

#[cfg(not(feature = "console"))]
fn router(app: &App) -> Router {
    api::router(app)
}

async fn tick_until(app: App, mut readings: Readings, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut walks = true;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match readings.tick(&app).await {
            Ok(done) => walks = walks && (done.due > WALKS_BELOW || walk(&app).await),
            Err(error) => tracing::error!("The tick failed: {}", chain(&error)),
        }
    }
}

/// A step. Whether there is more to do. What a step finds comes due at once, and must not be before the duties of the day.
async fn walk(app: &App) -> bool {
    tick::walk::step(app).await.unwrap_or_else(|error| {
        tracing::warn!("Records of before are left to the next tick: {}", chain(&error));
        true
    })
}

async fn check_until(app: App, mut stop: watch::Receiver<bool>) {
    let daily = async {
        loop {
            tick::integrity::check(&app).await;
            tokio::time::sleep(INTEGRITY).await;
        }
    };
    tokio::select! {
        () = daily => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// Turns true at SIGTERM or Ctrl-C.
fn stop_signal() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    // Watched from here on, and not only when the task first runs: until then the signal would end the process at once.
    let [terminate, interrupt] = [unix::SignalKind::terminate(), unix::SignalKind::interrupt()].map(unix::signal);
    tokio::spawn(async move {
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
        }
        stop.send_replace(true);
        // The sender must stay alive, or the receivers see its end.
        stop.closed().await;
    });
    stopped
}

/// Notified at each SIGHUP, which means to look at files again and does not end the server.
fn hung_up(hangups: io::Result<unix::Signal>) -> Arc<Notify> {
    let hung_up = Arc::new(Notify::new());
    let told = hung_up.clone();
    tokio::spawn(async move {
        let Ok(mut hangups) = hangups else { return };
        while hangups.recv().await.is_some() {
            told.notify_one();
        }
    });
    hung_up
}

async fn received(signal: io::Result<unix::Signal>) {
    match signal {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}
