//! Connections: how many there are at once, and how long one may stay silent (slow loris). A caller that opens thousands of
//! them and sends nothing, or half a request, or never reads an answer, keeps nobody out.
//!
//! A connection that waits for its caller (for a request, for the rest of one, or for an answer to be read) can be taken
//! back for another one; one whose request is being served cannot. But if every one is being served, whoever has the most held
//! requests is answered early, and gives way. How long a body may take, the handler that reads it knows.

mod patience;
mod seats;

use std::{convert::Infallible, io, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use self::{
    patience::PatientStream,
    seats::{ArrivingBody, Seat, Seats},
};
use super::tls::Tls;
use crate::{
    api::{
        edge::AGENT_PATHS,
        identity::addresses::{ClientAddress, TrustedProxies},
    },
    held::HeldRequests,
};

/// The largest head of a request, in bytes; and how much of a body is in memory before somebody reads it.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How long browsers come by TLS alone: a year.
const BY_TLS_ALONE: &str = "max-age=31536000";

/// How many files the server has open for itself: the store, blobs on their way, its listener.
const FILES_OF_ITS_OWN: usize = 128;

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many there are at once. For another one, that goes which has been waiting for its caller the longest.
    pub most: usize,
    /// How long a caller may take from the end of an answer to the end of the next request's head.
    pub head: Duration,
    /// How long a caller may take to read more of an answer.
    pub stall: Duration,
}

impl Limits {
    /// So many connections, as far as there may be open files for them and for the server itself. Clients keep idle
    /// connections for 90 seconds, mostly, and are to be the first to close them.
    pub fn of(most: u32) -> Self {
        let files = open_files().saturating_sub(FILES_OF_ITS_OWN).max(FILES_OF_ITS_OWN);
        let most = files.min(usize::try_from(most).unwrap_or(usize::MAX));
        Self { most, head: Duration::from_mins(2), stall: Duration::from_mins(1) }
    }
}

/// How many this process may have from now on: as many as it is allowed at all.
fn open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Refused where nobody may change limits: then those stay that are.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let limit = if raised.is_ok() { maximum } else { current };
    limit.map_or(1 << 20, |limit| usize::try_from(limit).unwrap_or(usize::MAX)).min(1 << 20)
}

/// What the callers are given.
pub struct Service {
    /// The routes.
    pub router: Router,
    /// The requests that the routes hold, of which some are let go when every connection is taken.
    pub held: HeldRequests,
    /// Limits of connections.
    pub limits: Limits,
    /// The proxies that are believed when they say who calls.
    pub proxies: TrustedProxies,
}

/// Serves everybody who comes until it is told to stop, and then those who are being served.
pub async fn serve(listener: TcpListener, tls: Option<Tls>, service: Service, stop: watch::Receiver<bool>) {
    let Service { router, held, limits, proxies } = service;
    let router = if tls.is_some() { over_tls(router) } else { router };
    let (proxies, seats, connections) = (Arc::new(proxies), Seats::new(limits.most, held), TaskTracker::new());
    let mut told = stop.clone();
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // An answer is one small packet: it must not wait for the next.
                    drop(stream.set_nodelay(true));
                    let seat = Arc::new(seats.take().await);
                    let origin = Origin { peer: peer.ip(), proxies: Arc::clone(&proxies) };
                    let served = (router.clone(), limits);
                    connections.spawn(attend((stream, origin), tls.clone(), served, seat, stop.clone()));
                }
                // Out of file descriptors, mostly: let some close.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = told.wait_for(|stop| *stop) => {}
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Where the requests of a connection come from.
#[derive(Clone)]
struct Origin {
    peer: IpAddr,
    proxies: Arc<TrustedProxies>,
}

async fn attend(
    (stream, origin): (TcpStream, Origin),
    tls: Option<Tls>,
    (router, limits): (Router, Limits),
    seat: Arc<Seat>,
    stop: watch::Receiver<bool>,
) {
    let taken_back = Arc::clone(&seat);
    let attended = async {
        let Some(tls) = tls else { return converse((stream, origin), router, limits, seat, stop).await };
        // A caller that fails the handshake is dropped; nothing was asked yet.
        if let Some(stream) = tls.shakes(stream).await {
            converse((stream, origin), router, limits, seat, stop).await;
        }
    };
    tokio::select! {
        () = attended => {}
        () = taken_back.is_taken_back() => {}
    }
}

/// The same routes, whose answers tell browsers to come by TLS alone from now on (HSTS).
fn over_tls(router: Router) -> Router {
    router.layer(middleware::from_fn(async |request: Request, next: Next| {
        let is_of_hosts = request.uri().path().starts_with(AGENT_PATHS);
        let mut answer = next.run(request).await;
        if !is_of_hosts {
            answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(BY_TLS_ALONE));
        }
        answer
    }))
}

/// Request after request.
async fn converse<I>(
    (stream, origin): (I, Origin),
    router: Router,
    limits: Limits,
    seat: Arc<Seat>,
    mut stop: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let client = origin.proxies.client(origin.peer, request.headers());
        answer(router.clone(), Arc::clone(&seat), client, request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD_BYTES);
    let stream = TokioIo::new(PatientStream::new(stream, limits.stall));
    let mut conversation = std::pin::pin!(builder.serve_connection(stream, service));
    tokio::select! {
        // A caller that goes away or says nonsense is no news.
        _ = conversation.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    conversation.as_mut().graceful_shutdown();
    drop(conversation.await);
}

async fn answer(
    router: Router,
    seat: Arc<Seat>,
    client: ClientAddress,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(|body| Body::new(ArrivingBody::new(body, Arc::clone(&seat))));
    request.extensions_mut().insert(client);
    let answered = router.oneshot(request).await;
    seat.waits();
    answered
}

/// A piece of a body, or why there is none.
type Piece = Result<http_body::Frame<Bytes>, hyper::Error>;

/// A caller that takes too long.
fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the caller does not read its answer")
}
