//! Health check and version, for anybody.

use axum::{Json, extract::State};
use muster_schemas::{
    PROTOCOL,
    health::{Health, HealthStatus, Version},
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
    /// Whether to ask the store, too.
    #[serde(default)]
    deep: bool,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/health", get)
            .says("Check whether the server can do its work.")
            .asks(&[("deep", "boolean", "Whether to ask the store, too.")])
            .gives::<Health>(200),
        route::get("/api/v1/version", version).says("Get the version of the server.").gives::<Version>(200),
    ]
}

/// `GET /api/v1/health`: in constant time; touches the store only with `?deep=true`.
pub async fn get(
    _: Anyone,
    State(app): State<App>,
    Params(params): Params<HealthParams>,
) -> Result<Json<Health>, Failure> {
    let status = if params.deep { deep(&app).await } else { HealthStatus::Ok };
    Ok(Json(Health { status, version: version::VERSION.into(), time: app.now() }))
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
