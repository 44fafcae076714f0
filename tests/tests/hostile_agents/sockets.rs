//! Sockets: connections that say nothing, too little, too much or something that is no request keep nobody out.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use muster_domain::pacing::Pacing;
use muster_schemas::check_ins::CheckInResponse;
use muster_server::{
    api::identity::addresses::TrustedProxies,
    roles::{
        connections::{Limits, Service, serve},
        tls::{Certificate, Tls},
    },
};
use muster_tests::world::run_job;
use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::scene::Scene;

const PATIENT: Limits = Limits { most: 1_000, head: Duration::from_mins(1), stall: Duration::from_mins(1) };
const HEALTH: &[u8] = b"GET /api/v1/health HTTP/1.1\r\nhost: muster.test\r\n\r\n";
const BOUND: Duration = Duration::from_secs(20);

/// The server of a scene on a port of this machine.
struct Served {
    scene: Scene,
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

fn service(scene: &Scene, limits: Limits) -> Service {
    let proxies = TrustedProxies::default();
    Service { router: scene.world.router(), held: scene.world.app.held.clone(), limits, proxies }
}

impl Served {
    async fn within(limits: Limits) -> Self {
        let (scene, listener) = (Scene::new().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
        let (stop, told) = watch::channel(false);
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, None, service(&scene, limits), told));
        Self { scene, address, stop }
    }

    /// Somebody who connects and says this.
    async fn caller(&self, says: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(says).await.unwrap();
        stream
    }

    /// All that is answered to this until the server closes.
    async fn answers(&self, says: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // Refused before all of it was sent, mostly.
        let _ = stream.write_all(says).await;
        let _ = stream.shutdown().await;
        until_closed(&mut stream).await
    }

