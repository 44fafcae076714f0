//! Enrolment: tokens for operators, and the one route of a host that has no identity yet.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use muster_domain::{
    changes::Change,
    enrollment_tokens::{EnrollmentToken, Event},
    hosts,
    refused::Refused,
    times::after,
};
use muster_schemas::{
    enrollment::{EnrollRequest, EnrollResponse, EnrollmentTokenCreated, EnrollmentTokenRequest, EnrollmentTokenView},
    envelopes::{PublicKey, sha256_hex},
    ids::{EnrollmentTokenId, HostId},
    pages::Page,
    problems::{Problem, ProblemCode},
};

use super::{
    auth::{Anyone, Operator, may},
    credentials,
    extract::{Id, IdempotencyKey, Paged, Sent, check_text},
    idempotency::Once,
    install,
    lists::{List, page},
    problem::Failure,
    reports::check_facts,
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{Cause, CommitError, Extras, put},
    records,
    store::{Consistency, Expect, Versioned},
};

/// What every enrollment token begins with.
pub const PREFIX: &str = "met_";

/// `POST /api/v1/enrollment-tokens`
pub async fn create(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    key: IdempotencyKey,
    Sent { body, sha256 }: Sent<EnrollmentTokenRequest>,
) -> Result<impl IntoResponse, Failure> {
    let EnrollmentTokenRequest { seats, valid_for_seconds, labels, note } = body;
    let (seats, seconds) = (seats.unwrap_or(1), valid_for_seconds.unwrap_or(3_600));
    if !(1..=10_000).contains(&seats) {
        return Err(Problem::invalid("seats", "must be 1 to 10000").into());
    }
    if !(60..=2_592_000).contains(&seconds) {
        return Err(Problem::invalid("valid_for_seconds", "must be 60 to 2592000 (30 days)").into());
    }
    check_text("note", &note, 256)?;
    check_labels(labels.iter().map(|(key, value)| (key, Some(value))))?;
    let mut once = Once::of(&operator.cause(), key, "enrollment-token", &sha256);
    once.refuse_repeat(&app).await?;
    let now = app.now();
    let id = EnrollmentTokenId::new(now, rand::random());
    let (secret, secret_sha256) = credentials::issue(PREFIX, id);
    let (used, revoked, expires_at) = (0, false, after(now, seconds));
    let token = EnrollmentToken { id, secret_sha256, seats, used, labels, note, created_at: now, expires_at, revoked };
    let view = token.view(operator.role(), now);
    let own = Extras { writes: once.write(&app, &id).into_iter().collect(), ..Extras::default() };
    let change = Change::EnrollmentToken(id, Event::Create(Box::new(token)));
    advance_with(&app, change, &operator.cause(), own).await?;
    Ok((
        StatusCode::CREATED,
        Json(EnrollmentTokenCreated { install_command: install::line(&app, &secret), token: secret, view }),
    ))
}

/// `GET /api/v1/enrollment-tokens`
pub async fn list(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    Paged(params): Paged,
) -> Result<Json<Page<EnrollmentTokenView>>, Failure> {
    let now = app.now();
    let view = |found: Versioned<EnrollmentToken>| Some(found.record.view(operator.role(), now));
    page(&app, List::all("tokens"), &params, view).await.map(Json)
}

/// `DELETE /api/v1/enrollment-tokens/{id}`: nobody joins with it any more.
pub async fn revoke(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    Id(id): Id<EnrollmentTokenId>,
) -> Result<StatusCode, Failure> {
    advance(&app, Change::EnrollmentToken(id, Event::Revoke), &operator.cause()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/agent/enroll`: a host joins. The same key again gets the same host.
pub async fn enroll(
    _: Anyone,
    State(app): State<App>,
    Sent { body, .. }: Sent<EnrollRequest>,
) -> Result<impl IntoResponse, Failure> {
    let EnrollRequest { enrollment_token, public_key, facts } = body;
    let key = PublicKey::parse(&public_key)
        .ok_or_else(|| Problem::invalid("public_key", "must be an Ed25519 public key: 32 bytes, base64url"))?;
    check_facts(&facts)?;
    let token = known_token(&app, enrollment_token.reveal()).await?;
    let lookup = records::hosts::by_public_key(&sha256_hex(key.as_bytes()));
    if let Some(host) = app.load::<HostId>(&lookup, Consistency::Strong).await? {
        return Ok(answer(&app, host.record));
    }
    let id = HostId::new(app.now(), rand::random());
    let host = hosts::Event::Enrolled { id, public_key, facts, labels: token.labels.clone(), token: token.id };
    let change = Change::EnrollmentToken(token.id, Event::Join { host: Box::new(host), id });
    let write = put(lookup.clone(), 1, Vec::new(), &id, Expect::Absent);
    let cause = Cause { actor: format!("host:{id}"), name: String::new(), request_id: String::new() };
    match advance_with(&app, change, &cause, Extras { writes: vec![write], ..Extras::default() }).await {
        Ok(_) => Ok(answer(&app, id)),
        // Another request with the same key came first: it is the same host. Which refusal tells so depends on the race.
        Err(error @ (CommitError::Overtaken | CommitError::Refused(_))) => {
            let host = app.load::<HostId>(&lookup, Consistency::Strong).await?;
            host.map_or_else(|| Err(error.into()), |host| Ok(answer(&app, host.record)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Labels within the bounds; a value that is absent removes the label.
pub fn check_labels<'a>(labels: impl Iterator<Item = (&'a String, Option<&'a String>)>) -> Result<(), Failure> {
    let labels = labels.collect::<BTreeMap<_, _>>();
    if labels.len() > 32 {
        return Err(Problem::invalid("labels", "must be at most 32").into());
    }
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    for (key, value) in labels {
        if !(1..=64).contains(&key.len()) || !key.bytes().all(named) {
            return Err(Problem::invalid(format!("labels.{key}"), "a key is 1 to 64 of a-z A-Z 0-9 . _ / -").into());
        }
        if value.is_some_and(|value| value.chars().count() > 128 || value.chars().any(char::is_control)) {
            return Err(Problem::invalid(format!("labels.{key}"), "a value is at most 128 printable characters").into());
        }
    }
    Ok(())
}

/// The token of this text, valid or not.
pub async fn known_token(app: &App, text: &str) -> Result<EnrollmentToken, Failure> {
    let invalid = || Failure::from(Refused::new(ProblemCode::EnrollmentTokenInvalid, "the token is unknown"));
    let ulid = credentials::ulid(PREFIX, text).ok_or_else(invalid)?;
    let id = format!("{}{ulid}", EnrollmentTokenId::PREFIX).parse().map_err(|_| invalid())?;
    let found = app.load::<EnrollmentToken>(&records::enrollment_tokens::key(id), Consistency::Strong).await?;
    let known = found.filter(|found| credentials::matches(text, &found.record.secret_sha256));
    Ok(known.ok_or_else(invalid)?.record)
}

fn answer(app: &App, host_id: HostId) -> (StatusCode, Json<EnrollResponse>) {
    let audience = app.settings.public_url.clone();
    (StatusCode::CREATED, Json(EnrollResponse { host_id, audience, server_time: app.now() }))
}
