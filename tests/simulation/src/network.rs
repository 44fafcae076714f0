//! The network between one host and the server: slow, and at times lossy, doubling, one-way or gone.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use muster_agent::{
    sys::dice,
    transport::{ConnectionError, Transport},
};
use muster_schemas::upstreams::FailureKind;
use reqwest::{Request, Response};
use tokio::time::{Instant, sleep, timeout};

use crate::{server::Server, time::elapsed};

/// How long somebody waits for an answer who does not say.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// Of so many requests nothing arrives.
    pub lost_requests: f64,
    /// Of so many answers nothing arrives, after the server has done its work.
    pub lost_answers: f64,
    /// So many requests arrive twice, the second time up to a minute later.
    pub doubled: f64,
    /// So many callers hang up in the midst of the server's work.
    pub hung_up: f64,
    /// So many answers are somebody else's: a proxy's page.
    pub pages: f64,
}

/// How a line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Whoever calls is refused at once.
    Refused,
    /// Whoever calls hears nothing.
    Blackhole,
    /// The server hears everything, and the host nothing.
    OneWay,
}

/// One host's line. Cheap to clone: the same line.
#[derive(Clone)]
pub struct Line(Arc<Inner>);

struct Inner {
    server: Server,
    requests: reqwest::Client,
    load: Option<Load>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    faults: Faults,
    cut: Option<(Cut, Instant)>,
    /// How long a proxy on the line waits for an answer.
    patience: Option<Duration>,
    /// Requests that have reached a server, by when.
    arrived: u64,
    /// Check-ins and sessions that a running server has got.
    called: u64,
    /// Requests that were made, whatever came of them.
    tried: u64,
}

/// How many requests have reached the server, by the second.
#[derive(Clone, Default)]
pub struct Load(Arc<Mutex<BTreeMap<u64, u64>>>);

impl Load {
    /// One more, now.
    fn count(&self) {
        *self.0.lock().expect("nobody panics with it").entry(elapsed().as_secs()).or_default() += 1;
    }

    /// The busiest second of these.
    pub fn peak(&self, seconds: Range<u64>) -> u64 {
        self.0.lock().expect("nobody panics with it").range(seconds).map(|(_, count)| *count).max().unwrap_or_default()
    }
}

impl Line {
    /// A good line to this server.
    pub fn new(server: Server, requests: reqwest::Client) -> Self {
        Self(Arc::new(Inner { server, requests, load: None, state: Mutex::default() }))
    }

    /// The same, one of several whose requests are counted together.
    pub fn counted(server: Server, requests: reqwest::Client, load: Load) -> Self {
        Self(Arc::new(Inner { server, requests, load: Some(load), state: Mutex::default() }))
    }

    /// From now on the line is like this.
    pub fn has(&self, faults: Faults) {
        self.state(|state| state.faults = faults);
    }

    /// Cuts the line for a while.
    pub fn is_cut(&self, cut: Cut, span: Duration) {
        self.state(|state| state.cut = Some((cut, Instant::now() + span)));
    }

    /// A proxy on the line cuts off what is not answered within this time.
    pub fn waits(&self, patience: Duration) {
        self.state(|state| state.patience = Some(patience));
    }

    /// Nothing is wrong with it any more.
    pub fn heals(&self) {
        self.state(|state| (state.faults, state.cut) = (Faults::default(), None));
    }

    /// How many requests have reached the server.
    pub fn arrived(&self) -> u64 {
        self.state(|state| state.arrived)
    }

    /// How many sessions and check-ins a running server has got.
    pub fn called(&self) -> u64 {
        self.state(|state| state.called)
    }

    /// How many requests were made, whatever came of them.
    pub fn tried(&self) -> u64 {
        self.state(|state| state.tried)
    }

    fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.state.lock().expect("nobody panics with it"))
    }

    fn cut(&self) -> Option<Cut> {
        self.state(|state| state.cut.filter(|(_, until)| Instant::now() < *until).map(|(cut, _)| cut))
    }

    async fn carry(&self, request: Request) -> Result<Response, ConnectionError> {
        sleep(Duration::from_millis(20).mul_f64(dice::random())).await;
        let Faults { lost_requests, lost_answers, doubled, hung_up, pages } = self.state(|state| state.faults);
        let happens = |chance: f64| chance > 0.0 && dice::random() < chance;
        match self.cut() {
            Some(Cut::Refused) => return Err(broken("refused")),
            Some(Cut::Blackhole) => return never().await,
            None if happens(lost_requests) => return never().await,
            Some(Cut::OneWay) | None => {}
        }
        if happens(doubled) {
            let (line, copy) = (self.clone(), to_server(&request));
            tokio::spawn(async move {
                sleep(Duration::from_mins(1).mul_f64(dice::random())).await;
                drop(line.0.server.serve(copy).await);
            });
        }
        let asked = to_server(&request);
        let served = async {
            let path = request.url().path();
            let calls = path.ends_with("/check-in") || path.ends_with("/session");
            let running = self.0.server.is_running();
            self.state(|state| {
                state.arrived += 1;
                state.called += u64::from(running && calls);
            });
            self.0.load.iter().for_each(Load::count);
            self.0.server.serve(asked).await.ok_or_else(|| broken("the server is down"))
        };
        let answer = if happens(hung_up) {
            let patience = Duration::from_millis(40).mul_f64(dice::random());
            timeout(patience, served).await.map_err(|_| broken("hung up"))??
        } else {
            served.await?
        };
        sleep(Duration::from_millis(20).mul_f64(dice::random())).await;
        // What has set out before a line was cut does not arrive after it.
        if self.cut().is_some() || happens(lost_answers) {
            return never().await;
        }
        if happens(pages) {
            let page = axum::http::Response::builder().status(502).header("content-type", "text/html");
            return Ok(page.body("<html>Bad Gateway</html>").expect("it is a page").into());
        }
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.map_err(|_| broken("cut off"))?.to_bytes();
        Ok(axum::http::Response::from_parts(head, bytes).into())
    }
}

fn to_server(request: &Request) -> axum::http::Request<Body> {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec();
    let url = request.url();
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut made = axum::http::Request::new(Body::from(body));
    *made.method_mut() = request.method().clone();
    *made.uri_mut() = path.parse().expect("a URL's path is one");
    *made.headers_mut() = request.headers().clone();
    made
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Transport for Line {
    fn requests(&self) -> reqwest::Client {
        self.0.requests.clone()
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ConnectionError>> {
        let patience = request.timeout().copied().unwrap_or(PATIENCE);
        let proxy = self.state(|state| {
            state.tried += 1;
            state.patience.unwrap_or(Duration::MAX)
        });
        Box::pin(async move {
            let carried = async {
                timeout(proxy, self.carry(request)).await.unwrap_or_else(|_| Err(broken("the proxy cut it off")))
            };
            let carried = timeout(patience, carried).await;
            carried.unwrap_or_else(|_| Err(ConnectionError::new(FailureKind::TimedOut, "no answer in time")))
        })
    }

    fn reconnect(&self) {}
}

async fn never<T>() -> T {
    std::future::pending().await
}

fn broken(why: &'static str) -> ConnectionError {
    ConnectionError::new(FailureKind::Connection, why)
}
