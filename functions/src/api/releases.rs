//! Releases: announced with a signed manifest, completed by files, served to agents. The server itself vouches for nothing:
//! agents verify the signatures.

use std::collections::BTreeSet;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures_util::{StreamExt, stream::BoxStream};
use muster_domain::{
    changes::Change,
    fleet_updates::{Brings, FleetUpdate},
    refused::Refused,
    releases::{Event, Release},
};
use muster_schemas::{
    envelopes::Envelope,
    pages::Page,
    problems::{Problem, ProblemCode},
    releases::{
        MAX_MANIFEST_VERSION, Manifest, PRODUCT, ReleaseView, UploadPlace, VERSION_RULE, YankRequest, is_version,
        manifest_sha256,
    },
    secrets::Secret,
};
use serde::Deserialize;

use super::{
    auth::{Agent, Operator, may},
    extract::{JsonBody, Paging, Params, PathParams, header_text},
    files,
    fleet_updates::views,
    found::{found, mailbox},
    lists::{List, page},
    looks::{Hold, Look, Snapshot},
    problem::Failure,
    route::{self, Answer, PAGE, Route},
    trusted,
};
use crate::{
    advance::advance,
    app::App,
    blobs::{BlobId, Piece},
    polls, records,
    store::{Consistency, Versioned},
};

/// How large an envelope may be as JSON, in bytes: with what it holds it is one record.
const MAX_ENVELOPE_BYTES: usize = 128 * 1024;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/releases", create)
            .says("Announce a signed release.")
            .takes::<Envelope>()
            .gives::<ReleaseView>(201),
        route::get("/api/v1/releases", list)
            .says("List releases, newest first.")
            .asks(&PAGE)
            .gives::<Page<ReleaseView>>(200),
        route::get("/api/v1/releases/{version}", get)
            .says("Get a release, or with `wait` its next change.")
            .waits()
            .gives::<ReleaseView>(200),
        route::post("/api/v1/releases/{version}/targets/{platform}/upload", upload_place)
            .says("Get the place to upload the file for a platform to.")
            .gives::<UploadPlace>(200),
        route::put("/api/v1/releases/{version}/targets/{platform}", upload)
            .says("Upload the file for a platform.")
            .takes_file()
            .asks(&[("uploaded", "boolean", "The file was put into the object store already, and there is no body.")])
            .gives::<ReleaseView>(200),
        route::post("/api/v1/releases/{version}/yank", yank)
            .says("Yank a release: it is offered to no host any more.")
            .takes::<YankRequest>()
            .gives::<ReleaseView>(200),
        route::get("/api/v1/releases/{version}/manifest", envelope)
            .says("Get the signed manifest of a release as it was uploaded.")
            .gives::<Envelope>(200),
        route::get("/api/v1/agent/releases/{version}/manifest", manifest)
            .says("Get the signed manifest of a release.")
            .gives::<Envelope>(200),
        route::get("/api/v1/agent/blobs/{sha256}", blob)
            .says("Get a file of a release. `Range: bytes=N-` resumes.")
            .gives_other(Answer::File)
            .asks(&[(
                "through_server",
                "boolean",
                "Answer the bytes themselves, for hosts that reach nothing but the server.",
            )]),
    ]
}

/// `POST /api/v1/releases`: announces a release. The same payload again is harmless.
pub async fn create(
    operator: Operator<may::ManageReleases>,
    State(app): State<App>,
    JsonBody { body: envelope, .. }: JsonBody<Envelope>,
) -> Result<(StatusCode, Json<ReleaseView>), Failure> {
    let invalid = |error| Problem::invalid("payload", error);
    let manifest = Manifest::unverified(&envelope).map_err(invalid)?;
    let manifest_sha256 = manifest_sha256(&envelope).map_err(invalid)?;
    check(&app, &envelope, &manifest)?;
    trusted::check(&app, &envelope).await?;
    let version = manifest.version.clone();
    unless_it_is_brought(&app, &version, &manifest_sha256).await?;
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
    Paging(params): Paging,
) -> Result<Json<Page<ReleaseView>>, Failure> {
    let view = |found: Versioned<Release>| Some(found.record.view(operator.role(), found.revision));
    page(&app, List::all("releases"), &params, view).await.map(Json)
}

/// `GET /api/v1/releases/{version}`, with `?wait=30` for another answer than `If-None-Match` names.
pub async fn get(
    operator: Operator<may::Look>,
    State(app): State<App>,
    PathParams(version): PathParams<String>,
    look: Look,
) -> Result<Response, Failure> {
    let (app, version, role) = (&app, &version, operator.role());
    let see = || async move {
        let found = found::<Release>(app, version).await?;
        Ok(Snapshot { revision: found.revision, over: false, view: found.record.view(role, found.revision) })
    };
    look.answer(app, Hold { caller: operator.actor(), topics: &[polls::RELEASES.into()], again: None }, see).await
}

