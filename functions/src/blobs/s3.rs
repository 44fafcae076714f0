//! Blobs in S3: `blobs/<sha256>` holds the bytes with that digest.
//!
//! An upload through the server is checked as it comes: the last piece is passed on only when all are the announced
//! ones, so an object is complete exactly if it is right. An upload past the server is bound by the link: size and digest
//! are signed, and S3 refuses other bytes. One `PUT` takes 5 GB, far more than a release may have, so there are no parts
//! to gather; nor does a broken upload leave anything.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_object::builders::PutObjectFluentBuilder,
    presigning::PresigningConfig,
    primitives::{ByteStream, SdkBody},
};
use axum::body::Bytes;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{
    StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use http_body::Frame;
use http_body_util::StreamBody;
use sync_wrapper::SyncStream;

use super::{BlobError, BlobId, Blobs, Check, OpenBlob, Piece, UploadLink, fault, is_name};
use crate::aws::{AwsError, Place};

/// How long a link is good: long enough for a large file over a thin line.
const LINK_VALID: Duration = Duration::from_hours(1);

/// How long an answer to a question may take to begin. Files take as long as they take.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);

/// The object store in a bucket.
pub struct Bucket {
    client: Client,
    place: Place,
}

impl Bucket {
    /// The bucket of this name, as it is reached from here. Nothing is asked yet.
    pub fn new(configuration: &SdkConfig, name: &str) -> Self {
        // A bucket's own host name exists only at Amazon's.
        let elsewhere = configuration.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let config = aws_sdk_s3::config::Builder::from(configuration).force_path_style(elsewhere).build();
        Self { client: Client::from_conf(config), place: Place::new("bucket", name, configuration) }
    }

    /// Whether the bucket is there and may be read: an object is asked for that nobody makes. Not only for its head, to
    /// which S3 says the same whether the object or the bucket is missing.
    pub async fn check(&self) -> Result<(), BlobError> {
        self.open_at(&"0".repeat(64), 0).await.map(drop)
    }

    /// Makes the bucket, for places that have no template. There already is fine.
    pub async fn create(&self) -> Result<(), BlobError> {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        // The oldest region is the one that is not named.
        let elsewhere = Some(self.place.region.as_str()).filter(|region| *region != "us-east-1");
        let place = elsewhere.map(BucketLocationConstraint::from);
        let place = place.map(|place| CreateBucketConfiguration::builder().location_constraint(place).build());
        let request = self.client.create_bucket().bucket(&self.place.name).set_create_bucket_configuration(place);
        match request.send().await {
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) => Err(failed("make the bucket", self.place.failed("s3:CreateBucket", error))),
            Ok(_) => Ok(()),
        }
    }

    /// A put that S3 refuses unless these very bytes come.
    fn put_object(&self, id: &BlobId) -> Result<PutObjectFluentBuilder, BlobError> {
        let (size, checksum) = (size(id)?, checksum(&id.sha256)?);
        let request = self.client.put_object().bucket(&self.place.name).key(key(&id.sha256));
        Ok(request.content_length(size).checksum_sha256(checksum))
    }

    async fn store(&self, id: &BlobId, pieces: BoxStream<'static, Piece>) -> Result<(), BlobError> {
        let request = self.put_object(id)?;
        let verdict = Arc::new(Mutex::new(None));
        // The SDK wants a body that several threads may look at, which no stream is by itself.
        let body = StreamBody::new(SyncStream::new(checked(id, pieces, Arc::clone(&verdict))));
        let sent = request.body(ByteStream::new(SdkBody::from_body_1_x(body))).send().await;
        if let Some(wrong) = verdict.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(wrong);
        }
        sent.map(drop).map_err(|error| failed("keep a blob", self.place.failed("s3:PutObject", error)))
    }

    async fn open_at(&self, sha256: &str, offset: u64) -> Result<Option<OpenBlob>, BlobError> {
        if !is_name(sha256) {
            return Ok(None);
        }
        let request = self.client.get_object().bucket(&self.place.name).key(key(sha256));
        let request = if offset > 0 { request.range(format!("bytes={offset}-")) } else { request };
        let found = match request.customize().config_override(impatient()).send().await {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(None),
            // The offset is at its end, or past it.
            Err(error) if error.code() == Some("InvalidRange") => {
                let there = self.size_of(sha256).await?.filter(|size| *size == offset);
                return Ok(there.map(|size| OpenBlob { size, reader: Box::pin(tokio::io::empty()) }));
            }
            Err(error) => return Err(failed("open a blob", self.place.failed("s3:GetObject", error))),
        };
        let left = u64::try_from(found.content_length.unwrap_or_default()).unwrap_or_default();
        Ok(Some(OpenBlob { size: offset + left, reader: Box::pin(found.body.into_async_read()) }))
    }

    async fn size_of(&self, sha256: &str) -> Result<Option<u64>, BlobError> {
        let request = self.client.head_object().bucket(&self.place.name).key(key(sha256));
        match request.customize().config_override(impatient()).send().await {
            Ok(found) => Ok(found.content_length.and_then(|size| u64::try_from(size).ok())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed("look for a blob", self.place.failed("s3:GetObject", error))),
        }
    }

    async fn link(&self, id: &BlobId) -> Result<UploadLink, BlobError> {
        let request = self.put_object(id)?;
        let valid = PresigningConfig::expires_in(LINK_VALID).map_err(fault("sign a link"))?;
        let signed = request.presigned(valid).await;
        let signed = signed.map_err(|error| failed("sign a link", self.place.failed("s3:PutObject", error)))?;
        // The client sends its own, which must be the signed one.
        let headers = signed.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>();
        Ok(UploadLink { url: signed.uri().to_owned(), headers })
    }

    async fn url(&self, sha256: &str) -> Result<Option<String>, BlobError> {
        if !is_name(sha256) {
            return Ok(None);
        }
        let valid = PresigningConfig::expires_in(LINK_VALID).map_err(fault("sign a link"))?;
        let signed = self.client.get_object().bucket(&self.place.name).key(key(sha256)).presigned(valid).await;
        let signed = signed.map_err(|error| failed("sign a link", self.place.failed("s3:GetObject", error)))?;
        Ok(Some(signed.uri().to_owned()))
    }
}

