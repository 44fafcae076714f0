//! `serve`: one process with the embedded store. Holds polls, runs the tick, speaks TLS itself.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, serve::ListenerExt};
use muster_domain::pacing::Pacing;
use muster_schemas::{
    access::{Role, UserRequest},
    envelopes::hex,
    secrets::Secret,
};
use tokio::{net::TcpListener, signal::unix, sync::watch};

use super::tls::{Certificate, TlsListener};
use crate::{
    advance::Cause,
    api::{self, problem::chain, users},
    app::{App, Settings},
    blobs::directory::Directory,
    clock::SystemClock,
    store::sqlite::SqliteTable,
    tick,
};

/// How often the tick runs.
const TICK: Duration = Duration::from_secs(10);
/// How long requests may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// The account that the first start makes.
const ADMIN: &str = "admin";

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to listen
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where everything is kept; made if it is not there
    #[arg(long, env = "MUSTER_DATA", default_value = "muster-data")]
    data: PathBuf,
    /// The URL that hosts and people know the server by [default: made from --listen]
    #[arg(long, env = "MUSTER_PUBLIC_URL")]
    public_url: Option<String>,
    /// The TLS certificate with its chain, PEM; read again when it changes
    #[arg(long, env = "MUSTER_TLS_CERTIFICATE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The TLS certificate's private key, PEM
    #[arg(long, env = "MUSTER_TLS_KEY", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// After how many seconds without a word a host counts as offline
    #[arg(long, env = "MUSTER_OFFLINE_AFTER_SECONDS", default_value_t = Pacing::default().offline_after_seconds)]
    offline_after_seconds: u32,
}

/// Why the server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory cannot be used.
    #[error("cannot use {path}")]
    Data {
        /// Which path.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
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
    /// The first account cannot be made.
    #[error("cannot make the account {ADMIN}: {0}")]
    Admin(String),
    /// The server broke off.
    #[error("the server broke off")]
    Broken(#[source] io::Error),
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
    let app = open(&options, public_url.trim_end_matches('/').to_owned())?;
    first_admin(&app).await?;
    if certificate.is_none() && !address.ip().is_loopback() {
        tracing::warn!("Serving without TLS beyond loopback: put a TLS proxy in front, agents refuse plain http.");
    }
    tracing::info!("Serving {} on {address}.", app.settings.public_url);
    let stop = stop_signal();
    let ticking = tokio::spawn(tick_until(app.clone(), stop.clone()));
    let router = api::router(&app);
    match certificate {
        Some(certificate) => serve(app, router, TlsListener::new(listener, certificate), stop).await?,
        // An answer is one small packet: it must not wait for the next.
        None => serve(app, router, listener.tap_io(|stream| drop(stream.set_nodelay(true))), stop).await?,
    }
    ticking.abort();
    tracing::info!("Stopped.");
    Ok(())
}

/// Opens everything below the data directory.
fn open(options: &Options, public_url: String) -> Result<App, ServeError> {
    let pacing = Pacing { offline_after_seconds: options.offline_after_seconds, ..Pacing::default() };
    // Presence is written at check-ins only, so that the longest silence of a healthy host is both together.
    let least = pacing.presence_write_seconds + pacing.max_hold_seconds;
    if pacing.offline_after_seconds <= least {
        return Err(ServeError::Setting(format!("--offline-after-seconds must be above {least}")));
    }
    let data = |path: &Path, source: Box<dyn std::error::Error + Send + Sync>| ServeError::Data {
        path: path.to_owned(),
        source,
    };
    let directory = &options.data;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| data(directory, error.into()))?;
    let file = directory.join("muster.sqlite");
    let table = SqliteTable::open(&file).map_err(|error| data(&file, error.into()))?;
    let root = directory.join("blobs");
    let blobs = Directory::open(&root).map_err(|error| data(&root, error.into()))?;
    let file = directory.join("token.key");
    let token_secret = token_secret(&file).map_err(|error| data(&file, error.into()))?;
    let settings = Settings { public_url, token_secret, pacing, max_target_bytes: 512 * 1024 * 1024 };
    Ok(App::new(Arc::new(table), Arc::new(blobs), Arc::new(SystemClock), settings))
}

/// The secret that signs access tokens: made by the first start. Losing it costs every host one more request.
fn token_secret(path: &Path) -> io::Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 64 => return Ok(Secret::new(text.trim())),
        Ok(_) => return Err(io::Error::other("it is too short to be a secret; remove it to have a new one made")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text = hex(&rand::random::<[u8; 32]>());
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(Secret::new(text))
}

/// The first start makes the account `admin`.
async fn first_admin(app: &App) -> Result<(), ServeError> {
    let broken = |failure: api::problem::Failure| match failure {
        api::problem::Failure::Refused(problem) => ServeError::Admin(problem.to_string()),
        api::problem::Failure::Broken(error) | api::problem::Failure::Unavailable(error) => {
            ServeError::Admin(chain(&*error))
        }
    };
    let existing = crate::api::lists::List::all("users").find::<users::Account>(app, |_| true).await.map_err(broken)?;
    if existing.is_some() {
        return Ok(());
    }
    let given = std::env::var("MUSTER_ADMIN_PASSWORD").ok().filter(|password| !password.is_empty());
    let password = given.clone().unwrap_or_else(|| hex(&rand::random::<[u8; 12]>()));
    let request = UserRequest { username: ADMIN.into(), password: Secret::new(password.clone()), role: Role::Admin };
    users::add(app, &Cause { actor: "first start".into(), request_id: String::new() }, request)
        .await
        .map_err(broken)?;
    if given.is_none() {
        // To the terminal and not to the log: it is told this once.
        drop(writeln!(io::stderr(), "The account {ADMIN} has the password {password}"));
    }
    Ok(())
}

async fn serve<L>(app: App, router: Router, listener: L, stop: watch::Receiver<bool>) -> Result<(), ServeError>
where
    L: axum::serve::Listener,
    L::Addr: std::fmt::Debug,
{
    let mut told = stop.clone();
    let draining = async move {
        drop(told.wait_for(|stop| *stop).await);
        app.drain();
    };
    // As a maker of services: a plain router is copied for each connection, 18 KiB of it.
    let serving = axum::serve(listener, router.into_make_service()).with_graceful_shutdown(draining);
    let mut told = stop;
    let overdue = async {
        drop(told.wait_for(|stop| *stop).await);
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        done = serving => done.map_err(ServeError::Broken),
        () = overdue => Ok(()),
    }
}

async fn tick_until(app: App, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = tick::run(&app).await {
            tracing::error!("The tick failed: {}", chain(&error));
        }
    }
}

/// Turns true at SIGTERM or Ctrl-C.
fn stop_signal() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let terminated = async {
            match unix::signal(unix::SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.send_replace(true);
        // Somebody must keep the sender, or the receivers see the end of it.
        stop.closed().await;
    });
    stopped
}
