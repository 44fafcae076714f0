//! Sign in, sign out, and the identity of the caller.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use muster_domain::access::of_caller;
use muster_schemas::{
    access::{LoginRequest, SessionKind, SessionView},
    problems::{Problem, ProblemCode},
    secrets::Secret,
};

use super::{
    auth::{Anyone, Operator, may},
    extract::JsonBody,
    identity::{
        Identity,
        accounts::{self, Account},
        devices::{self, Device},
        passwords, refusals,
        sessions::{self, COOKIE, Session},
        throttle::{self, Attempt},
    },
    problem::Failure,
    route::{self, Argument, Route},
};
use crate::app::App;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/session", create).says("Sign in.").takes::<LoginRequest>().gives::<SessionView>(201),
        route::get("/api/v1/session", get)
            .says("Get the account or API key that is signed in.")
            .gives::<SessionView>(200),
        route::delete("/api/v1/session", delete).says("Sign out.").ends(204),
    ]
}

/// `POST /api/v1/session`: sign in.
pub async fn create(
    caller: Anyone,
    device: Device,
    State(app): State<App>,
    JsonBody { body, .. }: JsonBody<LoginRequest>,
) -> Result<Response, Failure> {
    let LoginRequest { username, password, kind } = body;
    let attempt = Attempt { username: &username, address: caller.address, device: device.of(&username) };
    let tried = throttle::admit(&app, &attempt).await?;
    let account = accounts::by_name(&app, &username).await?;
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    // An unknown name takes as long as a wrong password, and is answered the same.
    let right = passwords::verify(password, stored).await?;
    if !right && tried.begins_the_wait {
        log_refused(account.as_ref(), &caller.request_id);
    }
    let Some(account) = account.as_ref().filter(|_| right) else {
        refusals::note(&app, account.as_ref(), &attempt, &caller.cause("anonymous".into(), String::new())).await?;
        return Err(Problem::new(ProblemCode::Unauthorized).detail("wrong name or password").into());
    };
    let cause = caller.cause(format!("user:{}", account.id), account.username.clone());
    let (session, secret) = sessions::open(&app, account, kind, &tried, &cause).await?;
    let known = AppendHeaders([(header::SET_COOKIE, devices::remember(&app, &username)?)]);
    Ok((StatusCode::CREATED, known, answer(account, session, secret)).into_response())
}

/// `GET /api/v1/session`: who am I.
pub async fn get(operator: Operator<may::Look>, csrf: Csrf) -> Json<SessionView> {
    let Identity { name, role, expires_at, .. } = operator.identity;
    Json(SessionView { username: name, role, expires_at, csrf_token: csrf.0, token: None, actions: of_caller(role) })
}

/// `DELETE /api/v1/session`: sign out.
pub async fn delete(operator: Operator<may::Look>, State(app): State<App>) -> Result<Response, Failure> {
    if let Some(session) = operator.identity.session {
        sessions::close(&app, &session).await?;
    }
    let ended = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, ended)]).into_response())
}

/// The CSRF token of a browser's session, which the page needs again after a reload.
pub struct Csrf(Option<Secret>);

impl Argument for Csrf {}

impl FromRequestParts<App> for Csrf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        sessions::csrf_token(app, &parts.headers).await.map(Self)
    }
}

/// Once, when the wait begins: guessing must not fill the log. A name that no account has is not logged, because people type
/// their password into the wrong field.
fn log_refused(account: Option<&Account>, request_id: &str) {
    let (subject, detail) = account.map_or_else(
        || (String::new(), "no account has the name"),
        |account| (account.id.to_string(), account.username.as_str()),
    );
    let text = "Sign-ins were refused: too many wrong passwords for one name, each further try has to wait.";
    tracing::info!(action = "session.refused", subject, detail, request.id = request_id, "{text}");
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