fn impatient() -> aws_sdk_s3::config::Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(TRY_TIMEOUT).build();
    aws_sdk_s3::Config::builder().timeout_config(timeouts)
}

impl Blobs for Bucket {
    fn put<'a>(&'a self, id: &'a BlobId, pieces: BoxStream<'static, Piece>) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.store(id, pieces))
    }

    fn open<'a>(&'a self, sha256: &'a str, offset: u64) -> BoxFuture<'a, Result<Option<OpenBlob>, BlobError>> {
        Box::pin(self.open_at(sha256, offset))
    }

    fn has<'a>(&'a self, id: &'a BlobId) -> BoxFuture<'a, Result<bool, BlobError>> {
        Box::pin(async { Ok(is_name(&id.sha256) && self.size_of(&id.sha256).await? == Some(id.size)) })
    }

    fn upload_link<'a>(&'a self, id: &'a BlobId) -> BoxFuture<'a, Result<Option<UploadLink>, BlobError>> {
        Box::pin(async { self.link(id).await.map(Some) })
    }

    fn download_url<'a>(&'a self, sha256: &'a str) -> BoxFuture<'a, Result<Option<String>, BlobError>> {
        Box::pin(self.url(sha256))
    }
}

/// The part that was passed on so far.
struct Relay {
    check: Check,
    pieces: BoxStream<'static, Piece>,
    held: Option<Bytes>,
}

/// Passes pieces on, each when the next one has come, and the last only when all of them were the announced ones. Why
/// nothing more is passed on is told to `verdict`: the SDK would only say that the body broke off.
fn checked(
    id: &BlobId,
    pieces: BoxStream<'static, Piece>,
    verdict: Arc<Mutex<Option<BlobError>>>,
) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
    let relay = Some(Relay { check: Check::of(id), pieces, held: None });
    let passed = stream::try_unfold(relay, async |relay: Option<Relay>| match relay {
        Some(relay) => relay.next().await,
        None => Ok(None),
    });
    let told = move |wrong: BlobError| {
        let broken = io::Error::other(wrong.to_string());
        *verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(wrong);
        broken
    };
    passed.map_ok(Frame::data).map_err(told).boxed()
}

impl Relay {
    async fn next(mut self) -> Result<Option<(Bytes, Option<Self>)>, BlobError> {
        while let Some(piece) = self.pieces.next().await {
            let piece = piece.map_err(BlobError::BrokenOff)?;
            self.check.takes(&piece)?;
            if let Some(passed) = self.held.replace(piece.into()) {
                return Ok(Some((passed, Some(self))));
            }
        }
        self.check.ends()?;
        Ok(self.held.map(|last| (last, None)))
    }
}

fn key(sha256: &str) -> String {
    format!("blobs/{sha256}")
}

fn size(id: &BlobId) -> Result<i64, BlobError> {
    i64::try_from(id.size).map_err(fault("keep a blob"))
}

/// The digest as S3 writes it.
fn checksum(sha256: &str) -> Result<String, BlobError> {
    if !is_name(sha256) {
        return Err(fault("name a blob")("the name is not a SHA-256"));
    }
    let byte = |place| u8::from_str_radix(&sha256[place..place + 2], 16).unwrap_or_default();
    Ok(BASE64_STANDARD.encode((0..64).step_by(2).map(byte).collect::<Vec<_>>()))
}

fn is_absent<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    matches!(error.code(), Some("NoSuchKey" | "NotFound"))
}

fn failed(doing: &'static str, error: AwsError) -> BlobError {
    match error {
        AwsError::Unavailable { .. } => BlobError::Unavailable { doing, source: error.into() },
        error => BlobError::Fault { doing, source: error.into() },
    }
}
