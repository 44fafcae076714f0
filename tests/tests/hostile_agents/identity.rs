//! Who somebody is: nobody is taken for another one, whatever they hold, sign or claim.

use axum::{body::Body, http::Method};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use muster_schemas::{check_ins::AssertionClaims, problems::ProblemCode};
use muster_server::api::{auth::Access, routes};
use muster_tests::world::{Host, PUBLIC_URL, World, request};
use serde_json::{Value, json};

use crate::scene::{Scene, keeps_the_secret};

/// The three parts of a token, as JSON where they are.
fn parts(token: &str) -> (Value, Value, String) {
    let parts = token.split('.').collect::<Vec<_>>();
    let read = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    (read(parts[0]), read(parts[1]), parts[2].into())
}

fn whole(header: &Value, claims: &Value, signature: &str) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", text(header), text(claims))
}

fn signed_by(secret: &[u8], algorithm: Algorithm, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

async fn bearer(host: &mut Host) -> String {
    host.caller().await.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

fn claims(world: &World, host: &Host) -> AssertionClaims {
    let now = world.now().as_second();
    AssertionClaims { iss: host.id(), sub: host.id(), aud: PUBLIC_URL.into(), iat: now, exp: now + 60, jti: "1".into() }
}

#[tokio::test]
async fn an_access_token_that_was_forged_or_edited_is_nobodys() {
    let mut scene = Scene::new().await;
    let token = bearer(&mut scene.hostile).await;
    let (header, claims, signature) = parts(&token);
    let mut as_victim = claims.clone();
    as_victim["sub"] = json!(scene.victim.id());
    let mut for_ever = claims.clone();
    for_ever["exp"] = json!(i64::MAX);
    let none = |word: &str| whole(&json!({ "alg": word, "typ": "JWT" }), &as_victim, "");
    let mut embedded = header.clone();
    embedded["jwk"] = json!({ "kty": "oct", "k": "AAAA" });
    embedded["kid"] = json!("../../../dev/null");
    let forged = [
        whole(&header, &as_victim, &signature),
        whole(&header, &for_ever, &signature),
        whole(&embedded, &as_victim, &signature),
        none("none"),
        none("None"),
        none("NONE"),
        none("HS256"),
        signed_by(b"", Algorithm::HS256, &as_victim),
        signed_by(PUBLIC_URL.as_bytes(), Algorithm::HS256, &as_victim),
        signed_by(scene.hostile.public_key().as_bytes(), Algorithm::HS256, &as_victim),
        signed_by(b"secret", Algorithm::HS512, &as_victim),
        scene.hostile.signs(&serde_json::from_value(json!(self::claims(&scene.world, &scene.hostile))).unwrap()),
        token[..token.len() - 1].to_owned(),
        format!("{token}."),
        format!("{token}A"),
        format!("..{token}"),
        token.to_uppercase(),
        token.replace('.', ""),
        "..".into(),
        "a".repeat(60_000),
    ];
    for forged in forged {
        let caller = scene.world.nobody().bearing(&forged);
        let answer = caller.post("/api/v1/agent/check-in", &scene.check_in()).await;
        keeps_the_secret(answer).refused(ProblemCode::Unauthorized);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_credential_of_another_kind_opens_no_route() {
    let mut scene = Scene::new().await;
    let admin = scene.world.admin().await;
    let key = admin.post("/api/v1/api-keys", &json!({ "name": "ci", "role": "admin" })).await.is(201).value();
    let enrollment = scene.world.token(5).await.token.reveal().to_owned();
    let (token, assertion) = (bearer(&mut scene.hostile).await, scene.hostile.assertion());
    let session = admin.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let public_key = scene.victim.public_key();
    let key = key["key"].as_str().unwrap();
    let of_others = [key, &session, &enrollment, &assertion, &public_key];
    let of_machines = [key, &session, &token, &assertion, &public_key];
    let of_hosts = [token.as_str(), &assertion, &enrollment, &public_key];
    for route in routes() {
        let wrong: &[&str] = match route.access {
            Access::Anyone => continue,
            Access::Machine => &of_machines,
            Access::Agent => &of_others,
            Access::Operator(_) => &of_hosts,
        };
        let path = route.path.replace("{id}", &scene.open.to_string()).replace(['{', '}'], "");
        for wrong in wrong {
            let callers = [
                scene.world.nobody().bearing(wrong),
                scene.world.nobody().with("authorization", wrong),
                scene.world.nobody().with("authorization", &format!("Basic {wrong}")),
                scene.world.nobody().with("cookie", &format!("__Host-muster-session={wrong}")),
                scene.world.nobody().with("x-api-key", wrong),
            ];
            for caller in callers {
                let request = request(route.method.clone(), &path).body(Body::from("{}")).unwrap();
                keeps_the_secret(caller.sends(request).await).refused(ProblemCode::Unauthorized);
            }
        }
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn an_assertion_in_another_hosts_name_gets_no_token() {
    let scene = Scene::new().await;
    let (hostile, victim) = (&scene.hostile, &scene.victim);
    let own = claims(&scene.world, hostile);
    let theirs = claims(&scene.world, victim);
    let plain = json!(theirs);
    let header = json!({ "alg": "EdDSA", "typ": "JWT" });
    let (_, _, signature) = parts(&hostile.signs(&own));
    let forged = [
        hostile.signs(&theirs),
        hostile.signs(&AssertionClaims { sub: victim.id(), ..own.clone() }),
        hostile.signs(&AssertionClaims { iss: victim.id(), ..own.clone() }),
        whole(&header, &plain, &signature),
        whole(&header, &plain, ""),
        whole(&json!({ "alg": "none" }), &plain, ""),
        whole(
            &json!({ "alg": "EdDSA", "jwk": { "kty": "OKP", "crv": "Ed25519", "x": hostile.public_key() } }),
            &plain,
            &signature,
        ),
        // A public key taken for a shared secret.
        signed_by(victim.public_key().as_bytes(), Algorithm::HS256, &plain),
        signed_by(&URL_SAFE_NO_PAD.decode(victim.public_key()).unwrap(), Algorithm::HS256, &plain),
    ];
    for forged in forged {
        keeps_the_secret(hostile.asks_for_token(&forged).await).refused(ProblemCode::Unauthorized);
    }
    hostile.asks_for_token(&hostile.signs(&own)).await.is(200);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn an_assertion_that_asks_for_something_to_be_understood_gets_no_token() {
    let scene = Scene::new().await;
    let own = claims(&scene.world, &scene.hostile);
    let with =
        |crit: Option<Vec<String>>| scene.hostile.signs_under(&Header { crit, ..Header::new(Algorithm::EdDSA) }, &own);
    for crit in [vec!["exp".into()], vec!["b64".into(), "http://example.com/UNDEFINED".into()], Vec::new()] {
        let asked = scene.hostile.asks_for_token(&with(Some(crit))).await;
        keeps_the_secret(asked).refused(ProblemCode::Unauthorized);
    }
    scene.hostile.asks_for_token(&with(None)).await.is(200);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn an_assertion_that_somebody_overheard_is_worth_nothing_when_its_time_is_over() {
    let scene = Scene::new().await;
    let overheard = scene.victim.assertion();
    scene.world.moves(60 + 119);
    scene.hostile.asks_for_token(&overheard).await.is(200);
    scene.world.moves(1);
    for _ in 0..3 {
        scene.hostile.asks_for_token(&overheard).await.refused(ProblemCode::Unauthorized);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn times_that_no_clock_shows_make_no_assertion() {
    let scene = Scene::new().await;
    let now = scene.world.now().as_second();
    let year = 366 * 86_400;
    let times = [
        (now - 10 * year, now - 10 * year + 60),
        (now + 10 * year, now + 10 * year + 60),
        (now, now + 10 * year),
        (now, now + 61),
        (i64::MIN, i64::MAX),
        (i64::MAX, i64::MIN),
        (i64::MIN, i64::MIN + 60),
        (i64::MAX - 60, i64::MAX),
        (now, i64::MAX),
        (0, 60),
    ];
    for (iat, exp) in times {
        let forged = scene.hostile.signs(&AssertionClaims { iat, exp, ..claims(&scene.world, &scene.hostile) });
        scene.hostile.asks_for_token(&forged).await.refused(ProblemCode::Unauthorized);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn an_expired_token_opens_nothing_and_an_old_one_is_no_help_after_a_new_one() {
    let mut scene = Scene::new().await;
    let old = scene.world.nobody().bearing(&bearer(&mut scene.hostile).await);
    scene.world.moves(900);
    for path in ["/api/v1/agent/check-in", "/api/v1/agent/session", "/api/v1/agent/jobs/x/events"] {
        old.post(path, &scene.check_in()).await.refused(ProblemCode::Unauthorized);
    }
    scene.hostile.check_in().await;
    old.post("/api/v1/agent/check-in", &scene.check_in()).await.refused(ProblemCode::Unauthorized);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn another_hosts_id_in_a_body_or_a_header_means_nobody_else() {
    let mut scene = Scene::new().await;
    let (victim, job) = (scene.victim.id(), scene.own_job().await);
    let mut check_in = scene.check_in();
    let mut session = scene.session();
    for body in [&mut check_in, &mut session] {
        for name in ["host_id", "id", "sub", "host", "as"] {
            body[name] = json!(victim);
        }
    }
    let pretends = ["x-host-id", "x-forwarded-user", "x-muster-host", "x-amzn-oidc-identity", "forwarded"];
    for name in pretends {
        let caller = scene.hostile.caller().await.with(name, &victim.to_string());
        keeps_the_secret(caller.post("/api/v1/agent/check-in", &check_in).await.is(200));
    }
    let event = json!({ "sequence": 1, "at": scene.world.now(), "type": "accepted", "host_id": victim });
    let body = json!({ "session": scene.hostile.session, "process_id": scene.victim.agent.process_id,
        "events": [event], "host_id": victim, "job_id": scene.open });
    scene.posts(&format!("/api/v1/agent/jobs/{job}/events?host_id={victim}"), &body).await.is(200);
    scene.posts("/api/v1/agent/session", &session).await.is(200);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn what_a_method_or_a_path_is_said_to_be_by_a_header_does_not_count() {
    let mut scene = Scene::new().await;
    let path = format!("/api/v1/hosts/{}", scene.victim.id());
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", path.as_str()),
        ("x-rewrite-url", path.as_str()),
        ("x-forwarded-prefix", path.as_str()),
        ("host", "localhost"),
    ] {
        let caller = scene.hostile.caller().await.with(name, value);
        keeps_the_secret(caller.post("/api/v1/agent/check-in", &scene.check_in()).await.is(200));
        keeps_the_secret(caller.get(&path).await).refused(ProblemCode::Unauthorized);
        keeps_the_secret(caller.post(&path, &json!({})).await);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_retired_host_is_served_nothing_whatever_it_still_holds() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let release = scene.world.publishes("1.1.0").await;
    let path = format!("/api/v1/hosts/{}?force=true", scene.hostile.id());
    scene.world.admin().await.delete(&path).await.is(204);
    let check_in = scene.check_in();
    scene.posts("/api/v1/agent/check-in", &check_in).await.refused(ProblemCode::HostRetired);
    let session = scene.session();
    scene.posts("/api/v1/agent/session", &session).await.refused(ProblemCode::HostRetired);
    for path in ["/api/v1/agent/releases/1.1.0/manifest".into(), format!("/api/v1/agent/blobs/{}", release.sha256())] {
        scene.gets(&path).await.refused(ProblemCode::HostRetired);
    }
    scene.hostile.tells(job, vec![muster_tests::world::accepted()]).await.refused(ProblemCode::HostRetired);
    scene.hostile.asks_for_token(&scene.hostile.assertion()).await.refused(ProblemCode::HostRetired);
    let token = scene.world.token(1).await;
    let (retired, mut again) = (scene.hostile.id(), scene.hostile.clone());
    again.joins(token.token.reveal()).await.is(201);
    assert_eq!(again.id(), retired, "the same key is the same host, and that is retired");
    again.starts().await.refused(ProblemCode::HostRetired);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_form_for_a_token_may_be_anything_and_gets_none() {
    let scene = Scene::new().await;
    let assertion = scene.hostile.assertion();
    let good = format!(
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    let send = async |bytes: Vec<u8>| {
        let request = request(Method::POST, "/oauth/token").body(Body::from(bytes)).unwrap();
        scene.world.nobody().sends(request).await.status
    };
    for bytes in [
        good.replace("client_credentials", "password").into_bytes(),
        good.replace("jwt-bearer", "saml2-bearer").into_bytes(),
        good.replace("grant_type", "grant%00type").into_bytes(),
        format!("{good}&client_assertion=a.b.c").into_bytes(),
        json!({ "grant_type": "client_credentials", "client_assertion": assertion }).to_string().into_bytes(),
        "client_assertion=".repeat(400).into_bytes(),
        "%".repeat(8_000).into_bytes(),
        vec![0; 4_000],
        vec![b'&'; 8_000],
        vec![b'a'; 100_000],
    ] {
        let status = send(bytes.clone()).await;
        assert!((400..500).contains(&status), "{status}: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    }
    assert_eq!(send(good.into_bytes()).await, 200);
    scene.stays_unharmed().await;
}
