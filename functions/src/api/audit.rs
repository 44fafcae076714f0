//! The audit trail: newest first, all of it or what a filter wants, as pages of JSON or as JSON lines.
//!
//! A subject and a span of time are looked up in an index. The rest is compared entry by entry, a bounded number of them for
//! each request: a page may be short, or empty, and its cursor says where to go on.

mod subjects;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use muster_schemas::{
    audit::{AUDIT_NEXT_HEADER, AuditEntry, JSON_LINES},
    ids::AuditId,
    pages::Page,
    problems::Problem,
};
use serde::Deserialize;

use self::subjects::Subject;
use super::{
    auth::{Operator, may},
    extract::{Paging, Params, header_text},
    lists::page,
    problem::Failure,
    route::{self, Argument, PAGE, Route},
};
use crate::{app::App, store::Versioned};

/// How long a word of a filter may be, in characters.
const MAX_WORD: usize = 128;

/// Which entries.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    subject: Option<String>,
    actor: Option<String>,
    action: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    alert: Option<bool>,
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        route::get("/api/v1/audit", list)
            .says("List entries of the audit trail, newest first. With `Accept: application/x-ndjson` a line each.")
            .asks(&[
                (
                    "subject",
                    "string",
                    "What the entry is about: an id, a version, or the name of a user, an API key or a host.",
                ),
                ("actor", "string", "Who did it: an actor, the id in it, or a name."),
                ("action", "string", "What was done: `job.created`, or `job` for all that is done to jobs."),
                ("since", "string", "Entries from this time on (RFC 3339)."),
                ("until", "string", "Entries before this time (RFC 3339)."),
                ("alert", "boolean", "Only entries that somebody should look at."),
            ])
            .asks(&PAGE)
            .tells(&[(AUDIT_NEXT_HEADER, "Of JSON lines: the cursor of the next page. Absent: there is none.")])
            .gives::<Page<AuditEntry>>(200),
    ]
}

/// Whether the caller wants JSON lines.
pub struct Lines(bool);

impl Argument for Lines {}

impl FromRequestParts<App> for Lines {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        Ok(Self(header_text(&parts.headers, header::ACCEPT.as_str()).contains(JSON_LINES)))
    }
}

/// `GET /api/v1/audit`
pub async fn list(
    _: Operator<may::Look>,
    State(app): State<App>,
    Params(filter): Params<Filter>,
    Paging(mut params): Paging,
    Lines(lines): Lines,
) -> Result<Response, Failure> {
    filter.check()?;
    let subject = Subject::find(&app, filter.subject.as_deref()).await?;
    let list = subject.list().since(filter.since.map(|since| AuditId::new(since, 0).to_string()));
    let until = filter.until.map(|until| AuditId::new(until, 0).to_string());
    // The cursor of an earlier page is never behind the time at which the first one began.
    params.cursor = params.cursor.or(until);
    let wanted = |entry: &AuditEntry| filter.wants(entry) && subject.is_of(entry);
    let view = |found: Versioned<AuditEntry>| wanted(&found.record).then_some(found.record);
    let page = page(&app, list, &params, view).await?;
    if lines { in_lines(&page) } else { Ok(Json(page).into_response()) }
}

impl Filter {
    fn check(&self) -> Result<(), Failure> {
        for (field, word) in [("subject", &self.subject), ("actor", &self.actor), ("action", &self.action)] {
            if word.as_ref().is_some_and(|word| word.is_empty() || word.chars().count() > MAX_WORD) {
                return Err(Problem::invalid(field, format_args!("must be 1 to {MAX_WORD} characters")).into());
            }
        }
        if self.since.zip(self.until).is_some_and(|(since, until)| since > until) {
            return Err(Problem::invalid("since", "must not be after until").into());
        }
        Ok(())
    }

    fn wants(&self, entry: &AuditEntry) -> bool {
        let Self { subject: _, actor, action, since: _, until: _, alert } = self;
        let by = |actor: &String| {
            *actor == entry.actor
                || *actor == entry.actor_name
                || entry.actor.split_once(':').is_some_and(|(_, id)| id == actor)
        };
        let is = |action: &String| {
            let rest = entry.action.strip_prefix(action.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        actor.as_ref().is_none_or(by)
            && action.as_ref().is_none_or(is)
            && alert.is_none_or(|alert| alert == entry.alert)
    }
}

fn in_lines(page: &Page<AuditEntry>) -> Result<Response, Failure> {
    let mut text = String::new();
    for entry in &page.items {
        text += &serde_json::to_string(entry).map_err(Failure::broken)?;
        text.push('\n');
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(JSON_LINES))];
    let next = page.next_cursor.as_deref().and_then(|cursor| HeaderValue::from_str(cursor).ok());
    let next = next.map(|cursor| (HeaderName::from_static(AUDIT_NEXT_HEADER), cursor));
    Ok((kind, next.into_iter().collect::<HeaderMap>(), text).into_response())
}
