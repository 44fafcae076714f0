//! The tick as a request: for deployments without a loop, and for operators who do not want to wait.

use axum::{Json, extract::State};
use muster_schemas::ticks::TickReport;

use super::{
    auth::{Operator, may},
    problem::Failure,
    route::{self, Route},
};
use crate::{app::App, tick};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![route::post("/api/v1/tick", create).says("Run the server's regular duties now.").gives::<TickReport>(200)]
}

/// `POST /api/v1/tick`
pub async fn create(_: Operator<may::RunTick>, State(app): State<App>) -> Result<Json<TickReport>, Failure> {
    let tick::Summary { due, expired } = tick::run(&app).await?;
    Ok(Json(TickReport { due, expired }))
}
