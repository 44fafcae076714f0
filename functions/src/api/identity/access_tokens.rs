//! Access tokens of hosts (JWT), and the signed client assertion (RFC 7523) by which a host shows that it has its key.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use muster_domain::mailboxes::Mailbox;
use muster_schemas::{
    check_ins::AssertionClaims,
    ids::HostId,
    problems::{Problem, ProblemCode},
    secrets::Secret,
};
use serde::{Deserialize, Serialize};

use crate::{api::problem::Failure, app::App, records, store::Consistency};

/// How long an assertion may be valid, in seconds.
const MAX_ASSERTION_SECONDS: i64 = 60;
/// How far the clocks of host and server may differ, in seconds.
const LEEWAY_SECONDS: i64 = 120;
/// So much is told of the name that a host signs for, in characters.
const MAX_TOLD: usize = 200;
const AUDIENCE: &str = "muster-agent-api";

#[derive(Serialize, Deserialize)]
struct AccessClaims {
    sub: HostId,
    aud: String,
    iat: i64,
    exp: i64,
}

/// A new access token for a host.
pub fn issue(app: &App, host_id: HostId) -> Result<Secret, Failure> {
    let (now, valid) = (app.now().as_second(), i64::from(app.settings.pacing.access_token_seconds));
    let claims = AccessClaims { sub: host_id, aud: AUDIENCE.into(), iat: now, exp: now + valid };
    let key = EncodingKey::from_secret(app.settings.token_secret.reveal().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map(Secret::new).map_err(Failure::broken)
}

/// The host that an access token is for, if it is valid.
pub fn host(app: &App, token: &str) -> Option<HostId> {
    let now = app.now().as_second();
    app.verified.find(token, now).or_else(|| verify(app, token, now))
}

fn verify(app: &App, token: &str, now: i64) -> Option<HostId> {
    let key = DecodingKey::from_secret(app.settings.token_secret.reveal().as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    // The server's own clock decides, and a test moves it.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<AccessClaims>(token, &key, &validation).ok()?.claims;
    let valid = now < claims.exp;
    valid.then(|| app.verified.keep(token, claims.sub, claims.exp, now));
    valid.then_some(claims.sub)
}

/// The mailbox of the host that made the assertion. The cheap read may lag behind a host that has just joined: nobody is
/// refused on its strength.
pub async fn proven_owner(app: &App, assertion: &str) -> Result<Mailbox, Failure> {
    let host_id = claimed(assertion).ok_or_else(unproven)?;
    for consistency in [Consistency::Eventual, Consistency::Strong] {
        let found = app.load::<Mailbox>(&records::mailboxes::key(host_id), consistency).await?;
        let proven = found.and_then(|found| Some((proven(app, &found.record, assertion)?, found.record)));
        if let Some((AssertionClaims { aud, .. }, mailbox)) = proven {
            return if app.names().is_addressed_by(&aud) { Ok(mailbox) } else { Err(misaddressed(host_id, &aud)) };
        }
    }
    Err(unproven())
}

/// The host that the assertion claims to be from; believed by nobody yet.
fn claimed(assertion: &str) -> Option<HostId> {
    let claims = jsonwebtoken::dangerous::insecure_decode::<AssertionClaims>(assertion).ok()?.claims;
    (claims.iss == claims.sub).then_some(claims.sub)
}

/// What the host has signed, if it has. For whom, nobody has looked yet.
fn proven(app: &App, mailbox: &Mailbox, assertion: &str) -> Option<AssertionClaims> {
    let key = DecodingKey::from_ed_components(&mailbox.public_key).ok()?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_aud = false;
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<AssertionClaims>(assertion, &key, &validation).ok()?;
    // It asks for something to be understood that is not (RFC 7515, 4.1.11).
    if decoded.header.crit.is_some() {
        return None;
    }
    let claims = decoded.claims;
    let now = app.now().as_second();
    let fresh = claims.iat <= now + LEEWAY_SECONDS && now < claims.exp.saturating_add(LEEWAY_SECONDS);
    let short = claims.exp.checked_sub(claims.iat).is_some_and(|seconds| seconds <= MAX_ASSERTION_SECONDS);
    (fresh && short && claims.sub == mailbox.host_id).then_some(claims)
}

fn unproven() -> Failure {
    Problem::new(ProblemCode::Unauthorized).detail("the assertion does not prove a host's identity").into()
}

/// The host has its key, and signs for a server of another name. Whoever runs both has to hear of it.
fn misaddressed(host_id: HostId, audience: &str) -> Failure {
    let audience = audience.chars().take(MAX_TOLD).collect::<String>();
    let detail = format!(
        "the host signs for {audience:?}, which this server is not known by: serve --also-known-as makes it known, or \
         muster-agent point-to the host"
    );
    tracing::info!(host.id = %host_id, audience, "A host was refused: {detail}.");
    Problem::new(ProblemCode::Unauthorized).detail(detail).into()
}
