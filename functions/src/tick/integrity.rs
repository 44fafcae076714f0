//! Integrity of the store: damage and outages are told by the log, by readiness, and by an alert in the audit trail.

use muster_domain::changes::Note;

use crate::{
    app::App,
    commit::{Cause, is_store_well, keep_audited},
    errors::chain,
    store::{StoreError, health::Outage},
};

/// What entries of the audit trail about the store are about.
const STORE: &str = "store";

/// Reads the whole store, where it does not look after that itself, and tells of damage.
pub async fn check(app: &App) {
    let note = match app.table.check().await {
        Ok(()) => return,
        Err(error @ StoreError::Fault { .. }) => {
            tracing::error!("The database is damaged. Restore a backup. {}", chain(&error));
            Note::alert("store.damaged", STORE, chain(&error))
        }
        Err(error) => {
            tracing::warn!("The integrity check of the database is left to the next time: {}", chain(&error));
            return;
        }
    };
    tell(app, note).await;
}

/// Finds out whether a store that took no writes takes them again, and tells of the time in between.
pub(super) async fn look_after_outage(app: &App) {
    if app.health.is_failing()
        && let Err(error) = is_store_well(app).await
    {
        tracing::error!("The store takes no writes: {}", chain(&error));
    }
    if let Some(Outage { since, until, why }) = app.health.take_outage() {
        tell(app, Note::alert("store.failed", STORE, format!("it took no writes from {since} to {until}: {why}")))
            .await;
    }
}

async fn tell(app: &App, note: Note) {
    if let Err(error) = keep_audited(app, Vec::new(), note, &Cause::tick()).await {
        tracing::warn!("An alert about the store is not in the audit trail: {}", chain(&error));
    }
}
