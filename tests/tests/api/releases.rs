use axum::{body::Body, http::Method};
use http_body_util::BodyExt as _;
use muster_schemas::{
    envelopes::Envelope,
    problems::ProblemCode,
    releases::{ReleaseState, ReleaseView, UploadPlace},
};
use muster_server::{
    api,
    app::{App, Parts, Settings},
};
use muster_tests::world::{Release, World, request};
use serde_json::json;
use tower::ServiceExt as _;

#[tokio::test]
async fn a_release_is_a_draft_until_every_file_is_here() {
    let world = World::new().await;
    let release = Release::sign(&world, "1.1.0");
    let admin = world.admin().await;
    let draft: ReleaseView = admin.post("/api/v1/releases", &release.envelope).await.is(201).json();
    assert_eq!((draft.state, draft.waiting_on.as_deref()), (ReleaseState::Draft, Some("the files for linux-x86_64")));
    let start = json!({ "version": "1.1.0" });
    world.host("one").await;
    admin.post("/api/v1/fleet-updates", &start).await.refused(ProblemCode::WrongState);
    let published: ReleaseView = world.uploads(&release).await.is(200).json();
    assert_eq!((published.state, published.waiting_on), (ReleaseState::Published, None));
    // Both again are harmless.
    admin.post("/api/v1/releases", &release.envelope).await.is(201);
    world.uploads(&release).await.is(200);
    assert_eq!(world.sees_release("1.1.0").await.revision, published.revision);
}

#[tokio::test]
async fn a_file_that_is_not_the_signed_one_is_not_kept() {
    let world = World::new().await;
    let mut release = Release::sign(&world, "1.1.0");
    world.admin().await.post("/api/v1/releases", &release.envelope).await.is(201);
    let good = release.bytes.clone();
    for bad in [Vec::new(), good[1..].to_vec(), [&good[..], b"!"].concat(), good.iter().rev().copied().collect()] {
        release.bytes = bad;
        world.uploads(&release).await.refused(ProblemCode::Invalid);
    }
    assert_eq!(world.sees_release("1.1.0").await.state, ReleaseState::Draft);
    let path = "/api/v1/releases/1.1.0/targets/windows-x86_64";
    world.admin().await.put(path, good).await.refused(ProblemCode::NotFound);
}

#[tokio::test]
async fn a_version_is_signed_once() {
    let world = World::new().await;
    world.publishes("1.1.0").await;
    let other = Release::sign(&world, "1.1.0");
    world.admin().await.post("/api/v1/releases", &other.envelope).await.refused(ProblemCode::AlreadyExists);
}

#[tokio::test]
async fn a_yanked_release_is_offered_to_nobody_any_more() {
    let world = World::new().await;
    world.publishes("1.1.0").await;
    let host = world.host("one").await;
    let admin = world.admin().await;
    admin.post("/api/v1/releases/1.1.0/yank", &json!({ "reason": "" })).await.refused(ProblemCode::Invalid);
    admin.post("/api/v1/releases/1.1.0/yank", &json!({ "reason": "it eats disks" })).await.is(200);
    let seen = world.sees_release("1.1.0").await;
    assert_eq!((seen.state, seen.yanked_reason.as_deref()), (ReleaseState::Yanked, Some("it eats disks")));
    let body = json!({ "version": "1.1.0" });
    admin.post("/api/v1/fleet-updates", &body).await.refused(ProblemCode::WrongState);
    admin.post(&format!("/api/v1/hosts/{}/update", host.id()), &body).await.refused(ProblemCode::WrongState);
    assert!(!world.sees_host(host.id()).await.update_available);
}

fn through_server(sha256: &str) -> String {
    format!("/api/v1/agent/blobs/{sha256}?through_server=true")
}

/// As a program that knows nothing but a link.
pub fn anybody() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

#[tokio::test]
async fn a_file_is_put_and_fetched_past_the_server_where_the_object_store_can_be_reached() {
    let world = World::new().await;
    let release = Release::sign(&world, "1.1.0");
    let (admin, mut host) = (world.admin().await, world.host("one").await);
    admin.post("/api/v1/releases", &release.envelope).await.is(201);
    let target = "/api/v1/releases/1.1.0/targets/linux-x86_64";
    let announced = format!("{target}?uploaded=true");
    let early = admin.put(&announced, Vec::new()).await.refused(ProblemCode::Invalid);
    assert_eq!(early.field.as_deref(), Some("uploaded"), "nobody has put it there");
    let unknown = "/api/v1/releases/1.1.0/targets/plan9-mips/upload";
    admin.post(unknown, &json!({})).await.refused(ProblemCode::NotFound);

    let place: UploadPlace = admin.post(&format!("{target}/upload"), &json!({})).await.is(200).json();
    let blob = format!("/api/v1/agent/blobs/{}", release.sha256());
    let Some(url) = place.url else {
        // A directory is reached through its server alone.
        world.uploads(&release).await.is(200);
        assert_eq!(host.caller().await.get(&blob).await.is(200).body, release.bytes);
        return;
    };
    let upload = anybody().put(url.reveal()).body(release.bytes.clone());
    let upload = place.headers.iter().fold(upload, |upload, (name, value)| upload.header(name, value));
    assert_eq!(upload.send().await.unwrap().status().as_u16(), 200);
    admin.put(&announced, Vec::new()).await.is(200);
    assert_eq!(world.sees_release("1.1.0").await.state, ReleaseState::Published);

    let sent = host.caller().await.get(&blob).await.is(307);
    assert_eq!(sent.header("cache-control"), "no-store");
    let found = anybody().get(sent.header("location")).send().await.unwrap();
    assert_eq!(found.bytes().await.unwrap(), release.bytes);
    // Whom the server does not serve any more gets no link either.
    admin.delete(&format!("/api/v1/hosts/{}?force=true", host.id())).await.is(204);
    host.caller().await.get(&blob).await.refused(ProblemCode::HostRetired);
}

