//! Tick (scheduler): the server's periodic duties, run by a loop, by a schedule, or on request.

use serde::{Deserialize, Serialize};

/// The answer to `POST /api/v1/tick`: what the tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TickReport {
    /// Due records that were handled.
    pub due: usize,
    /// Expired records that were removed.
    pub expired: usize,
}
