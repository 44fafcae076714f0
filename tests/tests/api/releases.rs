use axum::{body::Body, http::Method};
use ed25519_dalek::SigningKey;
use http_body_util::BodyExt as _;
use muster_schemas::{
    envelopes::{Envelope, public_key},
    fleet_updates::FleetUpdateState,
    problems::ProblemCode,
    releases::{
        MANIFEST_TYPE, Manifest, ROOT_TYPE, ReleaseState, ReleaseView, Root, Target, TrustRole, UploadPlace,
        manifest_sha256,
    },
};
use muster_server::{
    api,
    app::{App, Parts, Settings},
};
use muster_tests::world::{Release, World, request, signed};
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
async fn the_same_files_may_be_signed_anew_with_a_higher_number_and_nothing_else_may() {
    let world = World::new().await;
    let admin = world.admin().await;
    let good = world.publishes("1.1.0").await;
    world.publishes("1.2.0").await;
    let anew = good.signed_anew(&world);
    let seen: ReleaseView = admin.post("/api/v1/releases", &anew.envelope).await.is(201).json();
    assert_eq!((seen.state, &seen.manifest), (ReleaseState::Published, &anew.manifest), "its files are here already");
    let envelope: Envelope = admin.get("/api/v1/releases/1.1.0/manifest").await.is(200).json();
    assert_eq!(envelope, anew.envelope);
    let newest = admin.get("/api/v1/releases?limit=1").await.value();
    assert_eq!(newest["items"][0]["version"], "1.1.0", "it is the newest now");
    // The earlier manifest, and other files under the version.
    admin.post("/api/v1/releases", &good.envelope).await.refused(ProblemCode::AlreadyExists);
    let target = Target { sha256: "a".repeat(64), ..good.manifest.targets[0].clone() };
    let other = Manifest { manifest_version: world.number(), targets: vec![target], ..good.manifest.clone() };
    admin.post("/api/v1/releases", &signed(&other)).await.refused(ProblemCode::AlreadyExists);
    // What was yanked stays yanked.
    admin.post("/api/v1/releases/1.1.0/yank", &json!({ "reason": "it eats disks" })).await.is(200);
    admin.post("/api/v1/releases", &anew.signed_anew(&world).envelope).await.refused(ProblemCode::AlreadyExists);
}

#[tokio::test]
async fn after_a_bad_release_the_whole_fleet_goes_back_to_the_one_before() {
    let world = World::new().await;
    let mut hosts = world.fleet(3, "1.0.0").await;
    let good = world.publishes("1.1.0").await;
    let request = |version: &str| json!({ "version": version, "soak_seconds": 0 });
    let first = world.fleet_update(&request("1.1.0")).await.id;
    for host in &mut hosts {
        host.updates(&good).await.unwrap();
    }
    assert_eq!(world.sees_fleet_update(first).await.state, FleetUpdateState::Completed);
    // The canary takes the bad one, the second host does not bear it.
    let bad = world.publishes("1.2.0").await;
    let second = world.fleet_update(&request("1.2.0")).await.id;
    hosts[0].updates(&bad).await.unwrap();
    world.tick().await;
    hosts[1].rolls_back(&bad, "it crashed").await.unwrap();
    assert_eq!(world.sees_fleet_update(second).await.state, FleetUpdateState::Halted);

    let anew = good.signed_anew(&world);
    world.admin().await.post("/api/v1/releases", &anew.envelope).await.is(201);
    assert!(world.sees_host(hosts[0].id()).await.update_available, "it is behind: the newest release is 1.1.0");
    assert!(!world.sees_host(hosts[2].id()).await.update_available);
    let back = world.fleet_update(&request("1.1.0")).await.id;
    let job = hosts[0].updates(&anew).await.unwrap();
    let offered = hosts[0].received.iter().find(|command| command.id == job).unwrap();
    assert_eq!(offered.spec["manifest_sha256"], manifest_sha256(&anew.envelope).unwrap());
    world.tick().await;
    let seen = world.sees_fleet_update(back).await;
    assert_eq!((seen.state, seen.counts.succeeded, seen.counts.skipped), (FleetUpdateState::Completed, 1, 2));
    for host in &hosts {
        assert_eq!(world.sees_host(host.id()).await.agent.unwrap().version, "1.1.0");
    }
    world.is_consistent().await;
}

