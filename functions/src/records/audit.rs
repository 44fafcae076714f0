//! An entry of the audit trail, by day.

use muster_schemas::audit::AuditEntry;

use crate::store::{
    IndexEntry, Key,
    keys::{list, owned},
};

/// Where an entry lives.
pub fn key(entry: &AuditEntry) -> Key {
    Key::new(format!("audit#{}", entry.at.strftime("%F")), entry.id.to_string())
}

/// Its entries in the indexes: of all, and of what it is about.
pub fn found_by(entry: &AuditEntry) -> Vec<IndexEntry> {
    vec![list("audit", entry.id), owned(about(&entry.subject), entry.id)]
}

/// The partition of the entries about one thing.
pub fn about(subject: &str) -> String {
    format!("audit#{subject}")
}
