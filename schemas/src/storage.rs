//! Storage: how much the server keeps, of what, and since when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The answer to `GET /api/v1/storage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StorageView {
    /// When it was measured, by the server's clock: within the last hour.
    pub measured_at: Timestamp,
    /// What is kept, by kind: the largest first.
    pub kinds: Vec<StoredKind>,
    /// The size of the database file, in bytes. Absent where the server keeps no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// The size of its write-ahead log, in bytes. Absent where the server keeps no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_ahead_log_bytes: Option<u64>,
}

/// Records of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredKind {
    /// The kind: `job`, `log` (pieces of logs), `audit` …
    pub kind: String,
    /// How many records. Absent where the table cannot tell without being read as a whole (`DynamoDB`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// How many bytes their keys, index entries and bodies have. Absent where `records` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When the oldest of them was made. Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Timestamp>,
}
