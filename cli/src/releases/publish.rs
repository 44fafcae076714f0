//! Publishing a release: uploads the manifest, then the files that it names. Running it again resumes an interrupted upload.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use muster_schemas::{
    envelopes::Envelope,
    problems::ProblemCode,
    releases::{Manifest, ReleaseState, ReleaseView, UploadPlace, manifest_sha256},
};
use reqwest::{Body, Method};
use serde_json::json;
use tokio_util::io::ReaderStream;

use super::{commands::beside, keys, sign};
use crate::{
    client::{Answer, Client},
    exits::Exit,
    failures::Failure,
    output::{self, Context},
    pairs::TargetFile,
    progress,
};

/// Uploads the manifest, and the files that the server does not have yet.
pub async fn publish(
    context: &Context,
    manifest: &Path,
    files: &[TargetFile],
    root: Option<PathBuf>,
) -> Result<Exit, Failure> {
    let envelope = keys::read_envelope(manifest)?;
    let untrusted = |error| Failure::untrusted(manifest.display().to_string(), &error);
    let named = Manifest::unverified(&envelope).map_err(untrusted)?;
    // All files are checked before anything is sent.
    let sizes = files.iter().map(|file| sign::check(&named, file)).collect::<Result<Vec<_>, _>>()?;
    let root = match root.or_else(|| beside(manifest)) {
        Some(root) => {
            sign::verify(&root, manifest, files)?;
            Some(keys::read_envelope(&root)?)
        }
        None => None,
    };
    let client = context.client()?;
    tell_root(&client, root.as_ref()).await?;
    let mut answer = post_manifest(&client, &envelope, &named).await?;
    let uploaded = answer.read::<ReleaseView>()?.uploaded;
    for (file, size) in files.iter().zip(sizes) {
        if uploaded.contains(&file.platform()) {
            context.remark(&format!("The file for {} is already on the server.", file.platform()));
        } else {
            upload(&client, &named.version, file, size).await?;
            answer = client.get(&["releases", &named.version], &[]).await?;
        }
    }
    let release: ReleaseView = answer.read()?;
    context.done(&answer, &sentence(&release))?;
    Ok(if release.state == ReleaseState::Yanked { Exit::Failed } else { Exit::Succeeded })
}

/// Tells the server the trust root, so that it refuses whatever hosts would refuse. The server says so if it has another one.
async fn tell_root(client: &Client, root: Option<&Envelope>) -> Result<(), Failure> {
    let known = match client.get(&["trust-root"], &[]).await {
        // A server that is older than this route may answer with something else.
        Ok(answer) => answer.read::<Envelope>().ok(),
        Err(Failure::Refused { problem, .. }) if problem.code == ProblemCode::NotFound => None,
        Err(failure) => return Err(failure),
    };
    match (root, known) {
        (Some(root), known) if known.as_ref() != Some(root) => {
            match client.change(Method::PUT, &["trust-root"], &[], Some(root)).await {
                Err(Failure::Refused { problem, .. })
                    if matches!(problem.code, ProblemCode::NotFound | ProblemCode::MethodNotAllowed) =>
                {
                    output::warn("The server is too old to verify releases itself.");
                }
                told => drop(told?),
            }
        }
        (Some(_), _) | (None, Some(_)) => {}
        (None, None) => output::warn(
            "The signatures are not verified, because no trust root is known: give --root FILE (root.json of `muster release \
             keygen`) once, and from then on the server verifies every release.",
        ),
    }
    Ok(())
}

/// Posts the manifest. Posting the same manifest again is not an error, so that an interrupted upload can be resumed.
async fn post_manifest(client: &Client, envelope: &Envelope, named: &Manifest) -> Result<Answer, Failure> {
    match client.create(&["releases"], envelope).await {
        Err(Failure::Refused { problem, server }) if problem.code == ProblemCode::AlreadyExists => {
            let answer = client.get(&["releases", &named.version], &[]).await?;
            let there = answer.read::<ReleaseView>()?.manifest_sha256;
            let ours = manifest_sha256(envelope).map_err(|error| Failure::untrusted("the manifest", &error))?;
            if there == ours { Ok(answer) } else { Err(Failure::Refused { problem, server }) }
        }
        answer => answer,
    }
}

async fn upload(client: &Client, version: &str, file: &TargetFile, size: u64) -> Result<(), Failure> {
    let platform = file.platform();
    let bar = progress::bytes(&format!("{version} {platform}"), size);
    let body = || {
        bar.set_position(0);
        let bar = bar.clone();
        // The file is opened for each attempt, when it is sent: its errors become errors of the request.
        let opened = tokio::fs::File::open(file.path.clone());
        let stream = futures_util::stream::once(opened).flat_map(|opened| match opened {
            Ok(file) => ReaderStream::with_capacity(file, 64 * 1024).left_stream(),
            Err(error) => futures_util::stream::iter([Err(error)]).right_stream(),
        });
        Body::wrap_stream(stream.inspect(move |chunk| {
            bar.inc(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
        }))
    };
    let target = ["releases", version, "targets", platform.as_str()];
    let place: UploadPlace = client.act(&[&target[..], &["upload"]].concat(), &json!({})).await?.read()?;
    let put = match &place.url {
        Some(url) => Some(client.upload_elsewhere(url.reveal(), &place.headers, size, body).await),
        None => None,
    };
    match put {
        Some(Ok(())) => drop(client.change(Method::PUT, &target, &[("uploaded", "true".into())], None::<&()>).await?),
        // Some networks let a client reach the server but not the object store.
        Some(Err(failure)) => {
            crate::output::warn(&format!("{failure}; uploading through the server instead"));
            client.upload(&target, size, body).await?;
        }
        None => drop(client.upload(&target, size, body).await?),
    }
    bar.finish();
    if bar.is_hidden() {
        crate::output::warn(&format!("Uploaded {platform} ({size} bytes)."));
    }
    Ok(())
}

fn sentence(release: &ReleaseView) -> String {
    let version = &release.version;
    match (release.state, &release.waiting_on) {
        (ReleaseState::Published, _) => format!("{version} is published."),
        (ReleaseState::Draft, Some(waiting_on)) => format!("{version} is a draft: {waiting_on}."),
        (ReleaseState::Draft, None) => format!("{version} is a draft: files are missing."),
        (ReleaseState::Yanked, _) => format!("{version} was yanked: it is not offered to any host."),
    }
}
