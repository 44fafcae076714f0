//! The Runtime API, version 2018-06-01, as one process sees it. Each process has a listener of its own, so that it is
//! known whose answer comes in.
//!
//! ```text
//! process                          host
//!   GET  …/invocation/next    ──▶  Report::Asked, then held until `give`
//!   POST …/invocation/*/response ▶ Report::Answered, acknowledged when the host says so
//!   POST …/invocation/*/error ──▶  the same, with a failure
//!   POST …/init/error         ──▶  Report::NotInitialized
//! ```

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

use crate::failure::Failure;

/// What Lambda takes at most as an event and as an answer, in bytes.
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// One event for the process.
pub(crate) struct Invocation {
    pub id: String,
    pub function_arn: String,
    /// When the time limit is reached, in milliseconds since 1970.
    pub deadline: i64,
    pub event: Bytes,
}

/// What the process did.
pub(crate) enum Report {
    Asked(Instant),
    /// The process hears that its answer has come once something is sent.
    Answered(Result<Bytes, Failure>, oneshot::Sender<()>),
    NotInitialized(String),
}

/// The host's side of one process's Runtime API.
pub(crate) struct RuntimeApi {
    pub address: SocketAddr,
    desk: Arc<Desk>,
    reports: mpsc::UnboundedReceiver<Report>,
    serving: JoinHandle<()>,
}

impl RuntimeApi {
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, reports) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            reports: sender,
            waiting: Mutex::default(),
            given: Mutex::default(),
            arrival: Notify::new(),
        });
        let router = router(desk.clone());
        // Without it every answer waits for the other side's delayed acknowledgement: 40 ms.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let serving = tokio::spawn(async { drop(axum::serve(listener, router).await) });
        Ok(Self { address, desk, reports, serving })
    }

    /// Hands an invocation to the `next` that waits, or that will come.
    pub fn give(&self, invocation: Invocation) {
        *self.desk.waiting.lock().expect(UNPOISONED) = Some(invocation);
        self.desk.arrival.notify_one();
    }

    /// Waits for what the process does.
    pub async fn report(&mut self) -> Report {
        self.reports.recv().await.expect("the desk holds the sender as long as this lives")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

/// What the routes share with the host.
struct Desk {
    reports: mpsc::UnboundedSender<Report>,
    waiting: Mutex<Option<Invocation>>,
    arrival: Notify,
    /// The id of the invocation whose answer is awaited.
    given: Mutex<Option<String>>,
}

impl Desk {
    fn report(&self, report: Report) {
        // A host that no longer listens has killed the process, or is about to.
        drop(self.reports.send(report));
    }

    async fn next(&self) -> Invocation {
        loop {
            if let Some(invocation) = self.waiting.lock().expect(UNPOISONED).take() {
                *self.given.lock().expect(UNPOISONED) = Some(invocation.id.clone());
                return invocation;
            }
            self.arrival.notified().await;
        }
    }

    /// Ends the invocation, and waits until the host allows the process to know.
    async fn settle(&self, id: &str, outcome: Result<Bytes, Failure>) -> Response {
        let given = self.given.lock().expect(UNPOISONED).take_if(|given| given == id);
        if given.is_none() {
            return refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
        }
        let too_large = outcome == Err(Failure::AnswerTooLarge);
        let (acknowledge, acknowledged) = oneshot::channel();
        self.report(Report::Answered(outcome, acknowledge));
        drop(acknowledged.await);
        if too_large {
            let message = format!("Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
        }
        accepted()
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(desk)
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    desk.report(Report::Asked(Instant::now()));
    let Invocation { id, function_arn, deadline, event } = desk.next().await;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-trace-id", format!("Root=1-{};Sampled=0", &id[..8])),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", function_arn),
    ];
    (headers, event).into_response()
}

async fn response(State(desk): State<Arc<Desk>>, Path(id): Path<String>, body: Bytes) -> Response {
    let outcome = if body.len() > PAYLOAD_LIMIT { Err(Failure::AnswerTooLarge) } else { Ok(body) };
    desk.settle(&id, outcome).await
}

async fn error(State(desk): State<Arc<Desk>>, Path(id): Path<String>, body: Bytes) -> Response {
    desk.settle(&id, Err(Failure::Reported(String::from_utf8_lossy(&body).into_owned()))).await
}

async fn init_error(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    desk.report(Report::NotInitialized(String::from_utf8_lossy(&body).into_owned()));
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(serde_json::json!({ "status": "OK" }))).into_response()
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "errorType": kind, "errorMessage": message }))).into_response()
}
