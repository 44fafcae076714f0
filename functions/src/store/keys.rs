//! Index entries: the three ways in which a record is found other than by its key.

use jiff::Timestamp;

use super::{Index, IndexEntry};

/// The partition of the due index.
pub const DUE: &str = "due";

/// An entry of the list of all records of a kind.
pub fn list(of: &str, sort: impl ToString) -> IndexEntry {
    IndexEntry { index: Index::List, partition: of.into(), sort: sort.to_string() }
}

/// An entry of the list of what belongs to another record.
pub fn owned(by: impl ToString, sort: impl ToString) -> IndexEntry {
    IndexEntry { index: Index::Owner, partition: by.to_string(), sort: sort.to_string() }
}

/// An entry of the list of what is due.
pub fn due(at: Timestamp, what: impl ToString) -> IndexEntry {
    let sort = format!("{}#{}", due_sort(at), what.to_string());
    IndexEntry { index: Index::Due, partition: DUE.into(), sort }
}

/// A time as the due index sorts it.
pub fn due_sort(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}
