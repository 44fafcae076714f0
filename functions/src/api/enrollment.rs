//! Enrollment: tokens for operators, and the one route of a host that has no identity yet.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::IntoResponse,
};
use muster_domain::{
    changes::Change,
    enrollment_tokens::{EnrollmentToken, Event},
    hosts,
    times::after,
};
use muster_schemas::{
    enrollment::{EnrollRequest, EnrollResponse, EnrollmentTokenCreated, EnrollmentTokenRequest, EnrollmentTokenView},
    envelopes::{PublicKey, sha256_hex},
    ids::{EnrollmentTokenId, HostId},
    pages::Page,
    problems::Problem,
    secrets::Secret,
};

use super::{
    auth::{Anyone, Operator, may, within_budget},
    bodies::{Arriving, MAX_STRANGERS_BYTES, too_large},
    checks::{check_facts, check_labels, check_text},
    extract::{DigestedBody, Id, IdempotencyKey, JsonBody, Paging, check_is_json, json},
    idempotency::Once,
    identity::enrollment_tokens,
    known::Known,
    lists::{List, page},
    problem::Failure,
    route::{self, Argument, PAGE, Route},
};
use crate::{
    advance::{advance, advance_with},
    app::App,
    commit::{CommitError, Extras, put},
    memory::Share,
    records,
    store::{Consistency, Expect, Versioned},
};

/// The largest request of a host to join, in bytes: its facts may be as large as in a session.
const MAX_ENROLL_BYTES: usize = 80 * 1024;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/api/v1/enrollment-tokens", create)
            .says("Create an enrollment token.")
            .takes::<EnrollmentTokenRequest>()
            .gives::<EnrollmentTokenCreated>(201),
        route::get("/api/v1/enrollment-tokens", list)
            .says("List enrollment tokens.")
            .asks(&PAGE)
            .gives::<Page<EnrollmentTokenView>>(200),
        route::delete("/api/v1/enrollment-tokens/{id}", revoke).says("Revoke an enrollment token.").ends(204),
        route::post("/api/v1/agent/enroll", enroll)
            .says("Enroll a host.")
            .takes::<EnrollRequest>()
            .gives::<EnrollResponse>(201),
    ]
}

/// `POST /api/v1/enrollment-tokens`
pub async fn create(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    key: IdempotencyKey,
    DigestedBody { body, sha256, .. }: DigestedBody<EnrollmentTokenRequest>,
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
    let (secret, secret_sha256) = enrollment_tokens::issue(id);
    let (used, revoked, expires_at) = (0, false, after(now, seconds));
    let token = EnrollmentToken { id, secret_sha256, seats, used, labels, note, created_at: now, expires_at, revoked };
    let view = token.view(operator.role(), now);
    let own = Extras { writes: once.write(&app, &id).into_iter().collect(), ..Extras::default() };
    let change = Change::EnrollmentToken(id, Event::Create(Box::new(token)));
    advance_with(&app, change, &operator.cause(), own).await?;
    Ok((
        StatusCode::CREATED,
        Json(EnrollmentTokenCreated { install_command: install_command(&app, &secret), token: secret, view }),
    ))
}

/// `GET /api/v1/enrollment-tokens`
pub async fn list(
    operator: Operator<may::ManageHosts>,
    State(app): State<App>,
    Paging(params): Paging,
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
    caller: Anyone,
    State(app): State<App>,
    EnrollBody { body, .. }: EnrollBody,
) -> Result<impl IntoResponse, Failure> {
    let EnrollRequest { enrollment_token, public_key, facts } = body;
    let key = PublicKey::parse(&public_key)
        .ok_or_else(|| Problem::invalid("public_key", "must be an Ed25519 public key: 32 bytes, base64url"))?;
    check_facts(&facts)?;
    let token = enrollment_tokens::known(&app, enrollment_token.reveal()).await?;
    let lookup = records::hosts::by_public_key(&sha256_hex(key.as_bytes()));
    if let Some(host) = app.load::<HostId>(&lookup, Consistency::Strong).await? {
        return Ok(answer(&app, host.record));
    }
    let id = HostId::new(app.now(), rand::random());
    let host = hosts::Event::Enrolled {
        id,
        public_key,
        facts: Box::new(facts),
        labels: token.labels.clone(),
        token: token.id,
    };
    let change = Change::EnrollmentToken(token.id, Event::Join { host: Box::new(host), id });
    let write = put(lookup.clone(), 1, Vec::new(), &id, Expect::Absent);
    let cause = caller.cause(format!("host:{id}"), String::new());
    match advance_with(&app, change, &cause, Extras { writes: vec![write], ..Extras::default() }).await {
        Ok(_) => Ok(answer(&app, id)),
        // Another request with the same key came first: it is the same host. Which refusal says so depends on the race.
        Err(error @ (CommitError::Overtaken | CommitError::Refused(_))) => {
            let host = app.load::<HostId>(&lookup, Consistency::Strong).await?;
            host.map_or_else(|| Err(error.into()), |host| Ok(answer(&app, host.record)))
        }
        Err(error) => Err(error.into()),
    }
}

/// A request to join. Its credential is in it: what follows the first few KiB is read once the token there was found to be one.
/// A host with a hundred disks and addresses sends some 30 KiB.
pub struct EnrollBody {
    body: EnrollRequest,
    _share: Share,
}

impl Argument for EnrollBody {
    fn document(route: &mut Route) {
        <JsonBody<EnrollRequest> as Argument>::document(route);
    }
}

impl FromRequest<App> for EnrollBody {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        check_is_json(&request)?;
        let known = Known::of(request.extensions());
        let mut arriving = Arriving::new(app, request.into_body(), &known);
        arriving.announces_at_most(MAX_ENROLL_BYTES)?;
        if !arriving.up_to(MAX_STRANGERS_BYTES).await? {
            let token = token_in(arriving.bytes()).ok_or_else(|| too_large(MAX_STRANGERS_BYTES))?;
            let id = enrollment_tokens::known(app, &token).await?.id;
            within_budget(app, &id.to_string(), app.settings.pacing.host_budget)?;
            known.becomes(format!("token:{id}"));
        }
        let (bytes, share) = arriving.whole(MAX_ENROLL_BYTES).await?;
        Ok(Self { body: json(&bytes)?, _share: share })
    }
}

/// The token in the beginning of a request, which agents put before everything else.
fn token_in(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_STRANGERS_BYTES)]);
    let value = text.split_once("\"enrollment_token\"")?.1.trim_start().strip_prefix(':')?.trim_start();
    Some(value.strip_prefix('"')?.split_once('"')?.0.to_owned())
}

/// The line that makes a machine a host: for people, who type it as one who may become root.
fn install_command(app: &App, token: &Secret) -> Secret {
    let server = &app.settings.public_url;
    let token = token.reveal();
    // The token is in the script, not among the arguments: those sudo logs, and everybody on the machine sees.
    let script = format!("{{ echo MUSTER_ENROLLMENT_TOKEN={token}; curl -fsSL {server}/api/v1/install.sh; }}");
    Secret::new(format!("{script} | sudo sh -s -- --server {server}"))
}

fn answer(app: &App, host_id: HostId) -> (StatusCode, Json<EnrollResponse>) {
    let audience = app.names().audience();
    (StatusCode::CREATED, Json(EnrollResponse { host_id, audience, server_time: app.now() }))
}
