//! Health checks and version, for anybody.

use axum::{Json, extract::State};
use muster_schemas::{
    PROTOCOL,
    health::{Health, HealthStatus, Version},
    problems::{Problem, ProblemCode},
};
use serde::Deserialize;

use super::{
    auth::Anyone,
    extract::Params,
    problem::Failure,
    route::{self, Route},
};
use crate::{app::App, commit::is_store_well, errors::chain, version};

/// How deep to look.
#[derive(Debug, Default, Deserialize)]
pub struct HealthParams {
    /// Whether to read from the store and write to it, too.
    #[serde(default)]
    deep: bool,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/health", get)
            .says("Check whether the server can do its work.")
            .asks(&[("deep", "boolean", "Whether to read from the store and write to it, too.")])
            .gives::<Health>(200),
        route::get("/livez", live)
            .says("Check whether the server answers, without a look at anything else.")
            .gives::<Health>(200),
        route::get("/readyz", ready)
            .says("Check whether the server can serve: its store reads and writes, and it is not about to stop.")
            .gives::<Health>(200)
            .refuses(&[ProblemCode::Unavailable]),
        route::get("/healthz", healthz)
            .says("The same as `/readyz`.")
            .gives::<Health>(200)
            .refuses(&[ProblemCode::Unavailable]),
        route::get("/api/v1/version", version).says("Get the version of the server.").gives::<Version>(200),
    ]
}

/// `GET /api/v1/health`: in constant time; touches the store only with `?deep=true`, and that seldom.
pub async fn get(
    _: Anyone,
    State(app): State<App>,
    Params(params): Params<HealthParams>,
) -> Result<Json<Health>, Failure> {
    let status = if params.deep { deep(&app).await } else { HealthStatus::Ok };
    Ok(health(&app, status))
}

/// `GET /livez`: whoever can answer lives.
pub async fn live(_: Anyone, State(app): State<App>) -> Json<Health> {
    health(&app, HealthStatus::Ok)
}

/// `GET /readyz`: 503 while requests should go to another process.
pub async fn ready(_: Anyone, State(app): State<App>) -> Result<Json<Health>, Failure> {
    if app.is_draining() {
        return Err(unavailable("the server is about to stop"));
    }
    match deep(&app).await {
        HealthStatus::Ok => Ok(health(&app, HealthStatus::Ok)),
        _ => Err(unavailable("the store is damaged, or takes no writes: the log says more")),
    }
}

/// `GET /healthz`: the name that other programs have for it.
pub async fn healthz(anyone: Anyone, app: State<App>) -> Result<Json<Health>, Failure> {
    ready(anyone, app).await
}

fn health(app: &App, status: HealthStatus) -> Json<Health> {
    Json(Health { status, version: version::VERSION.into(), time: app.now() })
}

fn unavailable(why: &str) -> Failure {
    Problem::new(ProblemCode::Unavailable).detail(why).into()
}

/// `GET /api/v1/version`
pub async fn version(_: Anyone) -> Json<Version> {
    Json(Version { version: version::VERSION.into(), commit: version::COMMIT.into(), protocol: PROTOCOL })
}

/// Ready means that the store took a write lately: a full disk and a read-only one still answer reads.
async fn deep(app: &App) -> HealthStatus {
    match is_store_well(app).await {
        Ok(()) => HealthStatus::Ok,
        Err(error) => {
            tracing::error!("The store is not fit to serve: {}", chain(&error));
            HealthStatus::Failing
        }
    }
}
