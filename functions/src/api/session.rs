//! Sessions of people: a browser keeps an httpOnly cookie, a program a bearer token. Only hashes are stored.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use muster_domain::{access::of_caller, changes::Note, times::after};
use muster_schemas::{
    access::{LoginRequest, SessionKind, SessionView},
    envelopes::sha256_hex,
    ids::UserId,
    problems::{Problem, ProblemCode},
    secrets::Secret,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{
    auth::{Anyone, Identity, Operator, cookie, may},
    credentials,
    extract::Sent,
    problem::Failure,
    users::{self, Account},
};
use crate::{
    app::App,
    commit::{Cause, keep, keep_audited, put},
    records,
    store::{Consistency, Expect, Key, StoreError, Write},
};

/// The cookie. `__Host-` binds it to this host, to TLS, and to the whole path.
pub const COOKIE: &str = "__Host-muster-session";
/// The header that a browser's changes must carry.
pub const CSRF_HEADER: &str = "x-csrf-token";
const PREFIX: &str = "mss_";
const COOKIE_IDLE_SECONDS: u32 = 15 * 60;
const SESSION_SECONDS: u32 = 12 * 60 * 60;
/// How often a use of a cookie is written down at most, in seconds.
const USE_WRITE_SECONDS: i64 = 60;

/// Password hashing is meant to be dear: two at a time leave the server able to do something else.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// How many sign-ins may wait for their turn; more are sent away, so that guessing locks nobody out for long.
static WAITING: Semaphore = Semaphore::const_new(32);

/// How often a name may be tried without a right password before the next try has to wait, and for how long at most, in
/// seconds: it doubles from one second on. Counted in the table, because a function knows nothing of the others.
const FREE_TRIES: u32 = 10;
const LONGEST_WAIT_SECONDS: u32 = 60;
/// When tries are forgotten, in seconds.
const TRIES_KEPT_SECONDS: u32 = 3_600;
/// How often a try is counted again that another one of the same name came before.
const RACES: u32 = 8;

/// Tries of a name that no right password has followed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tries {
    count: u32,
    last_at: Timestamp,
}

/// A session of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    user_id: UserId,
    secret_sha256: String,
    kind: SessionKind,
    csrf_token: String,
    /// Of the account when it was opened: a new password ends the session.
    password_version: u64,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

/// `POST /api/v1/session`: sign in.
pub async fn create(
    _: Anyone,
    State(app): State<App>,
    Sent { body, .. }: Sent<LoginRequest>,
) -> Result<Response, Failure> {
    let LoginRequest { username, password, kind } = body;
    let _place = WAITING.try_acquire().map_err(|_| Failure::of(ProblemCode::TooManyRequests))?;
    let tries = counted(&app, &username).await?;
    let account = users::by_name(&app, &username).await?;
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    // An unknown name takes as long as a wrong password, and is answered the same.
    let right = verify(password, stored).await?;
    let Some(account) = account.filter(|_| right) else {
        return Err(Problem::new(ProblemCode::Unauthorized).detail("wrong name or password").into());
    };
    let (now, id) = (app.now(), format!("{:032x}", rand::random::<u128>()));
    let ulid = muster_schemas::ids::RequestId::new(now, rand::random());
    let (secret, secret_sha256) = credentials::issue(PREFIX, ulid);
    let csrf_token = if kind == SessionKind::Cookie { id } else { String::new() };
    let session = Session {
        user_id: account.id,
        secret_sha256,
        kind,
        csrf_token,
        password_version: account.password_version,
        last_used_at: now,
        expires_at: after(now, SESSION_SECONDS),
    };
    let ulid = credentials::ulid(PREFIX, secret.reveal()).unwrap_or_default();
    let cause =
        Cause { actor: format!("user:{}", account.id), name: account.username.clone(), request_id: String::new() };
    let note = Note::new("session.opened", account.id, account.username.clone());
    let forgotten = Write::Delete { key: tries, expect: Expect::Any };
    keep_audited(&app, vec![write(ulid, 1, &session, Expect::Absent), forgotten], note, &cause).await?;
    Ok((StatusCode::CREATED, answer(&account, session, secret)).into_response())
}

/// Counts a try of this name, or says that it comes too soon. Before its password is looked at: of many at once each is
/// counted.
async fn counted(app: &App, username: &str) -> Result<Key, Failure> {
    let key = records::sessions::sign_in(&sha256_hex(username.as_bytes()));
    for _ in 0..RACES {
        let found = app.load::<Tries>(&key, Consistency::Strong).await?;
        let (now, revision) = (app.now(), found.as_ref().map(|found| found.revision));
        let known = found.map(|found| found.record).filter(|known| now < after(known.last_at, TRIES_KEPT_SECONDS));
        if known.as_ref().is_some_and(|known| now < after(known.last_at, known.wait_seconds())) {
            let detail = "this name was tried too often without its password";
            return Err(Problem::new(ProblemCode::TooManyRequests).detail(detail).into());
        }
        let next = Tries { count: known.map_or(0, |known| known.count) + 1, last_at: now };
        let expect = revision.map_or(Expect::Absent, Expect::Revision);
        let write = put(key.clone(), revision.unwrap_or(0) + 1, Vec::new(), &next, expect);
        let write = write.until(after(now, TRIES_KEPT_SECONDS));
        match keep(app, vec![write]).await {
            Err(StoreError::Stale { .. }) => {}
            done => return Ok(done.map(|()| key)?),
        }
    }
    Err(Failure::of(ProblemCode::TooManyRequests))
}

