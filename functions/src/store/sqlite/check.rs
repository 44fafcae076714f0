//! Integrity check: whether a database file is undamaged, as `SQLite` finds by reading all of it.

use rusqlite::{Connection, ErrorCode};

use super::failed;
use crate::store::{StoreError, fault};

/// How many damages are told, and how many characters of them.
const MAX_TOLD: usize = 5;
const MAX_TOLD_CHARACTERS: usize = 512;

/// In the time that reading takes; indexes are not compared with their table. One that was interrupted has found nothing.
pub(super) fn quick(connection: &Connection) -> Result<(), StoreError> {
    run(connection, "quick_check")
}

/// The same, and every index with its table.
pub(super) fn thorough(connection: &Connection) -> Result<(), StoreError> {
    run(connection, "integrity_check")
}

fn run(connection: &Connection, pragma: &str) -> Result<(), StoreError> {
    let found = connection.prepare(&format!("PRAGMA {pragma}({MAX_TOLD})")).and_then(|mut statement| {
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    match found {
        Ok(lines) if lines == ["ok"] => Ok(()),
        Ok(lines) => Err(damaged(lines.join("; "))),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Ok(()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Err(damaged(error.to_string())),
            _ => Err(failed("run its integrity check")(error)),
        },
    }
}

fn damaged(told: String) -> StoreError {
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    fault("pass its integrity check")(told.chars().take(MAX_TOLD_CHARACTERS).collect::<String>())
}
