//! No request of any shape is a fault of the server, and none makes it tell a secret.
//!
//! Bodies are made from the schemas of the `OpenAPI` document and then spoilt. The draws are seeded: a failure repeats.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request},
};
use muster_domain::pacing::Pacing;
use muster_schemas::{enrollment::EnrollmentTokenCreated, problems::ProblemCode};
use muster_server::api::{openapi, routes};
use muster_tests::world::{Caller, Logs, World, run_job};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

const WORLDS: u64 = 20;
const REQUESTS: usize = 120;

/// A world with one of everything, its callers, and the secrets that nobody may be told again.
struct Target {
    world: World,
    callers: Vec<Caller>,
    secrets: Vec<String>,
    ids: Vec<String>,
}

impl Target {
    async fn new() -> Self {
        let world = World::new().await;
        // No poll is held: a held one would only wait for the clock.
        let world = world.paced(Pacing { max_hold_seconds: 0, ..Pacing::default() });
        let mut host = world.host("one").await;
        let job = world.job(host.id(), &run_job()).await;
        let release = world.publishes("1.1.0").await;
        let fleet_update = world.fleet_update(&json!({ "version": "1.1.0" })).await;
        let admin = world.admin().await;
        let token: EnrollmentTokenCreated = world.token(3).await;
        let key = admin.post("/api/v1/api-keys", &json!({ "name": "ci", "role": "operator" })).await.value();
        let login = json!({ "username": "admin", "password": World::password() });
        let signed_in = world.nobody().post("/api/v1/session", &login).await.is(201);
        let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
        let users = admin.get("/api/v1/users").await.value();
        let key_text = key["key"].as_str().unwrap().to_owned();
        let callers = vec![
            world.nobody(),
            world.nobody().bearing("mst_01KJQ6PSG00000000000000001garbage"),
            host.caller().await,
            host.caller().await,
            world.viewer().await,
            world.operator().await,
            admin.clone(),
            admin.clone(),
            world.nobody().bearing(&key_text),
            world.nobody().with("cookie", &cookie),
        ];
        let assertion = host.assertion();
        let mut secrets = vec![
            World::password().to_owned(),
            token.token.reveal().to_owned(),
            key_text,
            cookie.split_once('=').unwrap().1.to_owned(),
            world.app.settings.token_secret.reveal().to_owned(),
            assertion,
        ];
        let bearers = callers.iter().filter_map(|caller| caller.header("authorization"));
        secrets.extend(bearers.filter_map(|value| Some(value.strip_prefix("Bearer ")?.to_owned())));
        let ids = vec![
            host.id().to_string(),
            job.id.to_string(),
            fleet_update.id.to_string(),
            token.view.id.to_string(),
            key["id"].as_str().unwrap().to_owned(),
            users["items"][0]["id"].as_str().unwrap().to_owned(),
            release.version.clone(),
            release.sha256(),
            "linux-x86_64".to_owned(),
        ];
        // A token that is rightly asked for again is another one a second later.
        world.moves(1);
        Self { world, callers, secrets, ids }
    }
}

#[tokio::test]
async fn no_request_of_any_shape_is_a_fault_and_none_is_told_a_secret() {
    let logs = Logs::capture();
    let document: Value = serde_json::from_str(&openapi::text(&routes())).unwrap();
    let mut secrets = Vec::new();
    for seed in 0..worlds() {
        let mut draw = Draw { random: StdRng::seed_from_u64(seed), document: &document };
        let target = Target::new().await;
        for _ in 0..REQUESTS {
            let request = draw.request(&target);
            let told = format!("seed {seed}: {} {}", request.method(), request.uri());
            let caller = target.callers.choose(&mut draw.random).unwrap();
            // The shape of every answer is checked by the caller; time goes on for whoever waits.
            let answer = tokio::select! {
                answer = caller.sends(request) => answer,
                () = time_goes_on(&target.world) => unreachable!("time never ends"),
            };
            for secret in &target.secrets {
                assert!(!answer.text().contains(secret.as_str()), "{told} told a secret: {}", answer.text());
            }
        }
        target.world.settles().await;
        target.world.tick().await;
        target.world.is_consistent().await;
        secrets.extend(target.secrets);
    }
    let logged = logs.text();
    for secret in secrets {
        assert!(!logged.contains(&secret), "a secret was logged");
    }
}

#[tokio::test]
async fn a_body_over_any_limit_is_too_large_and_never_a_fault() {
    let target = Target::new().await;
    for route in routes().into_iter().filter(|route| route.takes.is_some()) {
        let path = route.path.replace("{id}", &target.ids[0]).replace("{version}", "1.1.0");
        let body = Body::from(vec![b' '; 1024 * 1024 + 1]);
        let request = Request::builder().method(route.method).uri(&path).body(body).unwrap();
        let admin = &target.callers[6];
        let host = &target.callers[2];
        let caller = if path.contains("/agent/") { host } else { admin };
        let code = caller.sends(request).await.problem().code;
        assert!(matches!(code, ProblemCode::TooLarge | ProblemCode::NotFound), "{path}: {code}");
    }
}

