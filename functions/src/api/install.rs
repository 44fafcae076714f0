//! Installing the agent on a new host by one line: a script, and the agent of the newest release for it to fetch.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use muster_domain::releases::Release;
use muster_schemas::{
    problems::{Problem, ProblemCode},
    releases::ReleaseState,
    secrets::Secret,
};

use super::{
    auth::{Anyone, Machine},
    extract::Named,
    lists::List,
    problem::Failure,
    releases,
};
use crate::app::App;

/// What the line runs.
const SCRIPT: &str = include_str!("install.sh");

/// The line that makes a machine a host: for people, who type it as one who may become root.
pub fn line(app: &App, token: &Secret) -> Secret {
    let server = &app.settings.public_url;
    let token = token.reveal();
    // The token is in the script, not among the arguments: those sudo logs, and everybody on the machine sees.
    let script = format!("{{ echo MUSTER_TOKEN={token}; curl -fsSL {server}/api/v1/install.sh; }}");
    Secret::new(format!("{script} | sudo sh -s -- --server {server}"))
}

/// `GET /api/v1/install.sh`
pub async fn script(_: Anyone) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/x-shellscript; charset=utf-8")], SCRIPT)
}

/// `GET /api/v1/install/{platform}`: the agent of the newest release that has one.
pub async fn agent(
    _: Machine,
    State(app): State<App>,
    Named(platform): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (os, arch) = platform.split_once('-').unwrap_or((&platform, ""));
    let holds = |release: &Release| release.state() == ReleaseState::Published && release.target(os, arch).is_some();
    let release = List::all("releases").find::<Release>(&app, holds).await?;
    let target = release.as_ref().and_then(|release| release.record.target(os, arch)).ok_or_else(|| {
        let detail =
            "no release with an agent for this platform is published: publish one, or install the agent yourself";
        Failure::from(Problem::new(ProblemCode::NotFound).detail(detail))
    })?;
    releases::send(&app, &target.sha256, false, &headers).await
}
