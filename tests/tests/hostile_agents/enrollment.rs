//! Joining: one seat is one host, and nobody joins as somebody else.

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use muster_domain::hosts::Host as Record;
use muster_schemas::{enrollment::EnrollResponse, problems::ProblemCode};
use muster_tests::world::{Host, json_request};
use serde_json::{Value, json};

use crate::scene::{SECRET, Scene, keeps_the_secret};

const ENROLL: &str = "/api/v1/agent/enroll";

#[tokio::test]
async fn a_token_takes_as_many_hosts_as_it_has_seats_however_often_and_at_once_it_is_used() {
    let scene = Scene::new().await;
    let token = scene.world.token(3).await;
    let mut horde = (0..200).map(|number| Host::new(&scene.world, &format!("sybil_{number}"))).collect::<Vec<_>>();
    let answers = join_all(horde.iter_mut().map(|host| host.joins(token.token.reveal()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        keeps_the_secret(answer).refused(ProblemCode::EnrollmentTokenInvalid);
    }
    assert_eq!(scene.world.all::<Record>("hosts").await.len(), 2 + 3);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn joining_with_another_hosts_public_key_changes_nothing_of_it_and_gets_nothing_of_it() {
    let scene = Scene::new().await;
    let body = json!({ "labels": { "site": "hostile" } });
    let token = scene.world.admin().await.post("/api/v1/enrollment-tokens", &body).await.is(201).value();
    let body = json!({ "enrollment_token": token["token"], "public_key": scene.victim.public_key(),
        "facts": { "hostname": "hostile", "os": "plan9" } });
    for _ in 0..3 {
        let answer = keeps_the_secret(scene.world.nobody().post(ENROLL, &body).await.is(201));
        assert_eq!(answer.json::<EnrollResponse>().host_id, scene.victim.id());
    }
    let seen = scene.world.sees_host(scene.victim.id()).await;
    assert_eq!((seen.name.as_str(), seen.labels.len(), seen.facts.kernel.as_str()), ("victim", 0, SECRET));
    // Its id is no secret; its key is.
    let mut claims = json!({ "iss": seen.id, "sub": seen.id, "aud": "https://muster.test", "jti": "1" });
    (claims["iat"], claims["exp"]) = (json!(scene.world.now().as_second()), json!(scene.world.now().as_second() + 60));
    let forged = scene.hostile.signs(&serde_json::from_value(claims).unwrap());
    scene.hostile.asks_for_token(&forged).await.refused(ProblemCode::Unauthorized);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_public_key_that_anybody_could_sign_for_or_that_is_none_joins_nobody() {
    let scene = Scene::new().await;
    let token = scene.world.token(100).await;
    let hexadecimal = |text: &str| {
        let bytes = (0..32).map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap());
        URL_SAFE_NO_PAD.encode(bytes.collect::<Vec<_>>())
    };
    // The points of small order, in all their encodings.
    let weak = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let key = scene.hostile.public_key();
    let standard = format!("{}+/", &key[..41]);
    let odd = [
        String::new(),
        "AAAA".into(),
        URL_SAFE_NO_PAD.encode([7; 31]),
        URL_SAFE_NO_PAD.encode([7; 33]),
        URL_SAFE_NO_PAD.encode([2; 32]),
        format!("{key}="),
        format!(" {key}"),
        format!("{key}\n"),
        format!("{key}\u{0}"),
        standard,
        "ü".repeat(43),
        "A".repeat(70_000),
        format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----"),
    ];
    for key in weak.into_iter().map(hexadecimal).chain(odd) {
        let body = json!({ "enrollment_token": token.token, "public_key": key, "facts": {} });
        let answer = scene.world.nobody().post(ENROLL, &body).await;
        assert_eq!(answer.refused(ProblemCode::Invalid).field.as_deref(), Some("public_key"), "{key}");
    }
    assert_eq!(scene.world.all::<Record>("hosts").await.len(), 2);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_token_of_another_kind_or_half_a_token_takes_nobody() {
    let mut scene = Scene::new().await;
    let good = scene.world.token(1).await.token.reveal().to_owned();
    let access = scene.hostile.caller().await.header("authorization").unwrap()[7..].to_owned();
    let wrong = [
        access,
        scene.hostile.assertion(),
        scene.world.admin().await.header("authorization").unwrap()[7..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}0"),
        good.to_uppercase(),
        good.replace("met_", "mst_"),
        format!("{}{}", &good[..40], &good[40..].chars().rev().collect::<String>()),
        "met_".into(),
        "met_%".into(),
        "met_\u{0}".into(),
        "x".repeat(15_000),
    ];
    for wrong in wrong {
        let body =
            json!({ "enrollment_token": wrong, "public_key": Host::new(&scene.world, "x").public_key(), "facts": {} });
        keeps_the_secret(scene.world.nobody().post(ENROLL, &body).await).refused(ProblemCode::EnrollmentTokenInvalid);
    }
    assert_eq!(scene.world.all::<Record>("hosts").await.len(), 2);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_host_that_joins_chooses_neither_its_id_nor_its_labels_nor_its_state() {
    let scene = Scene::new().await;
    let token = scene.world.token(1).await;
    let mut body = json!({ "enrollment_token": token.token, "public_key": Host::new(&scene.world, "x").public_key(),
        "facts": { "hostname": "new", "labels": { "role": "canary" }, "id": scene.victim.id() } });
    let more = json!({ "host_id": scene.victim.id(), "id": scene.victim.id(), "labels": { "role": "canary" },
        "name": "victim", "state": "active", "session": 9, "sequence": 9, "seats": 9, "used": 0 });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = json_request(Method::POST, ENROLL, &body);
    let joined: EnrollResponse = scene.world.nobody().sends(request).await.is(201).json();
    assert_ne!(joined.host_id, scene.victim.id());
    let seen = scene.world.sees_host(joined.host_id).await;
    assert_eq!((seen.labels.len(), seen.session, seen.name.as_str()), (0, 0, "new"));
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn facts_of_a_host_that_joins_are_bounded_like_those_of_a_host() {
    let scene = Scene::new().await;
    let token = scene.world.token(1).await;
    let key = Host::new(&scene.world, "x").public_key();
    let facts: [Value; 4] = [
        json!({ "hostname": "x".repeat(70_000) }),
        json!({ "ip_addresses": vec!["x".repeat(100); 700] }),
        json!({ "disks": vec![json!({ "mount": "/", "size_bytes": u64::MAX }); 1_500] }),
        json!({ "capabilities": vec![""; 25_000] }),
    ];
    for facts in facts {
        let body = json!({ "enrollment_token": token.token, "public_key": key, "facts": facts });
        let problem = scene.world.nobody().post(ENROLL, &body).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("facts"));
    }
    let much =
        json!({ "enrollment_token": token.token, "public_key": key, "facts": { "kernel": "x".repeat(500_000) } });
    scene.world.nobody().post(ENROLL, &much).await.refused(ProblemCode::TooLarge);
    scene.stays_unharmed().await;
}
