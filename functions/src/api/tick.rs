//! The tick as a request: for bodies without a loop, and for operators who do not want to wait.

use axum::{Json, extract::State};
use muster_schemas::ticks::TickReport;

use super::{
    auth::{Operator, may},
    problem::Failure,
};
use crate::{app::App, tick};

/// `POST /api/v1/tick`
pub async fn create(_: Operator<may::RunTick>, State(app): State<App>) -> Result<Json<TickReport>, Failure> {
    let tick::Done { due, expired } = tick::run(&app).await?;
    Ok(Json(TickReport { due, expired }))
}