impl Tries {
    fn wait_seconds(&self) -> u32 {
        let too_many = self.count.checked_sub(FREE_TRIES);
        too_many.map_or(0, |too_many| 1_u32.checked_shl(too_many).unwrap_or(u32::MAX).min(LONGEST_WAIT_SECONDS))
    }
}

/// `GET /api/v1/session`: who am I.
pub async fn get(operator: Operator<may::Look>, csrf: Csrf) -> Json<SessionView> {
    let Identity { name, role, expires_at, .. } = operator.identity;
    Json(SessionView { username: name, role, expires_at, csrf_token: csrf.0, token: None, actions: of_caller(role) })
}

/// `DELETE /api/v1/session`: sign out.
pub async fn delete(operator: Operator<may::Look>, State(app): State<App>) -> Result<Response, Failure> {
    if let Some(session) = operator.identity.session {
        let gone = Write::Delete { key: records::sessions::key(&session), expect: Expect::Any };
        keep(&app, vec![gone]).await?;
    }
    let ended = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, ended)]).into_response())
}

/// The CSRF token of a browser's session, to be told again after a reload.
pub struct Csrf(Option<Secret>);

impl FromRequestParts<App> for Csrf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Some(token) = cookie(&parts.headers) else { return Ok(Self(None)) };
        let found = identify(app, token, SessionKind::Cookie, String::new()).await?;
        Ok(Self(found.map(|(_, csrf_token)| Secret::new(csrf_token))))
    }
}

/// Who has this session, with its CSRF token.
pub async fn identify(
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
    let idle_ends = after(session.last_used_at, COOKIE_IDLE_SECONDS);
    let alive = now < session.expires_at && (kind == SessionKind::Bearer || now < idle_ends);
    if !alive || session.kind != kind || !credentials::matches(token, &session.secret_sha256) {
        return Ok(None);
    }
    let account = app.load::<Account>(&records::users::key(session.user_id), Consistency::Strong).await?;
    let Some(account) = account.filter(|account| account.record.password_version == session.password_version) else {
        return Ok(None);
    };
    if kind == SessionKind::Cookie && now.duration_since(session.last_used_at).as_secs() >= USE_WRITE_SECONDS {
        let used = Session { last_used_at: now, ..session.clone() };
        let write = write(ulid, found.revision + 1, &used, Expect::Revision(found.revision));
        // Lost to another request of the same session: it has written the same.
        drop(keep(app, vec![write]).await);
    }
    let identity = Identity {
        actor: format!("user:{}", account.record.id),
        name: account.record.username,
        role: account.record.role,
        session: Some(ulid.into()),
        expires_at: session.expires_at,
        request_id,
    };
    Ok(Some((identity, session.csrf_token)))
}

/// A password as it is stored.
pub async fn hash(password: Secret) -> Result<String, Failure> {
    let _turn = HASHING.acquire().await.map_err(Failure::broken)?;
    let hashing = move || Argon2::default().hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string());
    let hashed = tokio::task::spawn_blocking(hashing).await.map_err(Failure::broken)?;
    hashed.map_err(Failure::broken)
}

async fn verify(password: Secret, stored: Option<String>) -> Result<bool, Failure> {
    /// Of a password that nobody has.
    static NOBODY: LazyLock<String> = LazyLock::new(|| {
        let password = rand::random::<[u8; 32]>();
        Argon2::default().hash_password(&password).map(|hash| hash.to_string()).unwrap_or_default()
    });
    let _turn = HASHING.acquire().await.map_err(Failure::broken)?;
    let verifying = move || {
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        let hash = PasswordHash::new(&stored).ok();
        hash.is_some_and(|hash| Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok())
    };
    tokio::task::spawn_blocking(verifying).await.map_err(Failure::broken)
}

fn write(ulid: &str, revision: u64, session: &Session, expect: Expect) -> Write {
    put(records::sessions::key(ulid), revision, Vec::new(), session, expect).until(session.expires_at)
}

fn answer(account: &Account, session: Session, secret: Secret) -> Response {
    let view = |csrf_token, token| SessionView {
        username: account.username.clone(),
        role: account.role,
        expires_at: session.expires_at,
        csrf_token,
        token,
        actions: of_caller(account.role),
    };
    match session.kind {
        SessionKind::Bearer => Json(view(None, Some(secret))).into_response(),
        SessionKind::Cookie => {
            let attributes = "Path=/; Secure; HttpOnly; SameSite=Strict";
            let cookie = format!("{COOKIE}={}; {attributes}", secret.reveal());
            let view = view(Some(Secret::new(session.csrf_token.clone())), None);
            ([(header::SET_COOKIE, cookie)], Json(view)).into_response()
        }
    }
}
