//! Problems as RFC 9457 has them; their shape is checked at every answer of every test.

use axum::{
    body::Body,
    http::{Method, Request},
};
use muster_schemas::problems::ProblemCode;
use muster_tests::world::{World, request};
use serde_json::json;

#[tokio::test]
async fn an_unknown_field_in_an_operators_request_is_named() {
    let world = World::new().await;
    let host = world.host("one").await;
    let admin = world.admin().await;
    let (host, prefix) = (format!("/api/v1/hosts/{}", host.id()), "/api/v1");
    for (path, mut body) in [
        (format!("{prefix}/jobs"), json!({ "kind": "inspect" })),
        (format!("{prefix}/enrollment-tokens"), json!({})),
        (format!("{prefix}/fleet-updates"), json!({ "version": "1" })),
        (format!("{prefix}/users"), json!({ "username": "a", "password": "b", "role": "viewer" })),
        (format!("{prefix}/api-keys"), json!({ "name": "a", "role": "viewer" })),
        (format!("{prefix}/session"), json!({ "username": "a", "password": "b" })),
        (format!("{host}/readmit"), json!({ "reason": "a" })),
        (format!("{host}/update"), json!({ "version": "1" })),
    ] {
        body["lables"] = json!({});
        let problem = admin.post(&path, &body).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("lables"), "{path}: {:?}", problem.detail);
    }
    let problem = admin.patch(&host, &json!({ "nam": "x" })).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("nam"));
}

#[tokio::test]
async fn a_list_is_no_request_even_where_it_holds_the_right_members() {
    let world = World::new().await;
    let admin = world.admin().await;
    for (path, body) in [
        ("/api/v1/enrollment-tokens", json!([])),
        ("/api/v1/enrollment-tokens", json!([null, null])),
        ("/api/v1/users", json!(["somebody", "a long enough password", "viewer"])),
    ] {
        let problem = admin.post(path, &body).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("body"), "{body}");
    }
}

#[tokio::test]
async fn a_parameter_that_breaks_a_rule_is_named() {
    let world = World::new().await;
    let viewer = world.admin().await;
    for (query, field) in [
        ("jobs?limit=many", "limit"),
        ("jobs?host=web-1", "host"),
        ("hosts?state=sleepy", "state"),
        ("hosts?online=perhaps", "online"),
    ] {
        let problem = viewer.get(&format!("/api/v1/{query}")).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field), "{query}: {:?}", problem.detail);
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems_too() {
    let world = World::new().await;
    let nobody = world.nobody();
    nobody.get("/nowhere").await.refused(ProblemCode::NotFound);
    nobody.get("/api/v1/agent/enroll").await.refused(ProblemCode::MethodNotAllowed);
    nobody.delete("/api/v1/health").await.refused(ProblemCode::MethodNotAllowed);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_told_from_one_that_breaks_a_rule() {
    let world = World::new().await;
    let nobody = world.nobody();
    let send = async |kind: &str, bytes: &[u8]| {
        let request = request(Method::POST, "/api/v1/session").header("content-type", kind);
        nobody.sends(request.body(Body::from(bytes.to_vec())).unwrap()).await
    };
    send("application/json", b"{").await.refused(ProblemCode::Malformed);
    send("application/json", b"\xff\xfe").await.refused(ProblemCode::Malformed);
    send("application/json", "[".repeat(10_000).as_bytes()).await.refused(ProblemCode::Malformed);
    send("text/html", b"{}").await.refused(ProblemCode::Malformed);
    send("application/json", b"[]").await.refused(ProblemCode::Invalid);
    send("application/json", b"").await.refused(ProblemCode::Invalid);
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large() {
    let world = World::new().await;
    let long = json!({ "username": "x".repeat(1024 * 1024), "password": "" });
    world.nobody().post("/api/v1/session", &long).await.refused(ProblemCode::TooLarge);
    let form = Request::builder().method(Method::POST).uri("/oauth/token").body(Body::from(vec![b'a'; 9_000])).unwrap();
    world.nobody().sends(form).await.refused(ProblemCode::TooLarge);
}

#[tokio::test]
async fn an_id_of_another_kind_names_nothing() {
    let world = World::new().await;
    let host = world.host("one").await;
    let viewer = world.viewer().await;
    viewer.get(&format!("/api/v1/jobs/{}", host.id())).await.refused(ProblemCode::NotFound);
    viewer.get("/api/v1/hosts/..%2f..%2fetc").await.refused(ProblemCode::NotFound);
    let lower = format!("/api/v1/hosts/{}", host.id().to_string().to_lowercase());
    viewer.get(&lower).await.refused(ProblemCode::NotFound);
}

#[tokio::test]
async fn an_idempotency_key_that_cannot_be_kept_is_refused() {
    let world = World::new().await;
    let operator = world.operator().await;
    for key in [String::new(), "x".repeat(256)] {
        let caller = operator.clone().with("idempotency-key", &key);
        let problem = caller.post("/api/v1/jobs", &json!({})).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("Idempotency-Key"));
    }
}
