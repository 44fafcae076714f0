//! Access tokens of hosts: got with a proof of the host's key, and good for a quarter of an hour.

use axum::{body::Body, http::Method};
use muster_schemas::{check_ins::AssertionClaims, problems::ProblemCode};
use muster_tests::world::{Host, PUBLIC_URL, World, request};

fn claims(world: &World, host: &Host) -> AssertionClaims {
    let now = world.now().as_second();
    let aud = PUBLIC_URL.into();
    AssertionClaims { iss: host.id(), sub: host.id(), aud, iat: now, exp: now + 60, jti: "1".into() }
}

#[tokio::test]
async fn an_access_token_is_good_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    let caller = host.caller().await;
    let request = host.check_in_request();
    world.moves(899);
    caller.post("/api/v1/agent/check-in", &request).await.is(200);
    world.moves(1);
    caller.post("/api/v1/agent/check-in", &request).await.refused(ProblemCode::Unauthorized);
    host.asks().await.is(200);
}

#[tokio::test]
async fn an_assertion_that_proves_nothing_gets_no_token() {
    let world = World::new().await;
    let (host, other) = (world.host("one").await, world.host("other").await);
    let good = claims(&world, &host);
    let wrong = [
        other.signs(&good),
        host.signs(&AssertionClaims { sub: other.id(), ..good.clone() }),
        host.signs(&AssertionClaims { iss: other.id(), ..good.clone() }),
        host.signs(&AssertionClaims { iss: other.id(), sub: other.id(), ..good.clone() }),
        host.signs(&AssertionClaims { aud: "https://evil.test".into(), ..good.clone() }),
        host.signs(&AssertionClaims { exp: good.iat + 61, ..good.clone() }),
        host.signs(&AssertionClaims { iat: good.iat - 300, exp: good.iat - 240, ..good.clone() }),
        host.signs(&AssertionClaims { iat: good.iat + 300, exp: good.iat + 360, ..good.clone() }),
        host.signs(&AssertionClaims { iat: i64::MIN, exp: i64::MAX, ..good.clone() }),
        host.signs(&AssertionClaims { iat: i64::MAX, exp: i64::MIN, ..good.clone() }),
        host.signs(&AssertionClaims { iat: i64::MIN, exp: i64::MIN + 1, ..good.clone() }),
        host.signs(&AssertionClaims { exp: i64::MAX, ..good.clone() }),
        "a.b.c".into(),
        String::new(),
    ];
    for (place, assertion) in wrong.into_iter().enumerate() {
        let answer = host.asks_for_token(&assertion).await;
        assert_eq!(answer.status, 401, "assertion {place}: {}", answer.text());
        answer.refused(ProblemCode::Unauthorized);
    }
    host.asks_for_token(&host.signs(&good)).await.is(200);
}

#[tokio::test]
async fn a_token_of_a_host_opens_no_route_of_operators_and_the_other_way_round() {
    let world = World::new().await;
    let mut host = world.host("one").await;
    host.caller().await.get("/api/v1/hosts").await.refused(ProblemCode::Unauthorized);
    let request = host.check_in_request();
    world.admin().await.post("/api/v1/agent/check-in", &request).await.refused(ProblemCode::Unauthorized);
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused() {
    let world = World::new().await;
    let form = async |bytes: &[u8]| {
        let request = request(Method::POST, "/oauth/token").body(Body::from(bytes.to_vec())).unwrap();
        world.nobody().sends(request).await
    };
    for bytes in [&b""[..], b"grant_type=x", b"\xff", b"a b", b"%", b"grant_type=client_credentials&x=#"] {
        let status = form(bytes).await.status;
        assert!(status == 400 || status == 422, "{status}: {bytes:?}");
    }
}