/// `MUSTER_FUZZ_WORLDS=300` draws for longer.
fn worlds() -> u64 {
    std::env::var("MUSTER_FUZZ_WORLDS").map_or(WORLDS, |worlds| worlds.parse().unwrap())
}

async fn time_goes_on(world: &World) {
    loop {
        world.clock.until_asleep(1).await;
        world.moves(60);
        tokio::task::yield_now().await;
    }
}

fn form(value: &Value) -> Vec<u8> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('&', "%26");
    let pairs = value.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={}", text(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

/// Draws requests.
struct Draw<'a> {
    random: StdRng,
    document: &'a Value,
}

impl Draw<'_> {
    fn request(&mut self, target: &Target) -> Request<Body> {
        let all = routes();
        let route = all.choose(&mut self.random).unwrap();
        let method = if self.one_in(20) { self.of(&METHODS).parse().unwrap() } else { route.method.clone() };
        let path =
            route.path.split('/').map(|part| if part.starts_with('{') { self.segment(target) } else { part.into() });
        let mut uri = path.collect::<Vec<String>>().join("/");
        if self.one_in(3) {
            let pairs =
                (0..self.random.random_range(1..4)).map(|_| format!("{}={}", self.of(&PARAMETERS), self.of(&VALUES)));
            uri = format!("{uri}?{}", pairs.collect::<Vec<_>>().join("&"));
        }
        let mut request = Request::builder().method(&method).uri(uri);
        for _ in 0..self.random.random_range(0..3) {
            let (name, value) = (self.of(&HEADERS), self.header_value());
            request = request.header(HeaderName::from_static(name), value);
        }
        request.body(self.body(route.path, &method, target)).unwrap()
    }

    fn segment(&mut self, target: &Target) -> String {
        match self.random.random_range(0..10) {
            0 => self.of(&SEGMENTS).to_owned(),
            1 => format!("{}_01KJQ6PSG00000000000000009", self.of(&["host", "job", "fup", "tok", "key", "usr"])),
            _ => target.ids.choose(&mut self.random).unwrap().clone(),
        }
    }

    fn header_value(&mut self) -> HeaderValue {
        if self.one_in(5) {
            let bytes = (0..self.random.random_range(0..40)).map(|_| self.random.random_range(0x80..=0xff));
            return HeaderValue::from_bytes(&bytes.collect::<Vec<u8>>()).unwrap();
        }
        HeaderValue::from_static(self.of(&HEADER_VALUES))
    }

    fn body(&mut self, path: &str, method: &Method, target: &Target) -> Body {
        let pointer =
            format!("/paths/{}/{}/requestBody/content", path.replace('/', "~1"), method.as_str().to_lowercase());
        let schema = self.document.pointer(&pointer).and_then(|content| content.as_object()?.values().next());
        let Some(schema) = schema.map(|content| content["schema"].clone()) else {
            return Body::from(vec![0x5a; self.random.random_range(0..64)]);
        };
        let mut value = self.value(&schema, target, 0);
        for _ in 0..self.random.random_range(0..3) {
            self.spoils(&mut value);
        }
        let mut bytes = if path == "/oauth/token" { form(&value) } else { serde_json::to_vec(&value).unwrap() };
        match self.random.random_range(0..40) {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes.push(0xff),
            2 => bytes = [b"[".repeat(200_000), bytes].concat(),
            3 => bytes = [br#"{"a":"#.repeat(50_000), bytes].concat(),
            4 => bytes.clear(),
            5 => bytes.iter_mut().step_by(7).for_each(|byte| *byte ^= 0x80),
            _ => {}
        }
        Body::from(bytes)
    }

    /// A value of this schema, mostly.
    fn value(&mut self, schema: &Value, target: &Target, depth: usize) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let schema = self.document.pointer(&reference[1..]).unwrap().clone();
            return self.value(&schema, target, depth);
        }
        for union in ["oneOf", "anyOf"] {
            if let Some(schema) = schema[union].as_array().and_then(|all| all.choose(&mut self.random)).cloned() {
                return self.value(&schema, target, depth);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.value(part, target, depth)).collect::<Vec<_>>();
            let members = parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten();
            return Value::Object(members.collect());
        }
        if let Some(word) = schema["enum"].as_array().and_then(|words| words.choose(&mut self.random)) {
            return word.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.choose(&mut self.random).and_then(Value::as_str).unwrap_or("null").to_owned(),
            kind => kind.as_str().unwrap_or("object").to_owned(),
        };
        match kind.as_str() {
            "object" => self.object(schema, target, depth),
            "array" if depth < 6 => {
                (0..self.random.random_range(0..4)).map(|_| self.value(&schema["items"], target, depth + 1)).collect()
            }
            "array" => json!([]),
            "string" => self.text(target),
            "integer" | "number" => self.number(),
            "boolean" => json!(self.random.random::<bool>()),
            _ => Value::Null,
        }
    }

    fn object(&mut self, schema: &Value, target: &Target, depth: usize) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut object = serde_json::Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            if depth < 6 && (required.contains(&json!(name)) || self.one_in(2)) {
                let value = self.member(name, member, target, depth);
                object.insert(name.clone(), value);
            }
        }
        Value::Object(object)
    }

    /// Secrets come only where they belong: an answer that holds one has told it.
    fn member(&mut self, name: &str, schema: &Value, target: &Target, depth: usize) -> Value {
        match name {
            "password" if self.one_in(2) => json!(World::password()),
            "enrollment_token" if self.one_in(2) => json!(target.secrets[1]),
            "client_assertion" if self.one_in(2) => json!(target.secrets[5]),
            "username" if self.one_in(2) => json!("admin"),
            "kind" if self.one_in(2) => json!(self.of(&["run", "inspect", "cookie", "bearer"])),
            "spec" if self.one_in(2) => json!({ "argv": ["/bin/true"] }),
            "grant_type" if self.one_in(2) => json!(muster_schemas::check_ins::GRANT_TYPE),
            "client_assertion_type" if self.one_in(2) => json!(muster_schemas::check_ins::ASSERTION_TYPE),
            "protocol" | "session" if self.one_in(2) => json!(1),
            "version" if self.one_in(2) => json!("1.1.0"),
            _ => self.value(schema, target, depth + 1),
        }
    }

    fn text(&mut self, target: &Target) -> Value {
        match self.random.random_range(0..4) {
            0 => json!(self.of(&TEXTS)),
            1 => json!("2026-03-02T13:00:00Z"),
            2 => json!(self.of(&[
                "2026-03-02T13:00:00Z",
                "9999-12-31T23:59:59Z",
                "-009999-01-01T00:00:00Z",
                "10%",
                "22:00"
            ])),
            _ => json!(target.ids.choose(&mut self.random).unwrap()),
        }
    }

    fn number(&mut self) -> Value {
        let numbers = [
            json!(0),
            json!(1),
            json!(2),
            json!(100),
            json!(3_600),
            json!(-1),
            json!(65_535),
            json!(65_536),
            json!(u32::MAX),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!(0.5),
        ];
        numbers.choose(&mut self.random).unwrap().clone()
    }

    /// Changes one place of a value into something else.
    fn spoils(&mut self, value: &mut Value) {
        let deeper = self.one_in(2);
        match value {
            Value::Object(members) if deeper && !members.is_empty() => {
                let place = self.random.random_range(0..members.len());
                self.spoils(members.values_mut().nth(place).unwrap());
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let place = self.random.random_range(0..items.len());
                self.spoils(&mut items[place]);
            }
            Value::Object(members) if self.one_in(2) => {
                members.insert(self.of(&TEXTS).to_owned(), Value::Null);
            }
            Value::Object(members) => {
                let name = members.keys().next().cloned();
                name.and_then(|name| members.remove(&name));
            }
            other => *other = self.odd(),
        }
    }

    fn odd(&mut self) -> Value {
        match self.random.random_range(0..6) {
            0 => self.number(),
            1 => Value::Null,
            2 => json!(self.of(&TEXTS)),
            3 => json!("long ".repeat(20_000)),
            4 => (0..100).fold(json!([]), |inner, _| json!([inner])),
            _ => json!({}),
        }
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.random).unwrap()
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.random.random_range(0..count) == 0
    }
}

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"];
const SEGMENTS: [&str; 9] =
    ["%00", "%2e%2e%2f%2e%2e", "%ff%fe", "a%20b", "x%23y", "%F0%9F%A6%80", "null", "-1", "1.1.0%0d%0a"];