#[tokio::test]
async fn a_release_is_not_signed_anew_while_a_fleet_update_brings_it() {
    let world = World::new().await;
    world.fleet(1, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    let id = world.fleet_update(&json!({ "version": "1.1.0" })).await.id;
    let anew = release.signed_anew(&world);
    let admin = world.admin().await;
    let problem = admin.post("/api/v1/releases", &anew.envelope).await.refused(ProblemCode::FleetUpdateActive);
    assert_eq!(problem.members["fleet_update_id"], id.to_string());
    admin.post("/api/v1/releases", &release.envelope).await.is(201);
    world.acts(id, "cancel", &json!({})).await.is(200);
    admin.post("/api/v1/releases", &anew.envelope).await.is(201);
}

fn root(version: u64, root_key: u8, release_key: u8) -> Root {
    let role = |key| TrustRole { threshold: 1, keys: vec![public_key(&SigningKey::from_bytes(&[key; 32]))] };
    Root { kind: "root".into(), root_version: version, root: role(root_key), release: role(release_key) }
}

fn signed_root(root: &Root, keys: &[u8]) -> Envelope {
    let keys = keys.iter().map(|key| SigningKey::from_bytes(&[*key; 32])).collect::<Vec<_>>();
    Envelope::sign(ROOT_TYPE, &serde_json::to_vec(root).unwrap(), &keys)
}

/// The key that signs the releases of a world, and one that does not.
const RELEASE_KEY: u8 = 7;
const ROOT_KEY: u8 = 8;

#[tokio::test]
async fn where_the_trust_root_is_known_a_release_that_hosts_would_refuse_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.publishes("1.0.0").await;
    admin.get("/api/v1/trust-root").await.refused(ProblemCode::NotFound);
    let first = signed_root(&root(1, ROOT_KEY, RELEASE_KEY), &[ROOT_KEY]);
    for _ in 0..2 {
        admin.put("/api/v1/trust-root", serde_json::to_vec(&first).unwrap()).await.is(200);
    }
    assert_eq!(world.viewer().await.get("/api/v1/trust-root").await.json::<Envelope>(), first);
    world.publishes("1.1.0").await;
    // By the root key, and by a key of nobody.
    for key in [ROOT_KEY, 9] {
        let release = Release::sign(&world, "1.2.0");
        let payload = release.envelope.payload_bytes().unwrap();
        let foreign = Envelope::sign(MANIFEST_TYPE, &payload, &[SigningKey::from_bytes(&[key; 32])]);
        let problem = admin.post("/api/v1/releases", &foreign).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some("signatures"));
    }
}

#[tokio::test]
async fn the_trust_root_is_replaced_by_its_successor_alone() {
    let world = World::new().await;
    let admin = world.admin().await;
    let tell = async |root: &Envelope| admin.put("/api/v1/trust-root", serde_json::to_vec(root).unwrap()).await;
    let unsigned = signed_root(&root(1, ROOT_KEY, RELEASE_KEY), &[9]);
    assert_eq!(tell(&unsigned).await.refused(ProblemCode::Invalid).field.as_deref(), Some("payload"));
    let mut impossible = root(1, ROOT_KEY, RELEASE_KEY);
    impossible.release.threshold = 2;
    tell(&signed_root(&impossible, &[ROOT_KEY])).await.refused(ProblemCode::Invalid);
    tell(&signed_root(&root(1, ROOT_KEY, 9), &[ROOT_KEY])).await.is(200);
    let foreign = signed_root(&root(2, 11, RELEASE_KEY), &[11]);
    tell(&foreign).await.refused(ProblemCode::AlreadyExists);
    let successor = signed_root(&root(2, 11, RELEASE_KEY), &[ROOT_KEY, 11]);
    tell(&successor).await.is(200);
    world.publishes("1.1.0").await;
}

#[tokio::test]
async fn a_manifest_that_every_host_would_refuse_is_refused_with_the_rule() {
    let world = World::new().await;
    let admin = world.admin().await;
    let good = Release::sign(&world, "1.1.0").manifest;
    for (field, bad) in [
        ("payload.version", Manifest { version: "v1.5".into(), ..good.clone() }),
        ("payload.version", Manifest { version: "latest".into(), ..good.clone() }),
        ("payload.revoked", Manifest { revoked: vec!["1.1.0".into()], ..good.clone() }),
        ("payload.revoked", Manifest { revoked: vec!["v1".into()], ..good.clone() }),
        ("payload.security_floor", Manifest { security_floor: good.manifest_version + 1, ..good.clone() }),
        ("payload.manifest_version", Manifest { manifest_version: u64::MAX, ..good.clone() }),
    ] {
        let problem = admin.post("/api/v1/releases", &signed(&bad)).await.refused(ProblemCode::Invalid);
        assert_eq!(problem.field.as_deref(), Some(field), "{bad:?}");
    }
    admin.post("/api/v1/releases", &signed(&good)).await.is(201);
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
