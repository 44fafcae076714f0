//! The server's API as an operator uses it, one blocking call at a time.

use std::{fmt::Debug, sync::LazyLock};

use muster_schemas::{problems::Problem, releases::UploadPlace};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

use super::patience::{PATIENCE, breathe};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// Somebody who is signed in, or not yet.
pub struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Api {
    /// Nobody.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build().unwrap();
        Self::with(base, http)
    }

    /// Nobody, by a client of one's own.
    pub fn with(base: &str, http: reqwest::Client) -> Self {
        Self { base: base.into(), token: String::new(), http }
    }

    /// The same person, who reaches the server another way.
    pub fn by(&self, base: &str) -> Self {
        Self { base: base.into(), token: self.token.clone(), http: self.http.clone() }
    }

    /// Whoever has this credential.
    pub fn bearing(&self, token: &str) -> Self {
        Self { token: token.into(), ..self.by(&self.base) }
    }

    /// Signs in as the admin.
    pub fn sign_in(&mut self, password: &str) {
        let login = json!({ "username": "admin", "password": password, "kind": "bearer" });
        let session: Value = self.post("/session", &login);
        self.token = session["token"].as_str().unwrap().into();
    }

    /// Whether there is a server.
    pub fn is_healthy(&self) -> bool {
        self.health().is_ok()
    }

    /// What the health check says, or why there is no connection.
    pub fn health(&self) -> Result<(), reqwest::Error> {
        RUNTIME.block_on(async { self.request(Method::GET, "/health").send().await?.error_for_status().map(drop) })
    }

    /// Reads something that is there.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        read(send(self.request(Method::GET, path)).unwrap_or_else(|problem| panic!("GET {path}: {problem:?}")))
    }

    /// Reads a text that is there.
    pub fn text(&self, path: &str) -> String {
        let request = self.request(Method::GET, path);
        RUNTIME.block_on(async { request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap() })
    }

    /// Asks for something that is granted.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        read(self.try_post(path, body).unwrap_or_else(|problem| panic!("POST {path}: {problem:?}")))
    }

    /// Changes something.
    pub fn patch(&self, path: &str, body: &Value) {
        send(self.request(Method::PATCH, path).json(body))
            .unwrap_or_else(|problem| panic!("PATCH {path}: {problem:?}"));
    }

    /// Takes something away.
    pub fn delete(&self, path: &str) {
        send(self.request(Method::DELETE, path)).unwrap_or_else(|problem| panic!("DELETE {path}: {problem:?}"));
    }

    /// Posts a form to a path of the server itself; texts of letters, digits, points, dashes and colons are their own
    /// encoding.
    pub fn post_form<T: DeserializeOwned>(&self, path: &str, form: &[(&str, &str)]) -> T {
        let body = form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = self.http.post(format!("{}{path}", self.base)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        read(send(request).unwrap_or_else(|problem| panic!("POST {path}: {problem:?}")))
    }

    /// Asks for something.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Value, Box<Problem>> {
        send(self.request(Method::POST, path).json(body))
    }

    /// Uploads.
    pub fn try_put(&self, path: &str, body: Vec<u8>) -> Result<Value, Box<Problem>> {
        send(self.request(Method::PUT, path).body(body))
    }

    /// Uploads to where the server says, which may be elsewhere.
    pub fn upload(&self, path: &str, body: Vec<u8>) {
        let place: UploadPlace = self.post(&format!("{path}/upload"), &json!({}));
        if let Some(url) = place.url {
            let request = self.http.put(url.reveal()).body(body);
            let request = place.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            RUNTIME.block_on(async { request.send().await.unwrap().error_for_status().unwrap() });
            self.try_put(&format!("{path}?uploaded=true"), Vec::new()).unwrap();
        } else {
            self.try_put(path, body).unwrap();
        }
    }

    /// Waits until a record is as wanted, by held polls where they are held.
    pub fn wait<T: DeserializeOwned + Debug>(&self, path: &str, wanted: impl Fn(&T) -> bool) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut found: Value = self.get(path);
        loop {
            let record: T = read(found.clone());
            if wanted(&record) {
                return record;
            }
            assert!(Instant::now() < deadline, "waited {} s in vain: {path} is {record:#?}", PATIENCE.as_secs());
            let known = found["revision"].take();
            found = self.get(&format!("{path}?wait=5&revision={known}"));
            if found["revision"] == known {
                // Not every body holds polls.
                breathe();
            }
        }
    }

    /// Reads a record when it has changed, or after a minute.
    pub fn next_change(&self, path: &str) -> Value {
        self.get(&format!("{path}?wait=60"))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token)
    }
}

fn send(request: RequestBuilder) -> Result<Value, Box<Problem>> {
    RUNTIME.block_on(async {
        let response = request.send().await.unwrap();
        let status = response.status();
        let body = response.bytes().await.unwrap();
        if status.is_success() {
            Ok(if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
        } else {
            Err(serde_json::from_slice(&body).unwrap())
        }
    })
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}
