//! Releases: announced with a signed manifest, completed by files, served to agents. The server vouches for nothing.

use std::collections::BTreeSet;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream::BoxStream};
use muster_domain::{
    changes::Change,
    refused::Refused,
    releases::{Event, Release},
};
use muster_schemas::{
    envelopes::Envelope,
    pages::Page,
    problems::{Problem, ProblemCode},
    releases::{Manifest, PRODUCT, ReleaseView, UploadPlace, YankRequest, manifest_sha256},
    secrets::Secret,
};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::{
    auth::{Agent, Operator, may},
    extract::{Named, Paged, Params, Sent, header_text},
    found::{found, mailbox},
    lists::{List, page},
    problem::Failure,
};
use crate::{
    advance::advance,
    app::App,
    blobs::{BlobId, Piece},
    records,
    store::Versioned,
};

/// How large an envelope may be as JSON, in bytes: with what it holds it is one record.
const MAX_ENVELOPE_BYTES: usize = 128 * 1024;

/// `POST /api/v1/releases`: announces a release. The same payload again is harmless.
pub async fn create(
    operator: Operator<may::ManageReleases>,
    State(app): State<App>,
    Sent { body: envelope, .. }: Sent<Envelope>,
) -> Result<(StatusCode, Json<ReleaseView>), Failure> {
    let invalid = |error| Problem::invalid("payload", error);
    let manifest = Manifest::unverified(&envelope).map_err(invalid)?;
    let manifest_sha256 = manifest_sha256(&envelope).map_err(invalid)?;
    check(&app, &envelope, &manifest)?;
    let version = manifest.version.clone();
    let created_at = app.now();
    let release = Release { envelope, manifest, manifest_sha256, uploaded: BTreeSet::new(), yanked: None, created_at };
    let change = Change::Release(version.clone(), Event::Announce(Box::new(release)));
    let advanced = advance(&app, change, &operator.cause()).await?;
    let found = advanced.record::<Release>(&records::releases::key(&version))?;
    Ok((StatusCode::CREATED, Json(found.record.view(operator.role(), found.revision))))
}

/// `GET /api/v1/releases`: the highest manifest version first.
pub async fn list(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Paged(params): Paged,
) -> Result<Json<Page<ReleaseView>>, Failure> {
    let view = |found: Versioned<Release>| Some(found.record.view(operator.role(), found.revision));
    page(&app, List::all("releases"), &params, view).await.map(Json)
}

/// `GET /api/v1/releases/{version}`
pub async fn get(
    operator: Operator<may::Look>,
    State(app): State<App>,
    Named(version): Named<String>,
) -> Result<Json<ReleaseView>, Failure> {
    let found = found::<Release>(&app, &version).await?;
    Ok(Json(found.record.view(operator.role(), found.revision)))
}

/// `POST /api/v1/releases/{version}/targets/{platform}/upload`: where the file is to be put.
pub async fn upload_place(
    _: Operator<may::ManageReleases>,
    State(app): State<App>,
    Named((version, platform)): Named<(String, String)>,
) -> Result<Json<UploadPlace>, Failure> {
    let id = announced(&found::<Release>(&app, &version).await?.record, &platform)?;
    let link = app.blobs.upload_link(&id).await?;
    let (url, headers) = link.map(|link| (Secret::new(link.url), link.headers)).unzip();
    Ok(Json(UploadPlace { url, headers: headers.unwrap_or_default() }))
}

/// How a file comes.
#[derive(Debug, Default, Deserialize)]
pub struct UploadParams {
    /// It was put into the object store already.
    #[serde(default)]
    uploaded: bool,
}

/// `PUT /api/v1/releases/{version}/targets/{platform}`: the file for a platform, exactly as signed.
pub async fn upload(
    operator: Operator<may::ManageReleases>,
    State(app): State<App>,
    Named((version, platform)): Named<(String, String)>,
    Params(params): Params<UploadParams>,
    request: Request,
) -> Result<Json<ReleaseView>, Failure> {
    let id = announced(&found::<Release>(&app, &version).await?.record, &platform)?;
    if params.uploaded {
        if !app.blobs.has(&id).await? {
            return Err(Problem::invalid("uploaded", "the object store does not have the file as signed").into());
        }
    } else {
        let length = header_text(request.headers(), header::CONTENT_LENGTH.as_str());
        if !length.is_empty() && length.parse() != Ok(id.size) {
            let rule = format!("must have {} bytes, as signed", id.size);
            return Err(Problem::invalid("Content-Length", rule).into());
        }
        app.blobs.put(&id, pieces(request.into_body())).await?;
    }
    // Only once the file is durable.
    let change = Change::Release(version.clone(), Event::Uploaded(platform));
    let advanced = advance(&app, change, &operator.cause()).await?;
    let found = advanced.record::<Release>(&records::releases::key(&version))?;
    Ok(Json(found.record.view(operator.role(), found.revision)))
}

/// `POST /api/v1/releases/{version}/yank`: offered to nobody any more.
pub async fn yank(
    operator: Operator<may::ManageReleases>,
    State(app): State<App>,
    Named(version): Named<String>,
    Sent { body, .. }: Sent<YankRequest>,
) -> Result<Json<ReleaseView>, Failure> {
    if !(1..=1024).contains(&body.reason.chars().count()) {
        return Err(Problem::invalid("reason", "must be 1 to 1024 characters").into());
    }
    let change = Change::Release(version.clone(), Event::Yank(body.reason));
    let advanced = advance(&app, change, &operator.cause()).await?;
    let found = advanced.record::<Release>(&records::releases::key(&version))?;
    Ok(Json(found.record.view(operator.role(), found.revision)))
}

