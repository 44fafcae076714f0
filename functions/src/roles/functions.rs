//! Functions: the same handlers in Lambda. `MUSTER_ROLE` says which: `api` answers HTTP, `tick` runs the duties.
//!
//! Nothing is held and nothing goes on after an answer, because a function is frozen between two requests. Settings come from
//! the environment, and a wrong one ends the start with one line.

use std::{
    io::{self, Write as _},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};
use clap::Parser;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::{RequestExt as _, request::RequestContext};
use muster_domain::pacing::Pacing;
use muster_schemas::secrets::Secret;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tower::{ServiceExt, service_fn};

use super::{installations, pacing, proxies, readings::Readings, retention, storage, urls};
use crate::{
    api::{
        self,
        identity::addresses::{ClientAddress, TrustedProxies},
    },
    app::{App, BODY_MEMORY_BYTES, Settings},
    clock::SystemClock,
    errors::chain,
    tick::{self, Summary},
};

/// An answer may have 6 MB, in which bytes are written as base64.
const MAX_BLOB_PART_BYTES: u64 = 4 * 1024 * 1024;

/// The settings of a function, from its environment.
#[derive(Debug, Parser)]
#[command(name = "muster-server", no_binary_name = true)]
struct Options {
    #[command(flatten)]
    storage: storage::Options,
    #[command(flatten)]
    pacing: pacing::Options,
    #[command(flatten)]
    proxies: proxies::Options,
    #[command(flatten)]
    retention: retention::Options,
    /// The URL that hosts and people know the server by
    #[arg(long, env = "MUSTER_PUBLIC_URL", value_parser = urls::public_url)]
    public_url: String,
    /// Further URLs that hosts reach the server by, with commas in between
    #[arg(long, env = "MUSTER_ALSO_KNOWN_AS", default_value = "", value_parser = also_known_as)]
    also_known_as: String,
    /// The URL of the console, if it is another
    #[arg(long, env = "MUSTER_CONSOLE_URL", default_value = "", value_parser = console_url)]
    console_url: String,
}

/// A template cannot leave out a setting: empty means absent.
fn console_url(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { urls::public_url(text) }
}

/// The same of several, with commas in between.
fn also_known_as(text: &str) -> Result<String, String> {
    let urls = text.split(',').filter(|url| !url.is_empty()).map(urls::public_url);
    urls.collect::<Result<Vec<_>, _>>().map(|urls| urls.join(","))
}

/// Serves invocations until the environment ends.
pub fn run(role: &str) -> Result<(), String> {
    if !matches!(role, "api" | "tick") {
        return Err(format!("MUSTER_ROLE is {role:?}; in a function it is api or tick"));
    }
    let options = Options::try_parse_from::<[&str; 0], _>([]).map_err(|error| missing(&error.to_string()))?;
    // One invocation at a time: a second thread would only have to be started.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let storage = opened(&options).await?;
        let served = match role {
            "api" => {
                let secret = storage.token_secret().await.map_err(|error| chain(&error))?;
                let names = options.also_known_as.split(',').filter(|url| !url.is_empty()).map(str::to_owned).collect();
                let proxies = options.proxies.trusted();
                let app = app(options, storage, secret)?;
                installations::begin(&app, names).await.map_err(|error| chain(&error))?;
                serve_api(app, proxies).await
            }
            // The tick neither gives out nor believes a token, and has no right to the secret.
            _ => serve_tick(app(options, storage, Secret::new(""))?).await,
        };
        served.map_err(|error| chain(&*error))
    })
}

/// A complaint about options as one line, in the words of the environment: `--table <TABLE>` is `MUSTER_TABLE`.
fn missing(complaint: &str) -> String {
    let lines = complaint.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let told = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let words = told.flat_map(str::split_whitespace).filter(|word| !matches!(*word, "error:"));
    let words = words.filter(|word| !word.trim_start_matches('\'').starts_with("--"));
    let named = |word: &str| match word.strip_prefix('<').and_then(|word| word.split_once('>')) {
        Some((name, rest)) => format!("MUSTER_{name}{}", rest.trim_start_matches('\'')),
        None => word.to_owned(),
    };
    words.map(named).collect::<Vec<_>>().join(" ")
}

async fn opened(options: &Options) -> Result<storage::Storage, String> {
    let storage = options.storage.open().await.map_err(|error| chain(&error))?;
    if !storage.is_shared() {
        return Err("MUSTER_TABLE and MUSTER_BUCKET are missing: a function keeps nothing itself".into());
    }
    Ok(storage)
}

fn app(options: Options, storage: storage::Storage, token_secret: Secret) -> Result<App, String> {
    let settings = Settings {
        public_url: options.public_url,
        console_url: options.console_url,
        token_secret,
        pacing: options.pacing.applied_to(Pacing::of_functions())?,
        retention: options.retention.retention(),
        max_target_bytes: super::MAX_TARGET_BYTES,
        max_blob_part_bytes: Some(MAX_BLOB_PART_BYTES),
        body_memory_bytes: BODY_MEMORY_BYTES,
    };
    Ok(App::new(storage.table, storage.blobs, Arc::new(SystemClock), settings))
}

async fn serve_api(app: App, proxies: TrustedProxies) -> Result<(), lambda_http::Error> {
    let router = api::router(&app);
    let serve = move |mut request: lambda_http::Request| {
        let client = source(&request).map(|peer| proxies.client(peer, request.headers()));
        client.map(|client: ClientAddress| request.extensions_mut().insert(client));
        measured(app.clone(), router.clone(), request)
    };
    lambda_http::run(service_fn(serve)).await
}