/// `POST /api/v1/releases/{version}/targets/{platform}/upload`: where the file is to be put.
pub async fn upload_place(
    _: Operator<may::ManageReleases>,
    State(app): State<App>,
    PathParams((version, platform)): PathParams<(String, String)>,
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
    PathParams((version, platform)): PathParams<(String, String)>,
    Params(params): Params<UploadParams>,
    request: Request,
) -> Result<Json<ReleaseView>, Failure> {
    let id = announced(&found::<Release>(&app, &version).await?.record, &platform)?;
    if params.uploaded {
        if !app.blobs.has(&id).await? {
            return Err(Problem::invalid("uploaded", "the object store does not hold the file that was signed").into());
        }
    } else {
        let length = header_text(request.headers(), header::CONTENT_LENGTH.as_str());
        if !length.is_empty() && length.parse() != Ok(id.size) {
            let rule = format!("must be {} bytes, as signed", id.size);
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
    PathParams(version): PathParams<String>,
    JsonBody { body, .. }: JsonBody<YankRequest>,
) -> Result<Json<ReleaseView>, Failure> {
    if !(1..=1024).contains(&body.reason.chars().count()) {
        return Err(Problem::invalid("reason", "must be 1 to 1024 characters").into());
    }
    let change = Change::Release(version.clone(), Event::Yank(body.reason));
    let advanced = advance(&app, change, &operator.cause()).await?;
    let found = advanced.record::<Release>(&records::releases::key(&version))?;
    Ok(Json(found.record.view(operator.role(), found.revision)))
}

/// `GET /api/v1/releases/{version}/manifest`: for whoever signs the same files anew, who must not take the server's word for
/// what was signed.
pub async fn envelope(
    _: Operator<may::Look>,
    State(app): State<App>,
    PathParams(version): PathParams<String>,
) -> Result<Json<Envelope>, Failure> {
    Ok(Json(found::<Release>(&app, &version).await?.record.envelope))
}

/// `GET /api/v1/agent/releases/{version}/manifest`: the envelope as it came.
pub async fn manifest(
    agent: Agent,
    State(app): State<App>,
    PathParams(version): PathParams<String>,
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
    PathParams(sha256): PathParams<String>,
    Params(params): Params<BlobParams>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    mailbox(&app, agent.host_id).await?.served()?;
    files::send(&app, &sha256, params.through_server, &headers).await
}

/// The file for a platform, as the manifest names it.
fn announced(release: &Release, platform: &str) -> Result<BlobId, Failure> {
    let target = release.manifest.targets.iter().find(|target| target.platform() == platform);
    let target = target.ok_or_else(|| Refused::not_found("file in this release's manifest"))?;
    Ok(BlobId { sha256: target.sha256.clone(), size: target.size })
}

/// 409 while a fleet update brings this release by another manifest than this one: jobs name the manifest that hosts are to
/// get.
async fn unless_it_is_brought(app: &App, version: &str, manifest_sha256: &str) -> Result<(), Failure> {
    let known = app.load::<Release>(&records::releases::key(version), Consistency::Strong).await?;
    if known.is_none_or(|known| known.record.manifest_sha256 == manifest_sha256) {
        return Ok(());
    }
    let active = views::holder(app).await?.map(|found| found.record);
    let is_brought = |active: &FleetUpdate| {
        let Brings::Release(brings) = &active.plan.brings;
        brings.version == version
    };
    let Some(FleetUpdate { id, .. }) = active.filter(is_brought) else { return Ok(()) };
    let detail = format!("{id} brings {version} to hosts by the manifest that is here; it must end or halt first");
    Err(Problem::new(ProblemCode::FleetUpdateActive).detail(detail).with("fleet_update_id", id.to_string()).into())
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
        Err(Problem::new(ProblemCode::TooLarge)
            .detail(format_args!("the envelope must be at most {MAX_ENVELOPE_BYTES} bytes"))
            .into())
    } else if manifest.kind != "release" || manifest.product != PRODUCT {
        rule("payload.product", "must be a release of muster-agent")
    } else if envelope.signatures.is_empty() || envelope.signatures.len() > 16 {
        rule("signatures", "must be 1 to 16; agents refuse what is not signed")
    } else if !is_version(&manifest.version) {
        rule("payload.version", VERSION_RULE)
    } else if !manifest.revoked.iter().all(|version| is_version(version)) {
        rule("payload.revoked", VERSION_RULE)
    } else if manifest.revoked.contains(&manifest.version) {
        rule("payload.revoked", "names the release itself, so that hosts would refuse it")
    } else if manifest.manifest_version > MAX_MANIFEST_VERSION {
        rule(
            "payload.manifest_version",
            "must be at most 9007199254740991: hosts refuse every lower number from then on",
        )
    } else if manifest.security_floor > manifest.manifest_version {
        rule("payload.security_floor", "is above the manifest's own number, so that hosts would refuse it")
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
