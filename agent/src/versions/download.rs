//! Resumable download of a release, into a `.part` file, never larger than the signed size.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use muster_schemas::{envelopes::Envelope, releases::Target};
use reqwest::{Response, StatusCode, header::CONTENT_RANGE};
use tokio::time::{Instant, sleep, timeout};
use tracing::info;

use super::trust::Refusal;
use crate::{
    agent::Agent,
    client::Way,
    errors::chain,
    failure::Failure,
    link::{Link, Outcome},
    sys::files::{create_private, create_private_directory, sha256_of},
};

/// The speed is looked at over this span.
const SPEED_WINDOW: Duration = Duration::from_secs(30);

/// The signed manifest of a release. That the server is away for a moment is no reason to refuse an update.
pub async fn manifest(agent: &Agent, version: &str) -> Result<Envelope, Refusal> {
    let path = format!("/api/v1/agent/releases/{version}/manifest");
    let (mut link, mut attempt) = (Link::default(), 1);
    loop {
        let failure = match agent.client.get(&path).await {
            Ok(envelope) => return Ok(envelope),
            Err(failure) => failure,
        };
        match failure.into() {
            // Nothing was asked. The job's time limit bounds this.
            DownloadError::Off(_, outcome @ Outcome::CircuitOpen { .. }) => {
                sleep(agent.pause(&mut link, outcome)).await;
            }
            DownloadError::Off(message, outcome) if attempt < agent.config().attempts() => {
                info!("The download of the manifest failed, and will be retried: {message}");
                sleep(agent.pause(&mut link, outcome)).await;
                attempt += 1;
            }
            DownloadError::Off(message, _) => return Err(Refusal::new("download", message)),
            DownloadError::Refused(refusal) => return Err(refusal),
        }
    }
}

/// Downloads a file and returns where it is, once it is what was signed. What is not is removed.
pub async fn download(agent: &Agent, target: &Target) -> Result<PathBuf, Refusal> {
    let directory = agent.state.join("downloads");
    let path = directory.join(format!("{}.part", target.sha256));
    create_private_directory(&directory).map_err(|failed| Refusal::new("disk", chain(&failed)))?;
    forget_others(&directory, &path);
    let mut link = Link::default();
    let mut failure = String::new();
    let mut left_behind = path.exists();
    let attempts = agent.config().attempts();
    let mut attempt = 0;
    while attempt < attempts {
        // Where the object store cannot be reached, the server can.
        let way = if attempt % 2 == 0 { Way::AsToldByServer } else { Way::ThroughServer };
        match fetch(agent, target, &path, way).await {
            Ok(()) => match verified(target, &path) {
                // The partial file of an earlier job may be wrong, so the next attempt starts over.
                Err(_) if std::mem::take(&mut left_behind) => {}
                verified => return verified.map(|()| path),
            },
            Err(DownloadError::Refused(refusal)) => {
                discard(&path);
                return Err(refusal);
            }
            // Nothing was asked. The job's time limit bounds this.
            Err(DownloadError::Off(_, outcome @ Outcome::CircuitOpen { .. })) => {
                sleep(agent.pause(&mut link, outcome)).await;
                continue;
            }
            Err(DownloadError::Off(message, outcome)) => {
                info!("The download was interrupted, and will be resumed: {message}");
                failure = message;
                sleep(agent.pause(&mut link, outcome)).await;
            }
        }
        attempt += 1;
    }
    Err(Refusal::new("download", format!("given up after {attempts} attempts: {failure}")))
}

/// Why an attempt to download a file failed.
enum DownloadError {
    /// Another attempt may.
    Off(String, Outcome),
    /// No attempt will.
    Refused(Refusal),
}

impl From<Failure> for DownloadError {
    fn from(failure: Failure) -> Self {
        match &failure {
            Failure::Refused { problem, retry_after: None } if (400..500).contains(&problem.status) => {
                Self::Refused(Refusal::new("download", chain(&failure)))
            }
            _ => Self::Off(chain(&failure), failure.outcome()),
        }
    }
}

/// As many parts as the answers bring.
async fn fetch(agent: &Agent, target: &Target, path: &Path, way: Way) -> Result<(), DownloadError> {
    let mut pace = Pace { minimum: agent.config().minimum_download_bytes_per_second, since: Instant::now(), bytes: 0 };
    loop {
        let have = fs::metadata(path).map_or(0, |found| found.len());
        if have == target.size {
            return Ok(());
        }
        // More than was signed is nobody's beginning.
        let have = if have > target.size { 0 } else { have };
        let response = agent.client.blob(&target.sha256, have, way).await?;
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        if is_part && !begins_at(&response, have) {
            discard(path);
            return Err(DownloadError::Off(
                "the server sent a different range than the requested one".into(),
                Outcome::Failed,
            ));
        }
        let begun = if is_part { have } else { 0 };
        let size = receive(response, target, path, begun, &mut pace).await?;
        if size < target.size && !(is_part && size > have) {
            let reason = format!("{size} bytes instead of the signed {}", target.size);
            return Err(DownloadError::Refused(Refusal::new("size", reason)));
        }
    }
}

/// How fast it comes, over all parts of an attempt: many small ones are as slow as one large one.
struct Pace {
    /// Bytes per second.
    minimum: u64,
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn holds(&mut self, more: u64) -> Result<(), String> {
        self.bytes += more;
        if self.since.elapsed() < SPEED_WINDOW {
            return Ok(());
        }
        if self.bytes < self.minimum * SPEED_WINDOW.as_secs() {
            return Err(format!("slower than {} bytes per second", self.minimum));
        }
        (self.since, self.bytes) = (Instant::now(), 0);
        Ok(())
    }
}

/// How large the file is afterwards.
async fn receive(
    mut response: Response,
    target: &Target,
    path: &Path,
    mut size: u64,
    pace: &mut Pace,
) -> Result<u64, DownloadError> {
    let off = |message: String| DownloadError::Off(message, Outcome::Failed);
    let disk = |failed: std::io::Error| {
        DownloadError::Refused(Refusal::new("disk", format!("cannot write the file: {failed}")))
    };
    let file = if size == 0 { create_private(path) } else { OpenOptions::new().append(true).open(path) };
    let mut file = file.map_err(disk)?;
    loop {
        let chunk =
            timeout(SPEED_WINDOW, response.chunk()).await.map_err(|_| off("the server stopped sending".into()))?;
        let Some(chunk) = chunk.map_err(|failed| off(format!("cut off: {}", chain(&failed.without_url()))))? else {
            break;
        };
        size += chunk.len() as u64;
        if size > target.size {
            return Err(DownloadError::Refused(Refusal::new(
                "size",
                format!("more than the signed {} bytes", target.size),
            )));
        }
        file.write_all(&chunk).map_err(disk)?;
        pace.holds(chunk.len() as u64).map_err(off)?;
    }
    file.sync_all().map_err(disk)?;
    Ok(size)
}

fn begins_at(response: &Response, from: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

fn verified(target: &Target, path: &Path) -> Result<(), Refusal> {
    let (sha256, _) = sha256_of(path).map_err(|failed| Refusal::new("digest", chain(&failed)))?;
    if sha256 == target.sha256 {
        return Ok(());
    }
    discard(path);
    Err(Refusal::new("digest", "the file does not match the signed digest"))
}

/// Removes the beginnings of other files: one download at a time.
fn forget_others(directory: &Path, path: &Path) {
    let others = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    others.filter(|other| other != path).for_each(|other| discard(&other));
}

/// Removes a bad file. If that fails, the next attempt finds it bad again.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}
