//! The audit trail: newest first, all of it or of one thing.

use axum::{Json, extract::State};
use muster_schemas::{audit::AuditEntry, pages::Page};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    extract::{PageParams, Params},
    lists::{List, page},
    problem::Failure,
};
use crate::app::{App, Versioned};

/// Which entries.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    subject: Option<String>,
    alert: Option<bool>,
}

/// `GET /api/v1/audit`
pub async fn list(
    _: Operator<may::Look>,
    State(app): State<App>,
    Params(filter): Params<Filter>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<AuditEntry>>, Failure> {
    let list = filter.subject.map_or_else(|| List::all("audit"), List::owned);
    let wanted = |entry: &AuditEntry| filter.alert.is_none_or(|alert| alert == entry.alert);
    let view = |found: Versioned<AuditEntry>| wanted(&found.record).then_some(found.record);
    page(&app, list, &params, view).await.map(Json)
}