    /// Somebody honest is served, whatever else goes on.
    async fn serves_others(&self) {
        let mut stream = self.caller(&HEALTH.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")).await;
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    /// A check-in of the hostile host, or of the victim, that is held.
    async fn holds(&mut self, victim: bool) -> TcpStream {
        let host = if victim { &mut self.scene.victim } else { &mut self.scene.hostile };
        host.journal.extend(victim.then_some(self.scene.waiting));
        let mut body = serde_json::to_value(host.check_in_request()).unwrap();
        body["wait_seconds"] = 280.into();
        let (body, bearer) = (body.to_string(), host.caller().await.header("authorization").unwrap());
        let head = format!(
            "POST /api/v1/agent/check-in HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let (id, before) = (host.id(), self.scene.world.app.polls.waiting(host.id()));
        let stream = self.caller(format!("{head}{body}").as_bytes()).await;
        let begun = async {
            while self.scene.world.app.polls.waiting(id) <= before {
                tokio::task::yield_now().await;
            }
        };
        timeout(BOUND, begun).await.expect("it is held");
        stream
    }

    async fn stays_unharmed(self) {
        self.serves_others().await;
        self.stop.send_replace(true);
        self.scene.stays_unharmed().await;
    }
}

trait Replaced {
    fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl Replaced for [u8] {
    fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(self);
        text.replace(std::str::from_utf8(from).unwrap(), std::str::from_utf8(to).unwrap()).into_bytes()
    }
}

/// What comes until the server closes, which it must.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // That it was reset is an end as well.
    let _ = timeout(BOUND, stream.read_to_end(&mut bytes)).await.expect("the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What comes with the next answer.
async fn next_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4_096];
        let count = timeout(BOUND, stream.read(&mut bytes)).await.expect("an answer").unwrap();
        assert!(count > 0, "closed after {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return text;
        }
    }
}

#[tokio::test]
async fn a_head_that_comes_in_drops_is_not_waited_for() {
    let served = Served::within(Limits { head: Duration::from_millis(300), ..PATIENT }).await;
    let mut silent = served.caller(b"").await;
    let mut half = served.caller(b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    let mut slow = served.caller(b"GET /api/v1/health HTTP/1.1\r\n").await;
    let mut drops = tokio::time::interval(Duration::from_millis(20));
    let dropping = async {
        loop {
            drops.tick().await;
            if slow.write_all(b"a: b\r\n").await.is_err() {
                break;
            }
        }
    };
    timeout(BOUND, dropping).await.expect("the server does not listen for ever");
    for stream in [&mut silent, &mut half] {
        assert_eq!(until_closed(stream).await, "");
    }
    served.stays_unharmed().await;
}

#[tokio::test]
async fn a_body_of_which_the_rest_never_comes_is_given_up() {
    let served = Served::within(PATIENT).await;
    for path in ["/oauth/token", "/api/v1/agent/enroll", "/api/v1/session"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 8000\r\n\r\n{{");
        let mut stream = served.caller(head.as_bytes()).await;
        timeout(BOUND, served.scene.world.clock.until_asleep(1)).await.expect("somebody looks at the clock");
        served.scene.world.moves(30);
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    served.stays_unharmed().await;
}

#[tokio::test]
async fn thousands_of_idle_connections_give_way_to_whoever_comes() {
    let served = Served::within(Limits { most: 32, ..PATIENT }).await;
    let mut idle = Vec::new();
    for number in 0..1_000 {
        let says: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /api/v1/health HT",
            _ => b"POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ngrant_type=",
        };
        idle.push(served.caller(says).await);
        if number % 100 == 0 {
            served.serves_others().await;
        }
    }
    for stream in &mut idle[..900] {
        until_closed(stream).await;
    }
    served.stays_unharmed().await;
}

#[tokio::test]
async fn callers_that_never_shake_hands_give_way_to_one_who_does() {
    let (scene, folder) = (Scene::new().await, TempDir::new().unwrap());
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(&chain, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    let tls = Tls::new(Certificate::read(&chain, &key).unwrap(), Arc::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_stop, told) = watch::channel(false);
    tokio::spawn(serve(listener, Some(tls), service(&scene, Limits { most: 16, ..PATIENT }), told));
    let mut idle = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Half a greeting, or none.
        stream.write_all(if number % 2 == 0 { b"" } else { b"\x16\x03\x01\x02\0\x01" }).await.unwrap();
        idle.push(stream);
    }
    let believed = reqwest::Certificate::from_pem(cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([believed]).build().unwrap();
    let asked = client.get(format!("https://{address}/api/v1/health")).send();
    let answer = timeout(BOUND, asked).await.expect("an answer").unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    for stream in &mut idle[..150] {
        until_closed(stream).await;
    }
    scene.stays_unharmed().await;
}

#[tokio::test]
async fn a_host_whose_request_is_being_served_gives_way_to_nobody() {
    let mut served = Served::within(Limits { most: 16, ..PATIENT }).await;
    let mut held = served.holds(true).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(served.caller(b"GET /").await);
    }
    served.serves_others().await;
    let job = served.scene.world.job(served.scene.victim.id(), &run_job()).await.id;
    let answer = next_answer(&mut held).await;
    let body: CheckInResponse = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body.jobs.iter().map(|command| command.id).collect::<Vec<_>>(), [job]);
    served.scene.victim.runs(job).await.is(200);
    served.scene.victim.journal.remove(&served.scene.waiting);
    let mut after = served.caller(HEALTH).await;
    assert!(next_answer(&mut after).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn when_every_connection_is_being_served_the_next_caller_comes_in_as_soon_as_one_is_answered() {
    let mut served = Served::within(Limits { most: 2, ..PATIENT }).await;
    let _held = [served.holds(true).await, served.holds(false).await];
    let mut waiting = served.caller(HEALTH).await;
    let early = timeout(Duration::from_millis(200), waiting.read_u8()).await;
    assert!(early.is_err(), "there is no place yet, and nobody has two");
    served.scene.world.moves(i64::from(Pacing::default().max_hold_seconds));
    assert!(next_answer(&mut waiting).await.starts_with("HTTP/1.1 200"));
    served.scene.victim.journal.remove(&served.scene.waiting);
    served.stays_unharmed().await;
}

#[tokio::test]
async fn whoever_holds_the_most_connections_gives_one_to_whoever_has_none() {
    let mut served = Served::within(Limits { most: 4, ..PATIENT }).await;
    let mut victims = served.holds(true).await;
    let mut greedy = Vec::new();
    for _ in 0..3 {
        greedy.push(served.holds(false).await);
    }
    for _ in 0..2 {
        served.serves_others().await;
    }
    let oldest = next_answer(&mut greedy[0]).await;
    assert!(oldest.starts_with("HTTP/1.1 200"), "it is answered, and not cut off: {oldest}");
    let early = timeout(Duration::from_millis(200), victims.read_u8()).await;
    assert!(early.is_err(), "one who has one connection keeps it");
    served.scene.victim.journal.remove(&served.scene.waiting);
    served.stays_unharmed().await;
}

/// A request of which this much comes, and no more.
fn begun(path: &str, announced: usize, comes: usize) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {announced}\r\n\r\n");
    [head.as_bytes(), b"{\"username\":\"", &vec![b'a'; comes]].concat()
}

#[tokio::test]
async fn a_stranger_with_a_large_body_is_refused_before_it_comes() {
    let served = Served::within(PATIENT).await;
    for path in ["/api/v1/session", "/api/v1/agent/enroll", "/oauth/token"] {
        let mut stream = served.caller(&begun(path, 1024 * 1024, 0)).await;
        let answer = next_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    }
    assert_eq!(served.scene.world.app.requests.held(), 0);
    served.stays_unharmed().await;
}

#[tokio::test]
async fn a_thousand_slow_bodies_of_strangers_have_ten_seconds_and_no_more_memory_than_was_sent() {
    let served = Served::within(Limits { most: 4_000, ..PATIENT }).await;
    let requests = &served.scene.world.app.requests;
    let mut slow = Vec::new();
    for _ in 0..1_000 {
        slow.push(served.caller(&begun("/api/v1/session", 16_000, 1_000)).await);
    }
    let came = async {
        while requests.held() < 1_000 * 1_000 {
            tokio::task::yield_now().await;
        }
    };
    timeout(BOUND, came).await.expect("all of it is counted");
    assert!(requests.held() < 1_000 * 1_100, "{} bytes", requests.held());
    served.serves_others().await;
    timeout(BOUND, served.scene.world.clock.until_asleep(1_000)).await.expect("all of them are waited for");
    served.scene.world.moves(10);
    for stream in &mut slow {
        let answer = until_closed(stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(requests.held(), 0);
    served.stays_unharmed().await;
}

#[tokio::test]
async fn a_caller_that_asks_for_much_and_reads_nothing_is_let_go() {
    let mut served = Served::within(Limits { stall: Duration::from_millis(300), ..PATIENT }).await;
    let mut release = muster_tests::world::Release::sign(&served.scene.world, "1.1.0");
    release.bytes = vec![7; 1024 * 1024];
    release.manifest.targets[0].size = release.bytes.len() as u64;
    release.manifest.targets[0].sha256 = release.sha256();
    release.envelope = muster_tests::world::signed(&release.manifest);
    served.scene.world.admin().await.post("/api/v1/releases", &release.envelope).await.is(201);
    served.scene.world.uploads(&release).await.is(200);
    let bearer = served.scene.hostile.caller().await.header("authorization").unwrap();
    let path = format!("/api/v1/agent/blobs/{}?through_server=true", release.sha256());
    let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\n\r\n").repeat(40);
    let mut greedy = Vec::new();
    for _ in 0..5 {
        greedy.push(served.caller(ask.as_bytes()).await);
    }
    served.serves_others().await;
    // Whether it is gone can only be seen by reading, or by writing until somebody says so.
    for stream in &mut greedy {
        let gone = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while stream.write_all(HEALTH).await.is_ok() {
                ticks.tick().await;
            }
        };
        timeout(BOUND, gone).await.expect("the server lets it go");
    }
    served.stays_unharmed().await;
}

#[tokio::test]
async fn a_request_that_ends_in_two_places_is_no_request_and_nothing_after_it_is_one() {
    let served = Served::within(PATIENT).await;
    let hidden = "GET /api/v1/version HTTP/1.1\r\nhost: x\r\n\r\n";
    let post =
        |headers: &str, body: &str| format!("POST /oauth/token HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n{body}{hidden}");
    let shapes = [
        post("content-length: 5\r\ncontent-length: 6", "hello"),
        post("content-length: 5, 6", "hello"),
        post("content-length: +5", "hello"),
        post("content-length: -1", "hello"),
        post("content-length: 0x5", "hello"),
        post("content-length: 5 5", "hello"),
        post("content-length: 99999999999999999999999", "hello"),
        post("content-length : 5", "hello"),
        post("transfer-encoding: xchunked", "0\r\n\r\n"),
        post("transfer-encoding: chunked, identity", "0\r\n\r\n"),
        post("transfer-encoding: \u{b}chunked", "0\r\n\r\n"),
        post("transfer-encoding: chunked", "5;\r\nhello\r\nZ\r\n\r\n"),
        post("transfer-encoding: chunked", "-1\r\n\r\n"),
        post("transfer-encoding: chunked", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        post("transfer-encoding: chunked", "5\nhello\n0\n\n"),
        post("x: y\r\n content-length: 5", "hello"),
        post("x\0y: z", ""),
        post("x: y\0z", ""),
        post("no colon at all", ""),
        format!("GET /api/v1/health HTTP/1.1\rhost: x\r\r{hidden}"),
        format!("GET /api/v1/health HTTP/9.9\r\nhost: x\r\n\r\n{hidden}"),
        format!("GET /api/v1/health\u{0}x HTTP/1.1\r\nhost: x\r\n\r\n{hidden}"),
        format!("GET  /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n{hidden}"),
        format!("GET /api/v1/health HTTP/1.1 {hidden}"),
        format!("G\u{e9}T /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n{hidden}"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{hidden}"),
        format!("\u{16}\u{3}\u{1}\u{2}\0{hidden}"),
        format!("\0\0\0\0{hidden}"),
    ];
    for shape in shapes {
        let answers = served.answers(shape.as_bytes()).await;
        let told = answers.matches("HTTP/1.1 ").count();
        assert!(
            told <= 1 && !answers.contains("HTTP/1.1 200") && !answers.contains("HTTP/1.1 5"),
            "{shape:?}: {answers}"
        );
        assert!(!answers.contains("commit"), "the hidden request was served: {shape:?}: {answers}");
    }
    served.stays_unharmed().await;
}

#[tokio::test]
async fn of_two_lengths_the_pieces_count_as_the_standard_has_it() {
    let served = Served::within(PATIENT).await;
    let both = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n\
        1d\r\n0\r\n\r\nGET /nowhere HTTP/1.1\r\n\r\n\r\n\r\n0\r\n\r\n";
    let answers = served.answers(both.as_bytes()).await;
    assert!(answers.matches("HTTP/1.1 ").count() <= 1 && !answers.contains("not_found"), "{answers}");
    served.stays_unharmed().await;
}

#[tokio::test]
async fn heads_of_any_size_are_refused_in_time() {
    let served = Served::within(PATIENT).await;
    let head = |line: &str, headers: &str| format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n");
    let shapes = [
        head("GET /api/v1/health", &format!("x: {}", "y".repeat(200_000))),
        head("GET /api/v1/health", &format!("{}: y", "x".repeat(200_000))),
        head("GET /api/v1/health", &"x: y\r\n".repeat(5_000)),
        head("GET /api/v1/health", &"a: b\r\n".repeat(101)),
        head(&format!("GET /{}", "x".repeat(200_000)), ""),
        head(&format!("GET /api/v1/health?{}", "a=b&".repeat(50_000)), ""),
        head(&format!("{} /api/v1/health", "X".repeat(200_000)), ""),
        "GET /api/v1/health HTTP/1.1\r\nx: ".to_owned() + &"y".repeat(5_000_000),
    ];
    for shape in shapes {
        let answers = served.answers(shape.as_bytes()).await;
        let refused = answers.is_empty() || answers.starts_with("HTTP/1.1 4");
        assert!(refused && answers.matches("HTTP/1.1 ").count() <= 1, "{}: {answers}", &shape[..60]);
    }
    served.stays_unharmed().await;
}

#[tokio::test]
async fn a_length_that_is_a_lie_misleads_only_its_own_connection() {
    let served = Served::within(PATIENT).await;
    let short = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcdefgh\r\n\r\n";
    let answers = served.answers(short.as_bytes()).await;
    assert!(answers.starts_with("HTTP/1.1 422") && !answers.contains("HTTP/1.1 2"), "{answers}");
    let huge =
        "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n".to_owned() + &"a".repeat(20_000);
    let answers = served.answers(huge.as_bytes()).await;
    assert!(answers.is_empty() || answers.starts_with("HTTP/1.1 413"), "{answers}");
    let gone = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc";
    let answers = served.answers(gone.as_bytes()).await;
    assert!(answers.is_empty() || answers.starts_with("HTTP/1.1 400"), "{answers}");
    served.stays_unharmed().await;
}

#[tokio::test]
async fn thousands_of_requests_in_one_breath_are_answered_one_after_the_other() {
    let served = Served::within(PATIENT).await;
    let (mut reader, mut writer) = served.caller(b"").await.into_split();
    let writing = tokio::spawn(async move {
        for _ in 0..3_000 {
            writer.write_all(HEALTH).await.unwrap();
        }
        writer
    });
    let (mut answers, mut bytes) = (0, [0; 16_384]);
    let mut tail = String::new();
    while answers < 3_000 {
        let count = timeout(BOUND, reader.read(&mut bytes)).await.expect("an answer").unwrap();
        assert!(count > 0, "closed after {answers}");
        tail.push_str(&String::from_utf8_lossy(&bytes[..count]));
        answers += tail.matches("HTTP/1.1 200 OK").count();
        tail = tail.rsplit("HTTP/1.1 200 OK").next().unwrap().to_owned();
    }
    drop(writing.await.unwrap());
    served.stays_unharmed().await;
}

#[tokio::test]
async fn callers_that_hang_up_in_the_middle_leave_no_held_poll_behind() {
    let mut served = Served::within(PATIENT).await;
    for _ in 0..50 {
        drop(served.holds(false).await);
        let gone = async {
            while !served.scene.world.app.polls.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(BOUND, gone).await.expect("nobody waits for it any more");
    }
    served.stays_unharmed().await;
}
