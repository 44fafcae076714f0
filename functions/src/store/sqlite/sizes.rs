//! Sizes: how much of what a database file holds.

use std::{fs, path::Path};

use super::{failed, files::beside, open_reader};
use crate::store::{Sizes, StoreError};

/// A kind of record is the first word of its partition, and what shares a partition with it has a name of its own. The
/// lengths of bodies stand in the tree: no body is read.
const STATEMENT: &str = "
    SELECT
        CASE
            WHEN sort GLOB 'log#*' THEN 'log'
            WHEN sort = 'mailbox' THEN 'mailbox'
            WHEN partition GLOB 'fleet-update#*' AND sort GLOB 'host#*' THEN 'fleet-update-host'
            ELSE substr(partition, 1, instr(partition || '#', '#') - 1)
        END AS kind,
        count(*),
        sum(octet_length(partition) + octet_length(sort) + octet_length(body)
            + coalesce(octet_length(due_partition) + octet_length(due_sort), 0)
            + coalesce(octet_length(list_partition) + octet_length(list_sort), 0)
            + coalesce(octet_length(owner_partition) + octet_length(owner_sort), 0))
    FROM items GROUP BY kind";

pub(super) fn of(path: &Path) -> Result<Sizes, StoreError> {
    let connection = open_reader(path).map_err(failed("open a reader"))?;
    let kinds = connection
        .prepare(STATEMENT)
        .and_then(|mut statement| {
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, (row.get::<_, i64>(1)?.cast_unsigned(), row.get::<_, i64>(2)?.cast_unsigned())))
            };
            statement.query_map([], row)?.collect()
        })
        .map_err(failed("measure itself"))?;
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    Ok(Sizes { kinds, file: Some((bytes(path), bytes(&beside(path, "-wal")))) })
}
