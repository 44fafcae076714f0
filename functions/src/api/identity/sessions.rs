//! Sessions of people: a browser keeps an httpOnly cookie, a program a bearer token. Only hashes are stored.

use axum::http::{HeaderMap, Method, header, request::Parts};
use jiff::Timestamp;
use muster_domain::{changes::Note, times::after};
use muster_schemas::{
    access::SessionKind,
    ids::{RequestId, UserId},
    problems::ProblemCode,
    secrets::Secret,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{Identity, accounts::Account, credentials, throttle::Try};
use crate::{
    api::{
        extract::{header_text, request_id},
        problem::Failure,
    },
    app::App,
    commit::{Cause, keep, keep_audited, put},
    records,
    store::{Consistency, Expect, Write},
};

/// The cookie. `__Host-` binds it to this host, to TLS, and to the whole path.
pub const COOKIE: &str = "__Host-muster-session";
/// The header that a browser's changes must carry.
const CSRF_HEADER: &str = "x-csrf-token";
const PREFIX: &str = "mss_";
const COOKIE_IDLE_SECONDS: u32 = 15 * 60;
const SESSION_SECONDS: u32 = 12 * 60 * 60;
/// How often a use of a cookie is written down at most, in seconds.
const USE_WRITE_SECONDS: i64 = 60;

/// A session of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    user_id: UserId,
    secret_sha256: String,
    /// Whether a browser keeps it or a program.
    pub kind: SessionKind,
    /// The CSRF token that a browser's changes must carry; empty for programs.
    pub csrf_token: String,
    /// Of the account when it was opened: a new password ends the session.
    password_version: u64,
    last_used_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Opens a session, and forgets the tries that came before it.
pub async fn open(
    app: &App,
    account: &Account,
    kind: SessionKind,
    tried: &Try,
    cause: &Cause,
) -> Result<(Session, Secret), Failure> {
    let now = app.now();
    let (secret, secret_sha256) = credentials::issue(PREFIX, RequestId::new(now, rand::random()));
    let random = || format!("{:032x}", rand::random::<u128>());
    let session = Session {
        user_id: account.id,
        secret_sha256,
        kind,
        csrf_token: if kind == SessionKind::Cookie { random() } else { String::new() },
        password_version: account.password_version,
        last_used_at: now,
        expires_at: after(now, SESSION_SECONDS),
    };
    let ulid = credentials::ulid(PREFIX, secret.reveal()).unwrap_or_default();
    let note = Note::new("session.opened", account.id, account.username.clone());
    keep_audited(app, vec![write(ulid, 1, &session, Expect::Absent), tried.succeeded(app)], note, cause).await?;
    Ok((session, secret))
}

/// Ends a session.
pub async fn close(app: &App, session: &str) -> Result<(), Failure> {
    let gone = Write::Delete { key: records::sessions::key(session), expect: Expect::Any };
    Ok(keep(app, vec![gone]).await?)
}

/// The identity behind the session of this bearer token, if it is one.
pub async fn of_bearer(app: &App, token: &str, parts: &Parts) -> Result<Option<Identity>, Failure> {
    let found = identify(app, token, SessionKind::Bearer, request_id(parts)).await?;
    Ok(found.map(|(identity, _)| identity))
}

/// The identity behind the session of the request's cookie, if there is one. A change must come from the console.
pub async fn of_cookie(app: &App, parts: &Parts) -> Result<Option<Identity>, Failure> {
    let Some((identity, csrf_token)) = by_cookie(app, &parts.headers, request_id(parts)).await? else {
        return Ok(None);
    };
    if parts.method != Method::GET && parts.method != Method::HEAD {
        sent_by_the_console(parts, app, &csrf_token)?;
    }
    Ok(Some(identity))
}

/// The CSRF token of the session of the request's cookie, if there is one.
pub async fn csrf_token(app: &App, headers: &HeaderMap) -> Result<Option<Secret>, Failure> {
    let found = by_cookie(app, headers, String::new()).await?;
    Ok(found.map(|(_, csrf_token)| Secret::new(csrf_token)))
}

async fn by_cookie(app: &App, headers: &HeaderMap, request_id: String) -> Result<Option<(Identity, String)>, Failure> {
    let Some(token) = cookie(headers, COOKIE) else { return Ok(None) };
    identify(app, token, SessionKind::Cookie, request_id).await
}

/// The identity behind this session, with its CSRF token.
async fn identify(
    app: &App,
    token: &str,
    kind: SessionKind,
    request_id: String,
) -> Result<Option<(Identity, String)>, Failure> {
    let Some(ulid) = credentials::ulid(PREFIX, token) else { return Ok(None) };
    let Some(found) = app.load::<Session>(&records::sessions::key(ulid), Consistency::Strong).await? else {
        return Ok(None);
    };
    let (session, now) = (found.record, app.now());
    // A clock that has been set back since does not make a session last longer than it may.
    let expires_at = session.expires_at.min(after(now, SESSION_SECONDS));
    let is_cut = session.expires_at.duration_since(expires_at).as_secs() >= USE_WRITE_SECONDS;
    let idle_ends = after(session.last_used_at, COOKIE_IDLE_SECONDS);
    let alive = now < session.expires_at && (kind == SessionKind::Bearer || now < idle_ends);
    if !alive || session.kind != kind || !credentials::matches(token, &session.secret_sha256) {
        return Ok(None);
    }
    let account = app.load::<Account>(&records::users::key(session.user_id), Consistency::Strong).await?;
    let Some(account) = account.filter(|account| account.record.password_version == session.password_version) else {
        return Ok(None);
    };
    let used_before = now.duration_since(session.last_used_at).as_secs().abs() >= USE_WRITE_SECONDS;
    if is_cut || (kind == SessionKind::Cookie && used_before) {
        let used = Session { last_used_at: now, expires_at, ..session.clone() };
        let write = write(ulid, found.revision + 1, &used, Expect::Revision(found.revision));
        // Lost to another request of the same session: it has written the same.
        drop(keep(app, vec![write]).await);
    }
    let identity = Identity {
        actor: format!("user:{}", account.record.id),
        name: account.record.username,
        role: account.record.role,
        session: Some(ulid.into()),
        expires_at,
        request_id,
        address: None,
        account: Some(account.record.id),
    };
    Ok(Some((identity, session.csrf_token)))
}

/// CSRF protection: a browser sends the cookie along with requests of any page, so a change must come from our own page and
/// carry its token.
fn sent_by_the_console(parts: &Parts, app: &App, csrf_token: &str) -> Result<(), Failure> {
    let origin = header_text(&parts.headers, header::ORIGIN.as_str());
    let urls = app.names().urls().chain([app.settings.console_url.as_str()]);
    let ours = urls.into_iter().any(|url| !url.is_empty() && origin == origin_of(url));
    let token = header_text(&parts.headers, CSRF_HEADER);
    let knows = bool::from(token.as_bytes().ct_eq(csrf_token.as_bytes()));
    if ours && knows && !csrf_token.is_empty() { Ok(()) } else { Err(Failure::of(ProblemCode::CsrfRefused)) }
}

/// A URL without its path, as browsers say where a page came from.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |path| &url[..host + path])
}

/// The cookie of this name.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(named, _)| *named == name).map(|(_, value)| value)
}

fn write(ulid: &str, revision: u64, session: &Session, expect: Expect) -> Write {
    put(records::sessions::key(ulid), revision, Vec::new(), session, expect).until(session.expires_at)
}
