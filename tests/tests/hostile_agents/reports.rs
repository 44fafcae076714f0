//! What hosts say of themselves: whatever it is, it is within its bounds or refused with its field.

use muster_schemas::{check_ins::CheckInResponse, problems::ProblemCode};
use serde_json::{Value, json};

use crate::scene::Scene;

const CHECK_IN: &str = "/api/v1/agent/check-in";
const SESSION: &str = "/api/v1/agent/session";

#[tokio::test]
async fn facts_of_the_wrong_shape_or_size_are_refused_and_change_nothing() {
    let mut scene = Scene::new().await;
    let odd: [Value; 16] = [
        json!({ "hostname": 1 }),
        json!({ "hostname": null }),
        json!({ "hostname": "x".repeat(70_000) }),
        json!({ "hostname": "\u{1}".repeat(12_000) }),
        json!({ "ip_addresses": "127.0.0.1" }),
        json!({ "ip_addresses": vec!["127.0.0.1"; 20_000] }),
        json!({ "ip_addresses": [["127.0.0.1"]] }),
        json!({ "disks": vec![json!({ "mount": "/" }); 20_000] }),
        json!({ "disks": [{ "size_bytes": -1 }] }),
        json!({ "cpu_count": 1_u64 << 33 }),
        json!({ "cpu_count": -1 }),
        json!({ "memory_bytes": 1e300 }),
        json!({ "booted_at": "yesterday" }),
        json!({ "booted_at": "+10000-01-01T00:00:00Z" }),
        json!({ "capabilities": [1] }),
        json!("facts"),
    ];
    let before = scene.world.sees_host(scene.hostile.id()).await.facts;
    for facts in odd {
        let (mut session, mut check_in) = (scene.session(), scene.check_in());
        (session["facts"], check_in["facts"]) = (facts.clone(), facts.clone());
        for (path, body) in [(SESSION, session), (CHECK_IN, check_in)] {
            let problem = scene.posts(path, &body).await.refused(ProblemCode::Invalid);
            assert!(problem.field.unwrap().starts_with("facts"), "{facts}");
        }
    }
    assert_eq!(scene.world.sees_host(scene.hostile.id()).await.facts, before);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn facts_at_the_ends_of_what_can_be_said_are_kept_and_told() {
    let mut scene = Scene::new().await;
    let ends: [Value; 6] = [
        json!({}),
        json!({ "hostname": "", "os": "", "ip_addresses": [""], "disks": [{}], "capabilities": ["", ""] }),
        json!({ "cpu_count": u32::MAX, "memory_bytes": u64::MAX, "disks": [{ "mount": "", "size_bytes": u64::MAX }] }),
        json!({ "booted_at": "-009999-01-02T01:59:59Z" }),
        json!({ "booted_at": "9999-12-30T22:00:00Z" }),
        json!({ "hostname": "x".repeat(60_000) }),
    ];
    for facts in ends {
        let mut session = scene.session();
        session["facts"] = facts;
        scene.posts(SESSION, &session).await.is(200);
        scene.world.sees_host(scene.hostile.id()).await;
        scene.world.viewer().await.get("/api/v1/hosts?online=true").await.is(200);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn bodies_that_are_nested_without_end_are_no_json_to_read() {
    let mut scene = Scene::new().await;
    for depth in [128, 10_000, 400_000] {
        for open in ["[", "{\"a\":", "[{\"\":"] {
            for field in ["facts", "agent", "open", "unknown"] {
                let depth = depth.min(900_000 / open.len());
                let text = format!("{{\"session\":1,\"{field}\":{}", open.repeat(depth));
                scene.posts_text(CHECK_IN, text).await.refused(ProblemCode::Malformed);
            }
        }
    }
    let text = format!("{{\"session\":1,\"unknown\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    scene.posts_text(CHECK_IN, text).await.refused(ProblemCode::Malformed);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_member_that_is_there_twice_gets_nobody_past_the_fence() {
    let mut scene = Scene::new().await;
    let right = scene.hostile.session;
    scene.hostile.restarts().await.is(200);
    let now = scene.hostile.session;
    scene
        .posts_text(CHECK_IN, format!(r#"{{"session":{now},"session":{right}}}"#))
        .await
        .refused(ProblemCode::SessionSuperseded);
    scene
        .posts_text(CHECK_IN, format!(r#"{{"session":{now},"\u0073ession":{right}}}"#))
        .await
        .refused(ProblemCode::SessionSuperseded);
    scene.posts_text(CHECK_IN, format!(r#"{{"session":{right},"session":{now}}}"#)).await.is(200);
    let many = format!(r#"{{{}"session":{right}}}"#, format!(r#""session":{now},"#).repeat(50_000));
    scene.posts_text(CHECK_IN, many).await.refused(ProblemCode::SessionSuperseded);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn numbers_that_are_none_or_too_large_are_refused() {
    let mut scene = Scene::new().await;
    let session = scene.hostile.session;
    for number in ["NaN", "Infinity", "-Infinity", "1e400", "0x1", "01", "+1", "1.", ".5", "1e", "--1", "1_000", "١"] {
        let text = format!(r#"{{"session":{session},"wait_seconds":{number}}}"#);
        scene.posts_text(CHECK_IN, text).await.refused(ProblemCode::Malformed);
    }
    let long = "9".repeat(100_000);
    for number in ["-1", "65536", "1e3", "0.5", "\"1\"", "null", "true", "18446744073709551616", &long[..300], "-0.0"] {
        let text = format!(r#"{{"session":{session},"wait_seconds":{number}}}"#);
        let problem = scene.posts_text(CHECK_IN, text).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("wait_seconds"), "{number}");
    }
    scene
        .posts_text(CHECK_IN, format!(r#"{{"session":{session},"wait_seconds":{long}}}"#))
        .await
        .refused(ProblemCode::Malformed);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn what_is_no_object_is_no_request() {
    let mut scene = Scene::new().await;
    for (text, code) in [
        ("[]", ProblemCode::Invalid),
        ("null", ProblemCode::Invalid),
        ("\"session\"", ProblemCode::Invalid),
        ("1", ProblemCode::Invalid),
        ("", ProblemCode::Invalid),
        ("{}", ProblemCode::Invalid),
        ("{", ProblemCode::Malformed),
        ("{\"session\":1}}", ProblemCode::Malformed),
        ("{\"session\":1} {\"session\":1}", ProblemCode::Malformed),
        ("{\"session\":1,}", ProblemCode::Malformed),
        ("{'session':1}", ProblemCode::Malformed),
        ("{session:1}", ProblemCode::Malformed),
        ("\u{FEFF}{\"session\":1}", ProblemCode::Malformed),
        ("{\"session\":1}\u{0}", ProblemCode::Malformed),
        ("// {}\n{\"session\":1}", ProblemCode::Malformed),
        ("session=1", ProblemCode::Malformed),
        ("<session>1</session>", ProblemCode::Malformed),
    ] {
        scene.posts_text(CHECK_IN, text).await.refused(code);
        scene.posts_text(SESSION, text).await.refused(code);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn reports_of_upstreams_are_few_short_and_countable() {
    let mut scene = Scene::new().await;
    let failing = |field: &str, value: Value| {
        let mut upstream = json!({ "name": "api", "breaker": "open", "failures": 1, "opened": 1,
            "last_failure": { "at": "2026-03-02T12:00:00Z", "kind": "name", "reason": "" },
            "last_outage": { "began_at": "2026-03-02T12:00:00Z", "seconds": 1, "failures": 1 } });
        *upstream.pointer_mut(field).unwrap() = value;
        json!([upstream])
    };
    let refused = [
        json!(vec![json!({ "name": "api", "breaker": "open" }); 9]),
        failing("/name", json!("x".repeat(129))),
        failing("/failures", json!((1_u64 << 53) + 1)),
        failing("/opened", json!(u64::MAX)),
        failing("/failures", json!(-1)),
        failing("/last_failure/reason", json!("x".repeat(1_025))),
        failing("/last_failure/at", json!("+10000-01-01T00:00:00Z")),
        failing("/last_outage/seconds", json!(u64::MAX)),
        failing("/last_outage/failures", json!((1_u64 << 53) + 1)),
        failing("/last_outage/began_at", json!(7)),
        failing("/breaker", json!(null)),
        json!([null]),
        json!([[]]),
        json!({}),
    ];
    for upstreams in refused {
        let (mut check_in, mut session) = (scene.check_in(), scene.session());
        (check_in["upstreams"], session["upstreams"]) = (upstreams.clone(), upstreams);
        scene.posts(CHECK_IN, &check_in).await.refused(ProblemCode::Invalid);
        scene.posts(SESSION, &session).await.refused(ProblemCode::Invalid);
    }
    assert_eq!(scene.world.sees_host(scene.hostile.id()).await.upstreams, []);
    let kept = [
        failing("/name", json!("../../etc/passwd\u{0}<b>")),
        failing("/breaker", json!("on fire")),
        failing("/last_failure/kind", json!("\u{1b}[2J")),
        failing("/last_failure/at", json!("-009999-01-02T01:59:59Z")),
        failing("/last_outage/began_at", json!("9999-12-30T22:00:00Z")),
        json!(vec![failing("/last_failure/reason", json!("\u{1}".repeat(1_024)))[0].clone(); 8]),
    ];
    for upstreams in kept {
        let mut check_in = scene.check_in();
        check_in["upstreams"] = upstreams.clone();
        scene.posts(CHECK_IN, &check_in).await.is(200);
        let seen = scene.world.sees_host(scene.hostile.id()).await.upstreams;
        assert_eq!(seen.len(), upstreams.as_array().unwrap().len());
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn what_runs_on_a_host_is_told_in_words_and_not_in_novels() {
    let mut scene = Scene::new().await;
    let update = |field: &str, value: Value| {
        let mut update = json!({ "transaction": "job_01ARZ3NDEKTSV4RRFFQ69G5FAV", "to": "1.1.0", "outcome": "refused",
            "reason": "", "tries": 1 });
        update[field] = value;
        ("last_update", update)
    };
    for (field, value) in [
        ("version", json!("1".repeat(129))),
        ("executable_sha256", json!("0".repeat(129))),
        ("executable_sha256", json!("0".repeat(63))),
        ("executable_sha256", json!("F".repeat(64))),
        ("executable_sha256", json!("")),
        ("executable_sha256", json!(format!("\u{1b}]0;evil\u{7}\r\nerror: nothing is wrong{}", "0".repeat(29)))),
        ("boot_id", json!("b".repeat(129))),
        ("process_id", json!("prc_1")),
        ("process_id", json!(scene.hostile.id())),
        ("committed", json!("yes")),
        update("transaction", json!("../../etc/passwd")),
        update("to", json!("1".repeat(129))),
        update("reason", json!("x".repeat(8 * 1024 + 1))),
        update("tries", json!(-1)),
        update("tries", json!(1_u64 << 32)),
        update("outcome", json!(1)),
    ] {
        let (mut session, mut check_in) = (scene.session(), scene.check_in());
        session["agent"][field] = value;
        check_in["agent"] = session["agent"].clone();
        scene.posts(SESSION, &session).await.refused(ProblemCode::Invalid);
        scene.posts(CHECK_IN, &check_in).await.refused(ProblemCode::Invalid);
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_digest_of_facts_may_be_anything_and_is_only_compared() {
    let mut scene = Scene::new().await;
    for digest in ["", "0", "../../etc/passwd", &"f".repeat(900_000), "\u{0}", "NULL"] {
        let mut check_in = scene.check_in();
        check_in["facts_digest"] = json!(digest);
        let answer: CheckInResponse = scene.posts(CHECK_IN, &check_in).await.is(200).json();
        assert!(answer.send_facts);
    }
    assert!(!scene.hostile.check_in().await.send_facts);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_protocol_that_nobody_speaks_starts_no_session() {
    let mut scene = Scene::new().await;
    let before = scene.world.sees_host(scene.hostile.id()).await;
    for (protocol, status) in
        [(json!(0), 426), (json!(2), 426), (json!(u32::MAX), 426), (json!(-1), 422), (json!("1"), 422)]
    {
        let mut session = scene.session();
        session["protocol"] = protocol;
        scene.posts(SESSION, &session).await.is(status);
    }
    assert_eq!(scene.world.sees_host(scene.hostile.id()).await, before);
    scene.stays_unharmed().await;
}
