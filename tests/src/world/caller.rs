//! Who calls, and what comes back. Every answer of every test is checked: below 500, and a well-formed problem if it is one.

use std::{net::IpAddr, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, header, request::Builder},
};
use http_body_util::BodyExt;
use muster_schemas::problems::{Problem, ProblemCode};
use muster_server::api::identity::addresses::ClientAddress;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use super::World;

/// Somebody who calls the server.
#[derive(Clone)]
pub struct Caller {
    world: World,
    headers: HeaderMap,
    address: Option<IpAddr>,
}

impl Caller {
    /// Somebody without a credential.
    pub fn new(world: &World) -> Self {
        Self { world: world.clone(), headers: HeaderMap::new(), address: None }
    }

    /// The same from this address, which nobody knows otherwise.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        Self { address: Some(address.parse().unwrap()), ..self }
    }

    /// The same with a credential.
    #[must_use]
    pub fn bearing(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same at another process of the server.
    #[must_use]
    pub fn to(self, world: &World) -> Self {
        Self { world: world.clone(), ..self }
    }

    /// One of the caller's headers.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| value.to_str().unwrap().into())
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.sends(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.sends(request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    /// `DELETE` with a body.
    pub async fn erases(&self, path: &str, body: &impl Serialize) -> Answer {
        self.sends(json_request(Method::DELETE, path, body)).await
    }

    /// `POST`
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.sends(json_request(Method::POST, path, body)).await
    }

    /// `PATCH`
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Answer {
        self.sends(json_request(Method::PATCH, path, body)).await
    }

    /// `PUT` of bytes.
    pub async fn put(&self, path: &str, bytes: Vec<u8>) -> Answer {
        self.sends(request(Method::PUT, path).body(Body::from(bytes)).unwrap()).await
    }

    /// Sends a request with the caller's headers.
    pub async fn sends(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().extend(self.headers.clone());
        self.address.map(|address| request.extensions_mut().insert(ClientAddress(address)));
        let what = format!("{} {}", request.method(), request.uri());
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let mut patience = self.world.patience;
        loop {
            let request = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
            let answer = self.answer(request, &what).await;
            // Asked to come again, agents and the command line do so.
            if answer.status != 503 || patience == 0 {
                return answer.checked(self.world.is_busy);
            }
            patience -= 1;
        }
    }

    async fn answer(&self, request: Request<Body>, what: &str) -> Answer {
        let response = self.world.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, what: what.into() }
    }
}

/// A request in the making.
pub fn request(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

/// A request with a JSON body.
pub fn json_request(method: Method, path: &str, body: &impl Serialize) -> Request<Body> {
    let bytes = serde_json::to_vec(body).unwrap();
    request(method, path).header(header::CONTENT_TYPE, "application/json").body(Body::from(bytes)).unwrap()
}

/// The answer to a request that is held; that it never comes is a failure, and not a wait without end.
pub async fn answered(held: JoinHandle<Answer>) -> Answer {
    tokio::time::timeout(Duration::from_secs(10), held).await.expect("nobody answers the held request").unwrap()
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    what: String,
}

impl Answer {
    /// This status and no other.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "it asserts; what it returns is for whoever reads on")]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        self
    }

    /// Refused with this code, and with the code's own status.
    #[track_caller]
    pub fn refused(self, code: ProblemCode) -> Problem {
        assert_eq!(self.problem().code, code, "{}: {}", self.what, self.text());
        self.is(code.status()).problem()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body of a success.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert!(self.status < 300, "{}: {} {}", self.what, self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text()))
    }

    /// The body of a success, untyped.
    #[track_caller]
    pub fn value(&self) -> Value {
        self.json()
    }

    /// The body of a refusal.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        assert!(self.status >= 400, "{} was not refused: {} {}", self.what, self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text()))
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// What holds for every answer (RFC 9457, and a request id).
    fn checked(self, busy: bool) -> Self {
        assert!(self.status < 500 || (busy && self.status == 503), "{}: {} {}", self.what, self.status, self.text());
        let id = self.header("x-request-id");
        assert!(id.starts_with("req_"), "{}: the request has no id", self.what);
        if self.status >= 400 && !self.what.starts_with("HEAD ") {
            assert_eq!(self.header("content-type"), "application/problem+json", "{}: {}", self.what, self.text());
            let problem = self.problem();
            assert_eq!(problem.kind, format!("/problems/{}", problem.code));
            assert_eq!((problem.status, problem.title.as_str()), (self.status, problem.code.title()));
            assert_eq!(problem.instance.as_deref(), Some(id));
            assert_ne!(problem.code, ProblemCode::Unknown, "{}", self.text());
            let again = matches!(self.status, 429 | 503);
            assert!(!again || !self.header("retry-after").is_empty(), "{} has no Retry-After", self.what);
        }
        self
    }
}
