//! Copy: a whole and checked copy of a database file, also beside the process that is using it.

use std::{
    fs::{self, File},
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use super::{BUSY_TIMEOUT, SCHEMA_VERSION, check, files, open_reader};
use crate::store::{StoreError, fault};

/// Copies a database into a file that has none yet. Everything that was acknowledged before is in the copy, which is one
/// moment of the database, and is checked and on the disk when this returns. The process that uses it goes on.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = open_reader(from).map_err(fault("open the database"))?;
    is_known(&source)?;
    files::empty(to).map_err(fault("make the copy"))?;
    let target = to.to_str().ok_or("the path is not UTF-8").map_err(fault("name the copy"))?;
    // Not page by page: a copy in steps begins anew with every commit that comes in between.
    source.execute("VACUUM INTO ?1", [target]).map_err(fault("copy the database"))?;
    verify(to)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(fault("write the copy to the disk"))
}

/// Refuses a file that is damaged, or is no database of this program's. Nothing else uses it meanwhile.
pub fn verify(path: &Path) -> Result<(), StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fault("open the copy"))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault("open the copy"))?;
    is_known(&connection)?;
    check::thorough(&connection)
}

/// Gives a finished file its name, in one step.
pub fn name(unfinished: &Path, path: &Path) -> Result<(), StoreError> {
    fs::rename(unfinished, path).and_then(|()| files::sync_parent(path)).map_err(fault("name the copy"))
}

fn is_known(connection: &Connection) -> Result<(), StoreError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    match version.map_err(fault("read the database's version"))? {
        SCHEMA_VERSION => Ok(()),
        0 => Err(fault("use the database")("it has no tables")),
        other => Err(fault("use the database")(format!(
            "its schema has version {other}, this program knows version {SCHEMA_VERSION}"
        ))),
    }
}
