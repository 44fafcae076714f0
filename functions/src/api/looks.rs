//! Conditional requests (`ETag`, `If-None-Match`) and long polling: answered at once, or with `?wait=` when the resource differs
//! from the caller's `ETag`. A request that is held costs other callers nothing: it keeps no operation of the store, and is shed
//! first, as lists are.

use std::time::Duration;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::future::select_all;
use muster_domain::load::Sheddable;
use muster_schemas::envelopes::sha256_hex;
use serde::{Deserialize, Serialize};

use super::{
    extract::{LIST_AGAIN_SECONDS, Params, header_text},
    problem::Failure,
};
use crate::app::App;

/// How long a request may wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 60;
/// How many requests of one caller are held at once; more are answered immediately.
pub const MAX_HELD: usize = 64;
/// How much of a digest is compared: only answers of the same resource are.
const DIGEST_LENGTH: usize = 16;

/// A conditional request: the state that the caller knows, and how long the caller waits for another one.
pub struct Look {
    wait: Duration,
    known: Known,
    /// Whether the caller sent an `ETag`: only then an unchanged resource is answered with 304.
    conditional: bool,
}

/// The state that a caller knows.
enum Known {
    /// Nothing: it would wait for the next change from now on.
    Nothing,
    /// Of the record, all up to this revision.
    Revision(u64),
    /// Exactly these answers.
    Answers(Vec<String>),
}

#[derive(Default, Deserialize)]
struct LookParams {
    #[serde(default)]
    wait: u64,
    revision: Option<u64>,
}

impl FromRequestParts<App> for Look {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Params(LookParams { wait, revision }) = Params::from_request_parts(parts, app).await?;
        if wait > 0 {
            app.admit(Sheddable::List, LIST_AGAIN_SECONDS)?;
        }
        let known = header_text(&parts.headers, header::IF_NONE_MATCH.as_str());
        let conditional = !known.is_empty();
        let known = match revision {
            _ if conditional => Known::Answers(known.split(',').map(plain).collect()),
            Some(revision) => Known::Revision(revision),
            None => Known::Nothing,
        };
        Ok(Self { wait: held(app, wait), known, conditional })
    }
}

/// A resource at one moment.
pub struct Snapshot<V> {
    /// The revision of its record.
    pub revision: u64,
    /// Whether it is final, so that it never changes again.
    pub over: bool,
    /// The view that the caller gets.
    pub view: V,
}

/// The reasons to answer a held request before its time is over.
pub struct Hold<'a> {
    /// The caller that waits.
    pub caller: &'a str,
    /// Topics of [`crate::polls`] on which it looks again.
    pub topics: &'a [String],
    /// The time after which it is read again in any case, because some changes wake nobody.
    pub again: Option<Duration>,
}

impl Look {
    /// The answer to a look: 200 with what is seen, or 304 if the caller knows it already.
    pub async fn answer<V: Serialize, F: Future<Output = Result<Snapshot<V>, Failure>>>(
        mut self,
        app: &App,
        held: Hold<'_>,
        see: impl Fn() -> F,
    ) -> Result<Response, Failure> {
        let mut over = app.clock.sleep(self.wait);
        let one_more = app.held.begin(held.caller);
        let mut is_let_go = false;
        loop {
            // Begun before the read, so that nothing that comes after it is missed.
            let mut changes = held.topics.iter().map(|topic| app.polls.begin(topic)).collect::<Vec<_>>();
            let seen = Answer::of(see().await?)?;
            let is_over = is_let_go || one_more.is_over(MAX_HELD) || app.is_draining();
            if self.wait.is_zero() || self.is_news(&seen) || is_over {
                return Ok(seen.told(&self));
            }
            let woken = changes.iter_mut().map(|change| Box::pin(change.woken()));
            tokio::select! {
                biased;
                _ = select_all(woken) => {}
                () = one_more.let_go() => is_let_go = true,
                () = again(app, held.again) => {}
                () = &mut over => return Ok(Answer::of(see().await?)?.told(&self)),
            }
        }
    }

    /// Whether this is the answer that the caller waits for. A caller that knows nothing waits for any other than this one.
    fn is_news(&mut self, seen: &Answer) -> bool {
        match &self.known {
            Known::Answers(known) => !seen.is_among(known) || (seen.over && !self.conditional),
            Known::Revision(revision) => seen.over || seen.revision > *revision,
            Known::Nothing => {
                self.known = Known::Answers(vec![seen.tag.clone()]);
                seen.over
            }
        }
    }
}

/// A possible answer.
struct Answer {
    revision: u64,
    over: bool,
    tag: String,
    body: Vec<u8>,
}

impl Answer {
    fn of<V: Serialize>(Snapshot { revision, over, view }: Snapshot<V>) -> Result<Self, Failure> {
        let body = serde_json::to_vec(&view).map_err(Failure::broken)?;
        Ok(Self { revision, over, tag: tag(revision, &body), body })
    }

    /// Whether it is one of those that the caller knows.
    fn is_among(&self, known: &[String]) -> bool {
        known.iter().any(|known| known == "*" || *known == self.tag)
    }

    fn told(self, look: &Look) -> Response {
        let known = matches!(&look.known, Known::Answers(known) if self.is_among(known));
        let tag = [(header::ETAG, format!("\"{}\"", self.tag)), (header::CACHE_CONTROL, "no-store".into())];
        if look.conditional && known {
            return (StatusCode::NOT_MODIFIED, tag).into_response();
        }
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (tag, json, self.body).into_response()
    }
}

/// A thing as one answer, with its `ETag`.
pub fn tagged<V: Serialize>(revision: u64, view: V) -> Result<Response, Failure> {
    let look = Look { wait: Duration::ZERO, known: Known::Nothing, conditional: false };
    Ok(Answer::of(Snapshot { revision, over: false, view })?.told(&look))
}

/// How long a request is held that would wait so many seconds. Where polls are not held, nothing else is.
pub fn held(app: &App, seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(MAX_WAIT_SECONDS).min(app.settings.pacing.max_hold_seconds.into()))
}

/// The `ETag` of an answer: the revision, which `If-Match` compares, and the digest of the whole body, which
/// changes with much else.
fn tag(revision: u64, body: &[u8]) -> String {
    format!("{revision}-{}", &sha256_hex(body)[..DIGEST_LENGTH])
}

/// An `ETag` without its quotes, and without the mark that proxies put before it who have packed the answer.
fn plain(tag: &str) -> String {
    tag.trim().trim_start_matches("W/").trim_matches('"').to_owned()
}

async fn again(app: &App, after: Option<Duration>) {
    match after {
        Some(after) => app.clock.sleep(after).await,
        None => app.time_to_look_again().await,
    }
}
