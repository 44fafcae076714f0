//! A bad day at Amazon's: between the SDK and the service requests are throttled, fail, or lose their answer.
//!
//! The SDK's own retries and the table's recognition of its own writes are part of what is tested, so the faults are put
//! where the network is.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// How often what goes wrong, of all requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct FaultRates {
    /// Throttled: not done.
    pub throttled: f64,
    /// The service's own fault: not done.
    pub failed: f64,
    /// Done, but the answer never comes.
    pub unanswered: f64,
}

/// What went wrong so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Requests in all.
    pub requests: u32,
    /// Of them throttled.
    pub throttled: u32,
    /// Of them failed.
    pub failed: u32,
    /// Of them done without an answer.
    pub unanswered: u32,
}

/// A network on which things go wrong, the same for the same seed. Cheap to clone: the same network.
#[derive(Debug, Clone)]
pub struct BadNetwork {
    within: SharedHttpClient,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    random: StdRng,
    rates: FaultRates,
    counts: FaultCounts,
}

enum Fate {
    Passes,
    Throttled,
    Failed,
    Unanswered,
}

impl BadNetwork {
    /// A good one, until it is told otherwise.
    pub fn new(seed: u64) -> Self {
        let state =
            State { random: StdRng::seed_from_u64(seed), rates: FaultRates::default(), counts: FaultCounts::default() };
        let within = aws_smithy_http_client::Builder::new().build_http();
        Self { within, state: Arc::new(Mutex::new(state)) }
    }

    /// From now on so often.
    pub fn goes_wrong(&self, rates: FaultRates) {
        self.state.lock().unwrap().rates = rates;
    }

    /// What went wrong.
    pub fn counts(&self) -> FaultCounts {
        self.state.lock().unwrap().counts
    }

    fn fate(&self) -> Fate {
        let mut state = self.state.lock().unwrap();
        let FaultRates { throttled, failed, unanswered } = state.rates;
        let drawn = state.random.random_range(0.0..1.0);
        state.counts.requests += 1;
        if drawn < throttled {
            state.counts.throttled += 1;
            Fate::Throttled
        } else if drawn < throttled + failed {
            state.counts.failed += 1;
            Fate::Failed
        } else if drawn < throttled + failed + unanswered {
            state.counts.unanswered += 1;
            Fate::Unanswered
        } else {
            Fate::Passes
        }
    }
}

impl HttpClient for BadNetwork {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let within = self.within.http_connector(settings, components);
        SharedHttpConnector::new(BadConnector { within, network: self.clone() })
    }
}

#[derive(Debug)]
struct BadConnector {
    within: SharedHttpConnector,
    network: BadNetwork,
}

impl HttpConnector for BadConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.network.fate() {
            Fate::Passes => self.within.call(request),
            Fate::Throttled => HttpConnectorFuture::ready(Ok(refusal(400, "ThrottlingException"))),
            Fate::Failed => HttpConnectorFuture::ready(Ok(refusal(500, "InternalServerError"))),
            Fate::Unanswered => {
                let done = self.within.call(request);
                HttpConnectorFuture::new(async {
                    drop(done.await);
                    Err(ConnectorError::timeout("the answer was lost".into()))
                })
            }
        }
    }
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"as injected"}}"#);
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}
