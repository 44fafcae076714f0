//! The tick: the server's regular duties, done by a loop, by a schedule, or on request.

use serde::{Deserialize, Serialize};

/// The answer to `POST /api/v1/tick`: what the tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TickReport {
    /// Records that were due and were looked at.
    pub due: usize,
    /// Records whose time was over, removed.
    pub expired: usize,
}
