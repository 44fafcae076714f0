//! Installation of the agent on a new host by one line: a script, and the agent of the newest release for it to download.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use muster_domain::releases::Release;
use muster_schemas::{
    problems::{Problem, ProblemCode},
    releases::ReleaseState,
};

use super::{
    auth::{Anyone, Machine},
    bodies::OfTheProgram,
    extract::PathParams,
    files,
    lists::List,
    problem::Failure,
    route::{self, Answer, Route},
};
use crate::app::App;

/// The script that the line runs.
const SCRIPT: &str = include_str!("install.sh");

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/install.sh", script)
            .says("Get the script that installs the agent and enrolls the host.")
            .gives_other(Answer::Text("text/x-shellscript")),
        route::get("/api/v1/install/{platform}", agent)
            .says("Get the agent of the newest release for a platform, such as `linux-x86_64`.")
            .gives_other(Answer::File),
    ]
}

/// `GET /api/v1/install.sh`
pub async fn script(_: Anyone) -> impl IntoResponse {
    (Extension(OfTheProgram), [(header::CONTENT_TYPE, "text/x-shellscript; charset=utf-8")], SCRIPT)
}

/// `GET /api/v1/install/{platform}`: the agent of the newest release that has one.
pub async fn agent(
    _: Machine,
    State(app): State<App>,
    PathParams(platform): PathParams<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (os, arch) = platform.split_once('-').unwrap_or((&platform, ""));
    let holds = |release: &Release| release.state() == ReleaseState::Published && release.target(os, arch).is_some();
    let release = List::all("releases").find::<Release>(&app, holds).await?;
    let target = release.as_ref().and_then(|release| release.record.target(os, arch)).ok_or_else(|| {
        let detail = "no published release has an agent for this platform: publish one, or install the agent yourself";
        Failure::from(Problem::new(ProblemCode::NotFound).detail(detail))
    })?;
    files::send(&app, &target.sha256, false, &headers).await
}
