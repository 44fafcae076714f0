//! Agent report: which version this process runs, and how the last update went.

use std::path::PathBuf;

use muster_schemas::{ids::ProcessId, reports::AgentReport};
use tracing::error;

use crate::{
    errors::chain,
    sys::machine::boot_id,
    version::VERSION,
    versions::pointer::{Phase, Update},
};

/// Tells what this process is.
#[derive(Debug, Clone)]
pub struct Reporter {
    state: PathBuf,
    process_id: ProcessId,
    executable_sha256: String,
    boot_id: String,
}

impl Reporter {
    /// Reads what does not change while this process lives.
    pub fn new(state: PathBuf, process_id: ProcessId, executable_sha256: String) -> Self {
        Self { state, process_id, executable_sha256, boot_id: boot_id() }
    }

    /// The report as it is now.
    pub fn report(&self) -> AgentReport {
        let update = Update::load(&self.state).unwrap_or_else(|failed| {
            error!("Cannot report how the last update went: {}", chain(&failed));
            None
        });
        let committed = !update.as_ref().is_some_and(|update| is_on_trial(update, &self.executable_sha256));
        AgentReport {
            version: VERSION.into(),
            executable_sha256: self.executable_sha256.clone(),
            process_id: self.process_id,
            boot_id: self.boot_id.clone(),
            committed,
            last_update: update.and_then(|update| update.last_update()),
        }
    }
}

/// Whether the executable with this digest is what the update tries out.
pub fn is_on_trial(update: &Update, executable_sha256: &str) -> bool {
    matches!(update.phase, Phase::Armed | Phase::OnTrial) && update.to.sha256 == executable_sha256
}
