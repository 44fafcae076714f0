//! Answers to calls: bounded in size, and the server's own or none.

use std::time::Duration;

use jiff::Timestamp;
use muster_schemas::problems::Problem;
use reqwest::{
    Response, StatusCode, Url,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use serde::de::DeserializeOwned;

use crate::{
    failure::Failure,
    identity::{is_allowed, is_loopback},
};

/// The largest body that is read into memory, in bytes: jobs with their specs, and manifests.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// The same for every other answer, and for every refusal.
const MAX_SMALL_BODY_BYTES: usize = 64 * 1024;

/// The body as what was expected, or the server's refusal.
pub async fn answer<R: DeserializeOwned>(response: Response) -> Result<R, Failure> {
    answer_within(MAX_SMALL_BODY_BYTES, response).await
}

/// How much this route may answer.
pub fn most_bytes(path: &str) -> usize {
    if path.ends_with("/check-in") { MAX_BODY_BYTES } else { MAX_SMALL_BODY_BYTES }
}

/// An answer that is a file, or a part of one.
pub async fn bytes(response: Response) -> Result<Response, Failure> {
    if matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        Ok(response)
    } else {
        Err(refusal(response).await)
    }
}

pub async fn answer_within<R: DeserializeOwned>(most: usize, response: Response) -> Result<R, Failure> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let status = response.status().as_u16();
    let body = body(response, "application/json", most).await?;
    serde_json::from_slice(&body).map_err(|_| Failure::NotOurs { status, retry_after: None })
}

async fn refusal(response: Response) -> Failure {
    let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
    match body(response, "application/problem+json", MAX_SMALL_BODY_BYTES).await {
        Ok(body) => match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Failure::Refused { problem: Box::new(problem), retry_after },
            Err(_) => Failure::NotOurs { status, retry_after },
        },
        Err(Failure::NotOurs { status, .. }) => Failure::NotOurs { status, retry_after },
        Err(failure) => failure,
    }
}

async fn body(mut response: Response, expected: &str, most: usize) -> Result<Vec<u8>, Failure> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with(expected) {
        return Err(Failure::NotOurs { status: response.status().as_u16(), retry_after: None });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::Transport(error.into()))? {
        if body.len() + chunk.len() > most {
            return Err(Failure::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Seconds or a date; a date counts by the host's clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.parse().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(u64::try_from(at.as_second() - Timestamp::now().as_second()).unwrap_or_default())
    });
    seconds.map(Duration::from_secs)
}

pub fn redirected(response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let url = response.url().join(location.to_str().ok()?).ok()?;
    may_follow(response.url(), &url).then_some(url)
}

/// No server elsewhere sends this host to a port of its own.
pub fn may_follow(from: &Url, to: &Url) -> bool {
    is_allowed(to) && (is_loopback(from) || !is_loopback(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_on_this_machine_may_redirect_to_it() {
        let may = |from: &str, to: &str| may_follow(&Url::parse(from).unwrap(), &Url::parse(to).unwrap());
        assert!(may("https://muster.example", "https://store.example/x"));
        assert!(may("http://127.0.0.1:8080", "http://127.0.0.1:9000/x"));
        for to in ["http://127.0.0.1:9000/x", "https://localhost/x", "http://store.example/x"] {
            assert!(!may("https://muster.example", to), "{to}");
        }
    }

    #[test]
    fn only_a_check_in_may_be_answered_at_length() {
        assert_eq!(most_bytes("/api/v1/agent/check-in"), MAX_BODY_BYTES);
        assert_eq!(most_bytes("/api/v1/agent/jobs/x/events"), MAX_SMALL_BODY_BYTES);
    }
}