const PARAMETERS: [&str; 19] = [
    "limit", "cursor", "wait", "revision", "after", "label", "os", "version", "updates", "online", "state", "host",
    "kind", "subject", "alert", "dry_run", "force", "reason", "deep",
];
const VALUES: [&str; 16] = [
    "",
    "0",
    "1",
    "-1",
    "true",
    "behind",
    "queued",
    "retired",
    "18446744073709551615",
    "99999999999999999999",
    "%00",
    "%ff",
    "a%3Db",
    "host_01KJQ6PSG00000000000000001",
    "~~~~",
    "1e9",
];
const HEADERS: [&str; 9] = [
    "idempotency-key",
    "if-match",
    "content-type",
    "range",
    "origin",
    "x-csrf-token",
    "content-length",
    "x-request-id",
    "accept",
];
const HEADER_VALUES: [&str; 12] = [
    "",
    "1",
    "\"1\"",
    "*",
    "W/\"1\"",
    "application/json",
    "text/html",
    "bytes=0-",
    "bytes=18446744073709551615-",
    "bytes=a-b",
    "https://muster.test",
    "18446744073709551616",
];
const TEXTS: [&str; 14] = [
    "",
    "a",
    "\u{0}",
    "\u{1F980}",
    "../../etc/passwd",
    "a\r\nSet-Cookie: x=y",
    "'; DROP TABLE items; --",
    "${jndi:ldap://x}",
    "<script>",
    "NaN",
    "host_01KJQ6PSG00000000000000001",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "/bin/true",
    "1.1.0",
];
