//! The tick as a request: for bodies without a loop, and for operators who do not want to wait.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    auth::{Operator, may},
    problem::Failure,
};
use crate::{app::App, tick};

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TickReport {
    /// Records that were due and were looked at.
    pub due: usize,
    /// Records whose time was over, removed.
    pub expired: usize,
}

/// `POST /api/v1/tick`
pub async fn create(_: Operator<may::RunTick>, State(app): State<App>) -> Result<Json<TickReport>, Failure> {
    let tick::Done { due, expired } = tick::run(&app).await?;
    Ok(Json(TickReport { due, expired }))
}
