//! The audit trail: newest first, all of it or of one thing.

use axum::{Json, extract::State};
use muster_schemas::{audit::AuditEntry, pages::Page, problems::Problem};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    extract::{Paged, Params},
    lists::{List, page},
    problem::Failure,
};
use crate::{app::App, store::Versioned};

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
    Paged(params): Paged,
) -> Result<Json<Page<AuditEntry>>, Failure> {
    let list = match filter.subject {
        Some(subject) if subject.len() > 64 => {
            return Err(Problem::invalid("subject", "must be the id of a thing").into());
        }
        Some(subject) => List::owned(format_args!("audit#{subject}")),
        None => List::all("audit"),
    };
    let wanted = |entry: &AuditEntry| filter.alert.is_none_or(|alert| alert == entry.alert);
    let view = |found: Versioned<AuditEntry>| wanted(&found.record).then_some(found.record);
    page(&app, list, &params, view).await.map(Json)
}
