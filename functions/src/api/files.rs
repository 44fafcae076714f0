//! File downloads: HTTP range requests, and redirects to the object store.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use muster_domain::refused::Refused;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::{extract::header_text, problem::Failure};
use crate::app::App;

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

fn offset(headers: &HeaderMap) -> u64 {
    let range = header_text(headers, header::RANGE.as_str());
    let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
    from.and_then(|from| from.parse().ok()).unwrap_or(0)
}
