//! Hosts of the bench: they speak the protocol and do nothing, so that what is measured is the server.

use std::time::Instant;

use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE},
    envelopes::public_key,
    ids::HostId,
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

/// PKCS #8, version 1: a fixed head before the 32 bytes of an Ed25519 key.
const PKCS8_HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

/// A caller of the API.
#[derive(Clone)]
pub struct Api {
    pub client: reqwest::Client,
    pub url: String,
    pub token: String,
}

impl Api {
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.json::<Value>().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    pub async fn hello(&self) {
        self.client.get(format!("{}/api/v1/health", self.url)).send().await.unwrap().bytes().await.unwrap();
    }
}

/// A host that speaks the protocol and does nothing.
#[derive(Clone)]
pub struct Host {
    pub id: HostId,
    session: u64,
    api: Api,
}

impl Host {
    async fn joins(admin: &Api, token: &str) -> Self {
        let key = SigningKey::from_bytes(&rand::random());
        let public_key = public_key(&key).to_string();
        let facts = json!({"hostname": "bench", "os": "linux", "architecture": "x86_64"});
        let body = json!({"enrollment_token": token, "public_key": public_key, "facts": facts});
        let joined = admin.post("/api/v1/agent/enroll", &body).await;
        let id = joined["host_id"].as_str().unwrap().parse::<HostId>().unwrap();
        let now = jiff::Timestamp::now().as_second();
        let (aud, jti) = (joined["audience"].as_str().unwrap().to_owned(), rand::random::<u64>().to_string());
        let claims = AssertionClaims { iss: id, sub: id, aud, iat: now, exp: now + 60, jti };
        let der = [&PKCS8_HEAD[..], &key.to_bytes()[..]].concat();
        let key = EncodingKey::from_ed_der(&der);
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &key).unwrap();
        let form =
            [("grant_type", GRANT_TYPE), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)];
        let request = admin.client.post(format!("{}/oauth/token", admin.url));
        let form = form.map(|(name, value)| format!("{name}={value}")).join("&");
        let token = request.body(form).send().await.unwrap().json::<Value>().await.unwrap();
        let api = Api { token: token["access_token"].as_str().unwrap().into(), ..admin.clone() };
        let process = muster_schemas::ids::ProcessId::new(jiff::Timestamp::now(), rand::random());
        let agent = json!({"version": "1.0.0", "executable_sha256": "0".repeat(64), "process_id": process});
        let body = json!({"protocol": 1, "agent": agent, "facts": facts});
        let session = api.post("/api/v1/agent/session", &body).await;
        Self { id, session: session["session"].as_u64().unwrap(), api }
    }

    pub async fn checks_in(&self, wait_seconds: u16, open: &[String]) -> Value {
        let body = json!({"session": self.session, "wait_seconds": wait_seconds, "open": open});
        self.api.post("/api/v1/agent/check-in", &body).await
    }

    /// Holds a poll for ever, and says when a job has come.
    pub async fn holds(self, delivered: mpsc::UnboundedSender<(String, Instant)>) {
        let mut open = Vec::new();
        loop {
            let answer = self.checks_in(280, &open).await;
            for job in answer["jobs"].as_array().unwrap() {
                let id = job["id"].as_str().unwrap().to_owned();
                drop(delivered.send((id.clone(), Instant::now())));
                open.push(id);
            }
        }
    }
}

/// Joins so many hosts, by many tokens side by side: a token is one record.
pub async fn join_all(admin: &Api, count: usize) -> Vec<Host> {
    const SEATS: usize = 50;
    let begun = Instant::now();
    let mut joining = JoinSet::new();
    for _ in 0..count / SEATS {
        let admin = admin.clone();
        joining.spawn(async move {
            let token = admin.post("/api/v1/enrollment-tokens", &json!({"seats": SEATS})).await;
            let mut hosts = Vec::new();
            for _ in 0..SEATS {
                hosts.push(Host::joins(&admin, token["token"].as_str().unwrap()).await);
            }
            hosts
        });
    }
    let hosts = joining.join_all().await.concat();
    let seconds = begun.elapsed().as_secs_f64();
    println!("joins                 {:.0} hosts/s (enrolment, access token and session each)", count as f64 / seconds);
    hosts
}
