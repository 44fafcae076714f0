//! The gateway before a function: HTTP in, HTTP out, with the gateway's own limits and refusals.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use crate::{
    answers,
    events::{self, Caller},
    failure::Failure,
    function::{Function, request_id},
};

/// How long the gateway waits for a function, from the last byte of the request on.
pub const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest body the gateway takes, in bytes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Up to here a body that is too large is read to its end, so that the refusal reaches a caller who is still writing.
const READ_LIMIT: usize = 8 * BODY_LIMIT;

/// A gateway on an address of this machine. It stops its function when it is dropped.
pub struct Front {
    address: SocketAddr,
    function: Arc<Function>,
    _open: oneshot::Sender<()>,
}

impl Front {
    /// Listens on `address`, where port 0 stands for any. It waits for the function as long as `patience` lasts.
    pub async fn start(address: SocketAddr, function: Arc<Function>, patience: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let gateway = Gateway { function: function.clone(), port: address.port(), patience };
        let service =
            Router::new().fallback(pass_on).with_state(gateway).into_make_service_with_connect_info::<SocketAddr>();
        let (open, closed) = oneshot::channel::<()>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(async { drop(closed.await) });
        tokio::spawn(async { drop(serving.await) });
        Ok(Self { address, function, _open: open })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.function.stop();
    }
}

#[derive(Clone)]
struct Gateway {
    function: Arc<Function>,
    port: u16,
    patience: Duration,
}

async fn pass_on(
    State(gateway): State<Gateway>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body) = to_bytes(body, READ_LIMIT).await.ok().filter(|body| body.len() <= BODY_LIMIT) else {
        return refusal(&Failure::EventTooLarge);
    };
    let caller = Caller { peer, port: gateway.port, request_id: request_id(), at: Timestamp::now() };
    let event = events::event(&parts, &body, &caller).to_string();
    match timeout(gateway.patience, gateway.function.invoke(event.into())).await {
        Ok(Ok(answer)) => answers::response(&answer).unwrap_or_else(broken),
        Ok(Err(failure)) => refusal(&failure),
        Err(_) => message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
    }
}

fn refusal(failure: &Failure) -> Response {
    match failure {
        Failure::EventTooLarge => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Failure::Throttled => message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
        Failure::AnswerTooLarge
        | Failure::NotInitialized(_)
        | Failure::Died(_)
        | Failure::TimedOut
        | Failure::Reported(_)
        | Failure::Stopped => broken(),
    }
}

fn broken() -> Response {
    message(StatusCode::BAD_GATEWAY, "Internal Server Error")
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "message": text }))).into_response()
}
