//! Audit trail: an entry per change, and a line in the log for those that operators search for.

use jiff::Timestamp;
use muster_domain::{changes::Note, retention::Retention};
use muster_schemas::{audit::AuditEntry, ids::AuditId};

use super::{Cause, put};
use crate::{
    records,
    store::{Expect, Write},
};

/// Which actions have a line in the log, and what it says. The audit trail has all of them.
const LOGGED: [(&str, &str); 5] = [
    ("fleet_update.halted", "A fleet update was halted."),
    ("host.quarantined", "A host was quarantined."),
    ("host.retired", "A host was retired."),
    ("job.presumed_lost", "A job is presumed lost."),
    ("session.opened", "Somebody signed in."),
];
/// The actor of what the server does by its own rules.
const SERVER: &str = "server";
/// How much of its detail a line has, in bytes.
const MAX_DETAIL_BYTES: usize = 512;

/// An entry about a change.
pub(super) fn entry(note: Note, cause: &Cause, at: Timestamp) -> AuditEntry {
    let Note { action, subject, detail, alert, by_the_server } = note;
    // What follows by itself was done by nobody: a host's report, or an operator's request, was only the occasion.
    let (actor, actor_name) = if by_the_server { (SERVER, "") } else { (cause.actor.as_str(), cause.name.as_str()) };
    AuditEntry {
        id: AuditId::new(at, rand::random()),
        at,
        actor: actor.into(),
        actor_name: actor_name.into(),
        action: action.into(),
        subject,
        detail,
        alert,
        request_id: cause.request_id.clone(),
        address: cause.address.filter(|_| !by_the_server).map(|address| address.to_string()).unwrap_or_default(),
    }
}

/// The write of an entry, in the commit of its change.
pub(super) fn write(entry: &AuditEntry, retention: &Retention) -> Write {
    let write = put(records::audit::key(entry), 1, records::audit::found_by(entry), entry, Expect::Any);
    write.removed_at(retention.audit_until(entry.at))
}

/// Whether an entry has a line in the log.
pub(super) fn is_logged(entry: &AuditEntry) -> bool {
    LOGGED.iter().any(|(action, _)| *action == entry.action)
}

/// The line of an entry, if it has one. After its commit: what was not stored did not happen.
pub(super) fn log(entry: &AuditEntry) {
    let Some((_, text)) = LOGGED.iter().find(|(action, _)| *action == entry.action) else { return };
    let AuditEntry { id: _, at: _, actor, actor_name: _, action, subject, detail, alert: _, request_id, .. } = entry;
    let detail = &detail[..detail.floor_char_boundary(MAX_DETAIL_BYTES)];
    tracing::info!(action, subject, detail, actor, request.id = request_id, "{text}");
}