/// `GET /api/v1/agent/releases/{version}/manifest`: the envelope as it came.
pub async fn manifest(
    agent: Agent,
    State(app): State<App>,
    Named(version): Named<String>,
) -> Result<Json<Envelope>, Failure> {
    mailbox(&app, agent.host_id).await?.served()?;
    Ok(Json(found::<Release>(&app, &version).await?.record.envelope))
}

/// How a file goes.
#[derive(Debug, Default, Deserialize)]
pub struct BlobParams {
    /// Through this server, for hosts that reach nothing else.
    #[serde(default)]
    through_server: bool,
}

/// `GET /api/v1/agent/blobs/{sha256}`: a file, from the offset that `Range: bytes=N-` names. Answered with a redirect to
/// the object store where that can be reached, or with the bytes; with a part of them (206) where answers are bounded.
pub async fn blob(
    agent: Agent,
    State(app): State<App>,
    Named(sha256): Named<String>,
    Params(params): Params<BlobParams>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    mailbox(&app, agent.host_id).await?.served()?;
    send(&app, &sha256, params.through_server, &headers).await
}

/// A file, or the way to it.
pub async fn send(app: &App, sha256: &str, through_server: bool, headers: &HeaderMap) -> Result<Response, Failure> {
    let elsewhere = if through_server { None } else { app.blobs.download_url(sha256).await? };
    if let Some(url) = elsewhere {
        // Good for an hour: nobody may keep it longer.
        let headers = [(header::LOCATION, url), (header::CACHE_CONTROL, "no-store".into())];
        return Ok((StatusCode::TEMPORARY_REDIRECT, headers).into_response());
    }
    let offset = offset(headers);
    let found = app.blobs.open(sha256, offset).await?.ok_or_else(|| Refused::not_found("blob"))?;
    let left = found.size - offset;
    let part = app.settings.max_blob_part_bytes.map_or(left, |most| most.min(left));
    let body = Body::from_stream(ReaderStream::with_capacity(found.reader.take(part), 64 * 1024));
    let mut response = body.into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    answer.insert(header::CONTENT_LENGTH, HeaderValue::from(part));
    if offset > 0 || part < left {
        let range = format!("bytes {offset}-{}/{}", (offset + part).saturating_sub(1), found.size);
        answer.extend(HeaderValue::from_str(&range).ok().map(|range| (header::CONTENT_RANGE, range)));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The file for a platform, as the manifest names it.
fn announced(release: &Release, platform: &str) -> Result<BlobId, Failure> {
    let target = release.manifest.targets.iter().find(|target| target.platform() == platform);
    let target = target.ok_or_else(|| Refused::not_found("file in this release's manifest"))?;
    Ok(BlobId { sha256: target.sha256.clone(), size: target.size })
}

fn check(app: &App, envelope: &Envelope, manifest: &Manifest) -> Result<(), Failure> {
    let rule = |field: &str, rule: &str| Err(Problem::invalid(field, rule).into());
    let word = |text: &str| {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
        (1..=64).contains(&text.len()) && text.bytes().all(named) && !text.starts_with('.')
    };
    let digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bytes = serde_json::to_vec(envelope).map_err(Failure::broken)?.len();
    let targets = &manifest.targets;
    let mut platforms = targets.iter().map(muster_schemas::releases::Target::platform).collect::<Vec<_>>();
    platforms.sort();
    if bytes > MAX_ENVELOPE_BYTES {
        Err(Problem::new(ProblemCode::TooLarge).detail(format_args!("it may have {MAX_ENVELOPE_BYTES} bytes")).into())
    } else if manifest.kind != "release" || manifest.product != PRODUCT {
        rule("payload.product", "must be a release of muster-agent")
    } else if envelope.signatures.is_empty() || envelope.signatures.len() > 16 {
        rule("signatures", "must be 1 to 16; agents refuse what is not signed")
    } else if !word(&manifest.version) {
        rule("payload.version", "must be 1 to 64 characters of a-z A-Z 0-9 . _ + -")
    } else if targets.is_empty() || targets.len() > 32 || platforms.windows(2).any(|pair| pair[0] == pair[1]) {
        rule("payload.targets", "must be 1 to 32, one per platform")
    } else if !targets.iter().all(|target| word(&target.os) && word(&target.arch) && digest(&target.sha256)) {
        rule("payload.targets", "each has os, arch, and a SHA-256 of 64 hexadecimal digits")
    } else if targets.iter().any(|target| target.size == 0 || target.size > app.settings.max_target_bytes) {
        rule("payload.targets", "a file is empty or larger than this server takes")
    } else {
        Ok(())
    }
}

fn pieces(body: Body) -> BoxStream<'static, Piece> {
    let pieces = body.into_data_stream();
    pieces.map(|piece| piece.map(|bytes| bytes.to_vec()).map_err(std::io::Error::other)).boxed()
}

fn offset(headers: &HeaderMap) -> u64 {
    let range = header_text(headers, header::RANGE.as_str());
    let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
    from.and_then(|from| from.parse().ok()).unwrap_or(0)
}
