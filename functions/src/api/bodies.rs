//! Bodies on their way: how large one may be, how long it may take, and how much memory all of them have. Whoever has shown no
//! credential gets little of each.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::Method,
    response::Response,
};
use futures_util::FutureExt as _;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use muster_schemas::problems::{Problem, ProblemCode};

use super::{known::Known, problem::Failure};
use crate::{
    app::App,
    memory::{Full, Share},
};

/// The largest JSON body, in bytes.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;
/// The largest body of a caller who has shown no credential, in bytes: what a sign-in takes many times over.
pub const MAX_STRANGERS_BYTES: usize = 16 * 1024;
/// How long a body may take at most, plus the time that the bytes so far take on the slowest supported line.
const LONGEST_BODY: Duration = Duration::from_secs(30);
/// How long one of a caller who has shown no credential may take.
const LONGEST_OF_STRANGERS: Duration = Duration::from_secs(10);
/// The slowest supported line, in bytes per second. Agents allow a call the same time, so that several may share one line.
const SLOWEST_LINE: u64 = 128;
/// Smaller answers are not counted: as many as there are connections need no more than a quarter of what is usual.
const COUNTED_FROM: u64 = 1024;
/// How much of a file is in memory at once.
pub const FILE_PIECE_BYTES: usize = 64 * 1024;
/// When to come again if there is no memory for a body, in seconds.
const AGAIN_SECONDS: u32 = 5;

/// Marks an answer whose bytes are of the program itself, and in memory anyway.
#[derive(Debug, Clone, Copy)]
pub struct OfTheProgram;

/// A body that arrives.
pub struct Arriving<'a> {
    app: &'a App,
    body: Body,
    bytes: Vec<u8>,
    share: Share,
    began: Timestamp,
    ended: bool,
    known: Known,
}

impl<'a> Arriving<'a> {
    /// Of this caller.
    pub fn new(app: &'a App, body: Body, known: &Known) -> Self {
        let share = app.requests.share(known.caller());
        Self { app, body, bytes: Vec::new(), share, began: app.now(), ended: false, known: known.clone() }
    }

    /// What has come of it so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Refuses a body that is announced to have more bytes, before any of them has come.
    pub fn announces_at_most(&self, most: usize) -> Result<(), Failure> {
        if HttpBody::size_hint(&self.body).lower() > most as u64 { Err(too_large(most)) } else { Ok(()) }
    }

    /// All of it, and the memory that it has; it must have no more bytes.
    pub async fn whole(mut self, most: usize) -> Result<(Vec<u8>, Share), Failure> {
        self.announces_at_most(most)?;
        if self.up_to(most).await? { Ok((self.bytes, self.share)) } else { Err(too_large(most)) }
    }

    /// Reads it until its end, which is true, or until more bytes have come.
    pub async fn up_to(&mut self, most: usize) -> Result<bool, Failure> {
        while self.bytes.len() <= most {
            if self.ended {
                return Ok(true);
            }
            let Some(frame) = self.next().await? else {
                self.ended = true;
                continue;
            };
            let data = frame.data_ref().map_or(&[][..], |data| data);
            self.share.grow(data.len()).map_err(no_memory)?;
            self.bytes.extend_from_slice(data);
        }
        Ok(false)
    }

    /// The next piece, if it arrives in time.
    async fn next(&mut self) -> Result<Option<Frame<Bytes>>, Failure> {
        // Mostly it is there already, and no clock is needed.
        if let Some(frame) = self.body.frame().now_or_never() {
            return frame_of(frame);
        }
        let (app, longest) = (self.app, self.longest());
        let taken = Duration::try_from(app.now().duration_since(self.began)).unwrap_or_default();
        let frame = tokio::select! {
            biased;
            frame = self.body.frame() => frame,
            () = app.clock.sleep(longest.saturating_sub(taken)) => {
                let detail = format!("the body did not arrive within {} seconds", longest.as_secs());
                return Err(Problem::new(ProblemCode::Malformed).detail(detail).into());
            }
        };
        frame_of(frame)
    }

    fn longest(&self) -> Duration {
        if self.known.is_stranger() {
            LONGEST_OF_STRANGERS
        } else {
            LONGEST_BODY + Duration::from_secs(self.bytes.len() as u64 / SLOWEST_LINE)
        }
    }
}

fn frame_of(frame: Option<Result<Frame<Bytes>, axum::Error>>) -> Result<Option<Frame<Bytes>>, Failure> {
    let ended_early = |_| Problem::new(ProblemCode::Malformed).detail("the body ended early");
    Ok(frame.transpose().map_err(ended_early)?)
}

/// How large a JSON body of this caller may be, in bytes.
pub fn most_json_bytes(known: &Known) -> usize {
    if known.is_stranger() { MAX_STRANGERS_BYTES } else { MAX_JSON_BYTES }
}

/// More than that is refused.
pub fn too_large(most: usize) -> Failure {
    Problem::new(ProblemCode::TooLarge).detail(format_args!("the body must be at most {most} bytes")).into()
}

fn no_memory(full: Full) -> Failure {
    let (code, detail) = match full {
        Full::All => (ProblemCode::Unavailable, "too many requests and answers are on their way"),
        Full::Own => (ProblemCode::TooManyRequests, "too many of your requests and answers are on their way"),
    };
    Problem::new(code).detail(detail).with("retry_after_seconds", AGAIN_SECONDS).into()
}

/// The answer as it leaves, which has memory until the caller has read it; or a refusal if there is none. What has changed
/// something is always answered: a refusal would say that nothing was done.
pub fn leaves(app: &App, known: &Known, method: &Method, answer: Response) -> Result<Response, Failure> {
    let size = HttpBody::size_hint(answer.body());
    if answer.extensions().get::<OfTheProgram>().is_some() {
        return Ok(answer);
    }
    let bytes = match size.exact() {
        Some(bytes) if bytes < COUNTED_FROM => return Ok(answer),
        Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        None => FILE_PIECE_BYTES,
    };
    let mut share = app.answers.share(known.caller());
    let tells_of_a_change = !method.is_safe() && answer.status().is_success();
    match share.grow(bytes) {
        Err(_) if tells_of_a_change => return Ok(answer),
        grown => grown.map_err(no_memory)?,
    }
    let is_whole = size.exact().is_some();
    Ok(answer.map(|body| Body::new(Leaving { body, share: Some(share), is_whole })))
}

/// A body that leaves, with its memory.
struct Leaving {
    body: Body,
    share: Option<Share>,
    /// Whether it leaves in one piece, which then keeps the memory: the body itself is gone before the piece is sent.
    is_whole: bool,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if !self.is_whole {
            return frame;
        }
        let keeps = |frame: Frame<Bytes>| match mem::take(&mut self.share) {
            Some(share) => frame.map_data(|bytes| Bytes::from_owner(Piece { bytes, _share: share })),
            None => frame,
        };
        frame.map(|frame| frame.map(|frame| frame.map(keeps)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of an answer that is in memory until it was sent.
struct Piece {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
