//! OAuth token endpoint: access tokens of hosts, `POST /oauth/token` (RFC 7523). There is no refresh token: after a 401 the
//! host asks again with its key.

use axum::{
    Json,
    extract::{Request, State},
};
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, GRANT_TYPE, TokenRequest, TokenResponse},
    hosts::HostState,
    problems::{Problem, ProblemCode},
};

use super::{
    auth::{Anyone, within_budget},
    bodies::Arriving,
    identity::access_tokens,
    known::Known,
    problem::Failure,
    route::{self, Route},
};
use crate::app::App;

const MAX_FORM_BYTES: usize = 8 * 1024;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::post("/oauth/token", create)
            .says("Get an access token for a host by an assertion that its key has signed.")
            .takes_form::<TokenRequest>()
            .gives::<TokenResponse>(200),
    ]
}

/// `POST /oauth/token`: an access token for a host that shows it has its key.
pub async fn create(_: Anyone, State(app): State<App>, request: Request) -> Result<Json<TokenResponse>, Failure> {
    let form = form(&app, request).await?;
    if form.grant_type != GRANT_TYPE {
        return Err(Problem::invalid("grant_type", format_args!("must be {GRANT_TYPE}")).into());
    }
    if form.client_assertion_type != ASSERTION_TYPE {
        return Err(Problem::invalid("client_assertion_type", format_args!("must be {ASSERTION_TYPE}")).into());
    }
    let mailbox = access_tokens::proven_owner(&app, form.client_assertion.reveal()).await?;
    let host_id = mailbox.host_id;
    // Only now: who cannot prove who they are must not spend what is another's.
    within_budget(&app, &host_id.to_string(), app.settings.pacing.host_budget)?;
    if mailbox.state == HostState::Retired {
        mailbox.served()?;
    }
    let expires_in = app.settings.pacing.access_token_seconds;
    Ok(Json(TokenResponse {
        access_token: access_tokens::issue(&app, host_id)?,
        token_type: "Bearer".into(),
        expires_in,
        relocation: app.names().relocation(),
    }))
}

async fn form(app: &App, request: Request) -> Result<TokenRequest, Failure> {
    let known = Known::of(request.extensions());
    let (bytes, _share) = Arriving::new(app, request.into_body(), &known).whole(MAX_FORM_BYTES).await?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::of(ProblemCode::Malformed))?;
    let uri = format!("/?{text}").parse().map_err(|_| Failure::of(ProblemCode::Malformed))?;
    let query = axum::extract::Query::<TokenRequest>::try_from_uri(&uri);
    query.map(|query| query.0).map_err(|error| Problem::invalid("body", error.body_text()).into())
}