#[tokio::test]
async fn where_answers_are_bounded_a_file_comes_in_parts() {
    let world = World::new().await;
    let release = world.publishes("1.1.0").await;
    let mut host = world.host("one").await;
    let token = host.caller().await.header("authorization").unwrap();
    let Parts { table, blobs, clock, settings, .. } = &*world.app;
    let settings = Settings { max_blob_part_bytes: Some(6), ..settings.clone() };
    let router = api::router(&App::new(table.clone(), blobs.clone(), clock.clone(), settings));
    let (mut bytes, size) = (Vec::new(), release.bytes.len());
    while bytes.len() < size {
        let asked = request(Method::GET, &through_server(&release.sha256())).header("authorization", &token);
        let asked = asked.header("range", format!("bytes={}-", bytes.len())).body(Body::empty()).unwrap();
        let part = router.clone().oneshot(asked).await.unwrap();
        assert!(part.status() == 206, "{}", part.status());
        let last = (bytes.len() + 6).min(size) - 1;
        let range = format!("bytes {}-{last}/{size}", bytes.len());
        assert_eq!(part.headers()["content-range"], range.as_str());
        let body = part.into_body().collect().await.unwrap().to_bytes();
        assert!((1..=6).contains(&body.len()), "{} bytes", body.len());
        bytes.extend(body);
    }
    assert_eq!(bytes, release.bytes);
}

#[tokio::test]
async fn agents_get_the_manifest_as_it_came_and_the_file_from_any_byte() {
    let world = World::new().await;
    let release = world.publishes("1.1.0").await;
    let mut host = world.host("one").await;
    let caller = host.caller().await;
    let manifest: Envelope = caller.get("/api/v1/agent/releases/1.1.0/manifest").await.is(200).json();
    assert_eq!(manifest, release.envelope);
    let path = through_server(&release.sha256());
    assert_eq!(caller.get(&path).await.is(200).body, release.bytes);
    let part = caller.clone().with("range", "bytes=4-").get(&path).await.is(206);
    assert_eq!(part.body, release.bytes[4..]);
    let size = release.bytes.len();
    assert_eq!(part.header("content-range"), format!("bytes 4-{}/{size}", size - 1));
    caller.get(&through_server(&"0".repeat(64))).await.refused(ProblemCode::NotFound);
    caller.get("/api/v1/agent/blobs/..%2f..%2fmuster.sqlite").await.refused(ProblemCode::NotFound);
    for range in ["bytes=-4", "bytes=4-5", "bytes=99999999999999999999-", "lines=1-"] {
        caller.clone().with("range", range).get(&path).await.is(200);
    }
    caller.clone().with("range", &format!("bytes={}-", u64::MAX)).get(&path).await.refused(ProblemCode::NotFound);
}

#[tokio::test]
async fn a_range_that_starts_at_the_end_is_not_a_fault() {
    let world = World::new().await;
    let release = world.publishes("1.1.0").await;
    let mut host = world.host("one").await;
    let end = format!("bytes={}-", release.bytes.len());
    let caller = host.caller().await.with("range", &end);
    let answer = caller.get(&through_server(&release.sha256())).await;
    assert!(answer.body.is_empty() || answer.status == 404, "{} {}", answer.status, answer.text());
}

#[tokio::test]
async fn a_manifest_that_breaks_a_rule_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    let good = Release::sign(&world, "1.1.0");
    let unsigned = Envelope { signatures: Vec::new(), ..good.envelope.clone() };
    let other = Envelope { payload_type: "application/json".into(), ..good.envelope.clone() };
    let garbage = Envelope { payload: "not base64!".into(), ..good.envelope.clone() };
    for envelope in [unsigned, other, garbage] {
        admin.post("/api/v1/releases", &envelope).await.refused(ProblemCode::Invalid);
    }
    for version in ["", "../etc", ".hidden", "1 0", "a/b", &"x".repeat(65)] {
        let bad = Release::sign(&world, version);
        admin.post("/api/v1/releases", &bad.envelope).await.refused(ProblemCode::Invalid);
    }
}

#[tokio::test]
async fn an_upload_that_announces_another_size_is_refused_before_it_is_read() {
    let world = World::new().await;
    let release = Release::sign(&world, "1.1.0");
    let admin = world.admin().await;
    admin.post("/api/v1/releases", &release.envelope).await.is(201);
    let path = "/api/v1/releases/1.1.0/targets/linux-x86_64";
    let upload = request(Method::PUT, path).header("content-length", "1000000000").body(Body::empty()).unwrap();
    let problem = admin.sends(upload).await.refused(ProblemCode::Invalid);
    assert_eq!(problem.field.as_deref(), Some("Content-Length"));
}
