//! The gateway: what a request becomes, what comes back, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::{sync::Arc, time::Duration};

use harness::{Answer, echo, front, function, send};
use muster_function_host::{Front, Function, Limits};
use serde_json::json;

const MOMENT: Duration = Duration::from_millis(200);

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, String::from_utf8(answer.body.clone()).unwrap())
}

fn broken() -> (u16, String) {
    (502, r#"{"message":"Internal Server Error"}"#.into())
}

#[tokio::test]
async fn the_function_sees_the_request_as_it_came_and_its_answer_arrives_whole() {
    let front = front(function(Limits::default())).await;
    let headers = ["Cookie: a=1; b=2", "X-Two: 1", "x-two: 2", "content-type: application/json"];
    let answer = send(front.address(), "PATCH /files/a%2Fb%20c?q=%2F&q=", &headers, "{\"ä\":1}".as_bytes()).await;

    assert_eq!((answer.status, answer.all("content-type")), (200, vec!["application/json"]));
    assert_eq!(answer.all("set-cookie"), ["one=1; HttpOnly", "two=2"]);
    assert_eq!(answer.all("content-length"), [answer.body.len().to_string()]);

    let event = answer.json();
    assert_eq!((&event["version"], &event["rawPath"]), (&json!("2.0"), &json!("/files/a%2Fb%20c")));
    assert_eq!((&event["rawQueryString"], &event["cookies"]), (&json!("q=%2F&q="), &json!(["a=1", "b=2"])));
    assert_eq!((&event["headers"]["x-two"], &event["body"]), (&json!("1,2"), &json!("{\"ä\":1}")));
    let context = &event["requestContext"];
    assert_eq!((&context["domainName"], &context["http"]["method"]), (&json!("api.example.org"), &json!("PATCH")));
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
}

#[tokio::test]
async fn a_binary_body_survives_both_ways() {
    let front = front(function(Limits::default())).await;
    let body: Vec<u8> = (0..=255).collect();
    let answer = send(front.address(), "PUT /bytes", &["content-type: application/octet-stream"], &body).await;
    assert_eq!((answer.status, answer.body), (200, body));
}

#[tokio::test]
async fn whatever_goes_wrong_behind_the_gateway_looks_the_same_before_it() {
    let front = front(function(Limits { time: MOMENT, ..Limits::default() })).await;
    for path in ["/die", "/error", "/big", "/sleep/60000"] {
        assert_eq!(refused(&send(front.address(), &format!("GET {path}"), &[], b"").await), broken(), "{path}");
        assert_eq!(send(front.address(), "GET /", &[], b"").await.status, 200, "after {path}");
    }
}

#[tokio::test]
async fn a_function_that_does_not_start_is_a_broken_gateway() {
    let function = Arc::new(Function::new(echo(&[("ECHO_INIT_ERROR", "no table")]), Limits::default()));
    let front = front(function.clone()).await;
    assert_eq!(refused(&send(front.address(), "GET /", &[], b"").await), broken());
    assert!(function.last_init_error().unwrap().contains("no table"));
}

#[tokio::test]
async fn a_body_or_an_event_that_is_too_large_is_refused() {
    let front = front(function(Limits::default())).await;
    let too_large = (413, r#"{"message":"Request Entity Too Large"}"#.into());
    for size in [5_000_000, 10 * 1024 * 1024 + 1] {
        let answer = send(front.address(), "PUT /", &[], &vec![0; size]).await;
        assert_eq!(refused(&answer), too_large, "5 MB in base64 are too much, too: {size}");
    }
    assert_eq!(send(front.address(), "PUT /", &["content-type: text/plain"], &vec![b'x'; 5_000_000]).await.status, 200);
}

#[tokio::test]
async fn the_gateway_does_not_wait_as_long_as_the_function_may_take() {
    let front = Front::start("127.0.0.1:0".parse().unwrap(), function(Limits::default()), MOMENT).await.unwrap();
    let answer = send(front.address(), "GET /sleep/60000", &[], b"").await;
    assert_eq!(refused(&answer), (504, r#"{"message":"Endpoint request timed out"}"#.into()));
}

#[tokio::test]
async fn a_caller_whose_turn_does_not_come_is_told_so() {
    let limits = Limits { max_concurrency: 1, turn: Duration::ZERO, ..Limits::default() };
    let front = front(function(limits)).await;
    let first = send(front.address(), "GET /sleep/1000", &[], b"");
    let second = async {
        tokio::time::sleep(MOMENT).await;
        send(front.address(), "GET /", &[], b"").await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.status, refused(&second)), (200, (429, r#"{"message":"Too Many Requests"}"#.into())));
}