/// The address of whoever called the API or the function's URL, by their word: `CloudFront`, where it stands in front.
fn source(request: &lambda_http::Request) -> Option<IpAddr> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref()?.parse().ok(),
        _ => None,
    }
}

async fn measured(app: App, router: Router, request: lambda_http::Request) -> Result<Response, lambda_http::Error> {
    let request: Request = request.map(axum::body::Body::new);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let response = ServiceExt::<Request>::oneshot(router, request).await?;
    // Tasks that the request has begun end before the answer leaves: afterwards the function is frozen.
    app.settled().await;
    if !is_routine(&method, &path, response.status()) {
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        let metrics = [
            ("requests", "Count", json!(1)),
            ("faults", "Count", json!(u8::from(response.status().is_server_error()))),
            ("latency", "Milliseconds", json!(milliseconds)),
        ];
        let request_id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let more = json!({
            "method": method.as_str(), "path": path, "status": response.status().as_u16(), "request_id": request_id,
        });
        report(&app, "api", &metrics, more);
    }
    Ok(response)
}

/// Whether a request is one that every host makes all day long, and succeeded: a line for each would cost more than the rest.
fn is_routine(method: &Method, path: &str, status: StatusCode) -> bool {
    method == Method::POST
        && matches!(path, "/api/v1/agent/check-in" | "/oauth/token")
        && (status.is_success() || status == StatusCode::UNAUTHORIZED)
}

async fn serve_tick(app: App) -> Result<(), lambda_http::Error> {
    let (readings, walks) = (Arc::new(Mutex::new(Readings::of(&app).await)), Arc::new(AtomicBool::new(true)));
    let handler = move |_: LambdaEvent<Value>| {
        let (app, readings, walks) = (app.clone(), Arc::clone(&readings), walks.clone());
        async move {
            let started = Instant::now();
            let done = readings.lock().await.tick(&app).await.map_err(|error| chain(&error))?;
            if walks.load(Ordering::Relaxed) {
                let more = tick::walk::step(&app).await.unwrap_or_else(|error| {
                    tracing::warn!("Records of before are left to the next tick: {}", chain(&error));
                    true
                });
                walks.store(more, Ordering::Relaxed);
            }
            app.settled().await;
            if done != Summary::default() {
                let milliseconds = started.elapsed().as_secs_f64() * 1e3;
                report(&app, "tick", &[("due", "Count", json!(done.due))], json!({ "latency": milliseconds }));
            }
            Ok::<_, String>(json!({ "due": done.due, "expired": done.expired }))
        }
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// One line for the log that is metrics, too (`CloudWatch`'s embedded metric format).
fn report(app: &App, role: &str, metrics: &[(&str, &str, Value)], more: Value) {
    let described = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect::<Vec<_>>();
    let mut line = json!({
        "_aws": {
            "Timestamp": app.now().as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": "Muster", "Dimensions": [["role"]], "Metrics": described }],
        },
        "role": role,
    });
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())));
        line.extend(more);
    }
    // Nobody is left to tell where the log is gone.
    drop(writeln!(io::stdout(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "embedded")]
    #[tokio::test]
    async fn what_an_answer_has_begun_is_done_before_it_leaves() -> Result<(), lambda_http::Error> {
        use muster_domain::retention::Retention;

        use crate::{blobs::directory::Directory, store::sqlite::SqliteTable};

        let folder = tempfile::tempdir()?;
        let settings = Settings {
            public_url: "https://muster.example".into(),
            console_url: String::new(),
            token_secret: Secret::new("no token is signed here"),
            pacing: Pacing::of_functions(),
            retention: Retention::default(),
            max_target_bytes: super::super::MAX_TARGET_BYTES,
            max_blob_part_bytes: None,
            body_memory_bytes: BODY_MEMORY_BYTES,
        };
        let table = SqliteTable::open(&folder.path().join("muster.sqlite"))?;
        let app = App::new(Arc::new(table), Arc::new(Directory::open(folder.path())?), Arc::new(SystemClock), settings);
        let done = Arc::new(AtomicBool::new(false));
        let (begins, is_done) = (app.clone(), done.clone());
        let begun = axum::routing::get(move || async move {
            begins.tasks.spawn(async move {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                is_done.store(true, Ordering::Release);
            });
        });
        measured(app, Router::new().route("/", begun), lambda_http::Request::default()).await?;
        assert!(done.load(Ordering::Acquire), "a function stands still after its answer");
        Ok(())
    }

    #[test]
    fn what_is_missing_is_named_as_the_environment_names_it() {
        let required =
            "error: the following required arguments were not provided:\n  --public-url <PUBLIC_URL>\n\nUsage: x";
        assert_eq!(missing(required), "the following required arguments were not provided: MUSTER_PUBLIC_URL");
        let empty =
            "error: invalid value '' for '--table <TABLE>': must not be empty\n\nFor more information, try '--help'.\n";
        assert_eq!(missing(empty), "invalid value '' for MUSTER_TABLE: must not be empty");
    }

    #[test]
    fn only_what_every_host_does_all_day_leaves_no_line() {
        let check_in = "/api/v1/agent/check-in";
        assert!(is_routine(&Method::POST, check_in, StatusCode::OK));
        assert!(is_routine(&Method::POST, "/oauth/token", StatusCode::OK));
        assert!(!is_routine(&Method::POST, check_in, StatusCode::CONFLICT));
        assert!(!is_routine(&Method::POST, check_in, StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!is_routine(&Method::POST, "/api/v1/jobs", StatusCode::ACCEPTED));
    }
}
