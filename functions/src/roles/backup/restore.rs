//! Restore: a data directory out of a backup. Every part is believed only if it has the digest that the manifest names.

use std::{fs, path::Path};

use super::{
    BLOBS, BackupError, DATABASE, FORMAT, MANIFEST, Manifest, Part, SECRET, Totals, at, copied, directory, entries,
    fresh, named, place_of_blob, place_of_database, place_of_secret,
};
use crate::{
    roles::storage::embedded::{RESTORING, locked},
    store::sqlite::copy,
};

/// What a part is called in the data directory until it is whole.
const UNFINISHED: &str = "restoring.part";

/// Restores into a directory that is empty or does not exist. One that broke off goes on when it is run again: until its
/// last step there is no database in the directory, and no server starts on it.
pub fn restore(from: &Path, data: &Path) -> Result<Totals, BackupError> {
    let manifest = manifest(&from.join(MANIFEST))?;
    directory(data)?;
    is_empty(data)?;
    let _lock = locked(data).map_err(at(data))?;
    let restoring = data.join(RESTORING);
    fresh(&restoring)?.sync_all().map_err(at(&restoring))?;
    let unfinished = data.join(UNFINISHED);

    for part in &manifest.blobs {
        let place = place_of_blob(&data.join(BLOBS), part);
        take(&place_of_blob(&from.join(BLOBS), part), part, &unfinished)?;
        directory(place.parent().unwrap_or(data))?;
        named(&unfinished, &place)?;
    }
    if let Some(part) = &manifest.token_key {
        take(&place_of_secret(from, part), part, &unfinished)?;
        named(&unfinished, &data.join(SECRET))?;
    }
    take(&place_of_database(from, &manifest.database), &manifest.database, &unfinished)?;
    let broken = |source| BackupError::Database { path: unfinished.clone(), source };
    copy::verify(&unfinished).map_err(broken)?;
    named(&unfinished, &data.join(DATABASE))?;
    fs::remove_file(&restoring).map_err(at(&restoring))?;
    let blobs = manifest.blobs.len();
    Ok(Totals { database_bytes: manifest.database.size, blobs, copied: blobs })
}

fn manifest(path: &Path) -> Result<Manifest, BackupError> {
    let text = fs::read(path).map_err(at(path))?;
    let wrong = |source| BackupError::Manifest { path: path.to_owned(), source };
    // First the format alone: a later one may look otherwise.
    let any: serde_json::Value = serde_json::from_slice(&text).map_err(wrong)?;
    match any["format"].as_u64() {
        Some(found) if found != u64::from(FORMAT) => {
            Err(BackupError::Format { found: u32::try_from(found).unwrap_or(u32::MAX) })
        }
        _ => serde_json::from_value(any).map_err(wrong).and_then(|manifest| names_digests(manifest, path)),
    }
}

/// A name is joined to a path: it must be a digest.
fn names_digests(manifest: Manifest, path: &Path) -> Result<Manifest, BackupError> {
    let is_digest = |part: &Part| {
        part.sha256.len() == 64 && part.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let all_are = manifest.blobs.iter().chain(&manifest.token_key).chain([&manifest.database]).all(is_digest);
    if all_are { Ok(manifest) } else { Err(BackupError::Damaged(path.to_owned())) }
}

/// Refuses a directory that holds anything, unless a restore broke off in it.
fn is_empty(data: &Path) -> Result<(), BackupError> {
    let goes_on = data.join(RESTORING).exists() && !data.join(DATABASE).exists();
    let unimportant = |path: &Path| path.file_name().is_some_and(|name| name == "lock" || name == "lost+found");
    if goes_on || entries(data)?.iter().all(|path| unimportant(path)) {
        return Ok(());
    }
    Err(BackupError::NotEmpty(data.to_owned()))
}

fn take(from: &Path, part: &Part, to: &Path) -> Result<(), BackupError> {
    if copied(from, to)? == *part { Ok(()) } else { Err(BackupError::Damaged(from.to_owned())) }
}
