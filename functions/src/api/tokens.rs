//! Access tokens of hosts: `POST /oauth/token` (RFC 7523). No refresh token to lose: a 401 means ask again with the key.

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use muster_domain::mailboxes::Mailbox;
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE, TokenRequest, TokenResponse},
    hosts::HostState,
    ids::HostId,
    problems::{Problem, ProblemCode},
    secrets::Secret,
};
use serde::{Deserialize, Serialize};

use super::{
    auth::{Anyone, within_budget},
    extract,
    problem::Failure,
};
use crate::{app::App, records, store::Consistency};

/// How long an assertion may be valid, in seconds.
const MAX_ASSERTION_SECONDS: i64 = 60;
/// How far the clocks of host and server may differ, in seconds.
const LEEWAY_SECONDS: i64 = 120;
const AUDIENCE: &str = "muster-agent-api";
const MAX_FORM_BYTES: usize = 8 * 1024;

#[derive(Serialize, Deserialize)]
struct AccessClaims {
    sub: HostId,
    aud: String,
    iat: i64,
    exp: i64,
}

/// `POST /oauth/token`: an access token for a host that shows it has its key.
pub async fn create(_: Anyone, State(app): State<App>, request: Request) -> Result<Json<TokenResponse>, Failure> {
    let form = form(&app, request.into_body()).await?;
    if form.grant_type != GRANT_TYPE {
        return Err(Problem::invalid("grant_type", format_args!("must be {GRANT_TYPE}")).into());
    }
    if form.client_assertion_type != ASSERTION_TYPE {
        return Err(Problem::invalid("client_assertion_type", format_args!("must be {ASSERTION_TYPE}")).into());
    }
    let assertion = form.client_assertion.reveal();
    let host_id = claimed(assertion).ok_or_else(unproven)?;
    let mailbox = proven_owner(&app, host_id, assertion).await?;
    // Only now: who cannot prove who they are must not spend what is another's.
    within_budget(&app, &host_id.to_string(), app.settings.pacing.host_budget)?;
    if mailbox.state == HostState::Retired {
        mailbox.served()?;
    }
    let expires_in = app.settings.pacing.access_token_seconds;
    Ok(Json(TokenResponse { access_token: issued(&app, host_id)?, token_type: "Bearer".into(), expires_in }))
}

/// The mailbox of the host that made the assertion. The cheap read may lag behind a host that has just joined: nobody is
/// refused on its strength.
async fn proven_owner(app: &App, host_id: HostId, assertion: &str) -> Result<Mailbox, Failure> {
    for consistency in [Consistency::Eventual, Consistency::Strong] {
        let found = app.load::<Mailbox>(&records::mailboxes::key(host_id), consistency).await?;
        let proven = found.filter(|found| proven(app, &found.record, assertion).is_some());
        if let Some(proven) = proven {
            return Ok(proven.record);
        }
    }
    Err(unproven())
}

/// The host that an access token is for, if it is valid.
pub fn host(app: &App, token: &str) -> Option<HostId> {
    let key = DecodingKey::from_secret(app.settings.token_secret.reveal().as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    // The server's own clock decides, and a test moves it.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<AccessClaims>(token, &key, &validation).ok()?.claims;
    (app.now().as_second() < claims.exp).then_some(claims.sub)
}

fn issued(app: &App, host_id: HostId) -> Result<Secret, Failure> {
    let (now, valid) = (app.now().as_second(), i64::from(app.settings.pacing.access_token_seconds));
    let claims = AccessClaims { sub: host_id, aud: AUDIENCE.into(), iat: now, exp: now + valid };
    let key = EncodingKey::from_secret(app.settings.token_secret.reveal().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map(Secret::new).map_err(Failure::broken)
}

async fn form(app: &App, body: Body) -> Result<TokenRequest, Failure> {
    let bytes = extract::read(app, body, MAX_FORM_BYTES).await?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::of(ProblemCode::Malformed))?;
    let uri = format!("/?{text}").parse().map_err(|_| Failure::of(ProblemCode::Malformed))?;
    let query = axum::extract::Query::<TokenRequest>::try_from_uri(&uri);
    query.map(|query| query.0).map_err(|error| Problem::invalid("body", error.body_text()).into())
}

/// Whom the assertion claims to be; believed by nobody yet.
fn claimed(assertion: &str) -> Option<HostId> {
    let claims = jsonwebtoken::dangerous::insecure_decode::<AssertionClaims>(assertion).ok()?.claims;
    (claims.iss == claims.sub).then_some(claims.sub)
}

fn proven(app: &App, mailbox: &Mailbox, assertion: &str) -> Option<()> {
    let key = DecodingKey::from_ed_components(&mailbox.public_key).ok()?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[&app.settings.public_url]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<AssertionClaims>(assertion, &key, &validation).ok()?.claims;
    let now = app.now().as_second();
    let fresh = claims.iat <= now + LEEWAY_SECONDS && now < claims.exp.saturating_add(LEEWAY_SECONDS);
    let short = claims.exp.checked_sub(claims.iat).is_some_and(|seconds| seconds <= MAX_ASSERTION_SECONDS);
    (fresh && short && claims.sub == mailbox.host_id).then_some(())
}

fn unproven() -> Failure {
    Problem::new(ProblemCode::Unauthorized).detail("the assertion does not prove a host's identity").into()
}
