//! Storage: how much the server keeps. Measured at most once an hour, however often it is asked.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use jiff::{SignedDuration, Timestamp};
use muster_schemas::storage::{StorageView, StoredKind};
use serde_json::Value;

use super::{
    auth::{Operator, may},
    problem::Failure,
    route::{self, Route},
};
use crate::{
    app::App,
    store::{Index, Query, Sizes, StoreError, Versioned},
};

/// How long an answer is as good as a new one.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// The kinds of which there is a list in the order in which they were made, and when one was made.
const LISTED: [(&str, &str, &str); 7] = [
    ("audit", "audit", "at"),
    ("job", "jobs", "created_at"),
    ("host", "hosts", "enrolled_at"),
    ("token", "tokens", "created_at"),
    ("fleet-update", "fleet-updates", "created_at"),
    ("user", "users", "created_at"),
    ("api-key", "api-keys", "created_at"),
];

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/storage", get)
            .says("Get how much the server keeps, of what, and since when.")
            .gives::<StorageView>(200),
    ]
}

/// `GET /api/v1/storage`
pub async fn get(_: Operator<may::Look>, State(app): State<App>) -> Result<Json<StorageView>, Failure> {
    // Whoever comes meanwhile waits for the same answer.
    let mut known = app.storage.lock().await;
    let is_fresh = |view: &StorageView| app.now().duration_since(view.measured_at).abs() < FRESH;
    if let Some(view) = known.as_ref().filter(|view| is_fresh(view)) {
        return Ok(Json(view.clone()));
    }
    let view = measured(&app).await?;
    *known = Some(view.clone());
    Ok(Json(view))
}

async fn measured(app: &App) -> Result<StorageView, StoreError> {
    let Sizes { kinds, file } = app.table.sizes().await?;
    let mut oldest = BTreeMap::new();
    for (kind, list, member) in LISTED {
        let first = app.table.query_index(Index::List, Query::all(list, 1)).await?.items.into_iter().next();
        if let Some(first) = first {
            let made_at = Versioned::<Value>::read(&first)?.record[member].as_str().and_then(|at| at.parse().ok());
            oldest.insert(kind.to_owned(), made_at);
        }
    }
    let mut all = oldest.keys().map(|kind| (kind.clone(), None)).collect::<BTreeMap<_, _>>();
    all.extend(kinds.into_iter().map(|(kind, size)| (kind, Some(size))));
    let told = |(kind, size): (String, Option<(u64, u64)>)| {
        let (records, bytes) = size.unzip();
        let oldest_at: Option<Timestamp> = oldest.get(&kind).copied().flatten();
        StoredKind { kind, records, bytes, oldest_at }
    };
    let mut kinds = all.into_iter().map(told).collect::<Vec<_>>();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.bytes));
    let (file_bytes, write_ahead_log_bytes) = file.unzip();
    Ok(StorageView { measured_at: app.now(), kinds, file_bytes, write_ahead_log_bytes })
}
