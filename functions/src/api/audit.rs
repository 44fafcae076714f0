//! The audit trail: newest first, all of it or the entries about one record.

use axum::{Json, extract::State};
use muster_schemas::{audit::AuditEntry, pages::Page, problems::Problem};
use serde::Deserialize;

use super::{
    auth::{Operator, may},
    extract::{Paging, Params},
    lists::{List, page},
    problem::Failure,
    route::{self, PAGE, Route},
};
use crate::{app::App, store::Versioned};

/// Which entries.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    subject: Option<String>,
    alert: Option<bool>,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/audit", list)
            .says("List entries of the audit trail, newest first.")
            .asks(&[
                ("subject", "string", "The id of what the entry is about."),
                ("alert", "boolean", "Only entries that somebody should look at."),
            ])
            .asks(&PAGE)
            .gives::<Page<AuditEntry>>(200),
    ]
}

/// `GET /api/v1/audit`
pub async fn list(
    _: Operator<may::Look>,
    State(app): State<App>,
    Params(filter): Params<Filter>,
    Paging(params): Paging,
) -> Result<Json<Page<AuditEntry>>, Failure> {
    let list = match filter.subject {
        Some(subject) if subject.len() > 64 => {
            return Err(Problem::invalid("subject", "must be an id").into());
        }
        Some(subject) => List::owned(format_args!("audit#{subject}")),
        None => List::all("audit"),
    };
    let wanted = |entry: &AuditEntry| filter.alert.is_none_or(|alert| alert == entry.alert);
    let view = |found: Versioned<AuditEntry>| wanted(&found.record).then_some(found.record);
    page(&app, list, &params, view).await.map(Json)
}
