//! Numbers of manifests: each release gets a higher one than the last, because hosts refuse a lower one than they have seen.
//! The last number that a key has signed is kept in a file beside the key.

use std::path::{Path, PathBuf};

use muster_schemas::releases::MAX_MANIFEST_VERSION;

use crate::{failures::Failure, files, output};

/// The file beside a key.
const RECORD: &str = "last-manifest-version";

/// The number of the next manifest: as asked, or the one after the last of which anything is known.
pub fn next(key: &Path, asked: Option<u64>, known: Option<u64>) -> Result<u64, Failure> {
    let last = recorded(key)?.max(known);
    let number = match (asked, last) {
        (Some(asked), _) => asked,
        (None, Some(last)) => last.saturating_add(1),
        (None, None) => {
            let why = "it is not known which manifest was signed last: give --manifest-version, one higher than that (1 for \
                       the first); from then on the number is kept beside the key";
            return Err(Failure::Usage(why.into()));
        }
    };
    if let Some(last) = last.filter(|last| number < *last) {
        let why =
            format!("--manifest-version {number} is lower than {last}, which was signed already; hosts refuse it");
        return Err(Failure::Usage(why));
    }
    if !(1..=MAX_MANIFEST_VERSION).contains(&number) {
        return Err(Failure::Usage(format!("--manifest-version must be 1 to {MAX_MANIFEST_VERSION}")));
    }
    Ok(number)
}

/// Keeps the number of a manifest that was signed. A key in a folder that takes no file, as in some CI, signs all the same.
pub fn keep(key: &Path, number: u64) {
    if let Err(failure) = files::replace(&path(key), &format!("{number}\n")) {
        output::warn(&format!("The number {number} is not kept: {failure}"));
    }
}

fn recorded(key: &Path) -> Result<Option<u64>, Failure> {
    let path = path(key);
    if !path.exists() {
        return Ok(None);
    }
    let number = files::read(&path)?.trim().parse().map_err(|_| Failure::Unreadable {
        what: path.display().to_string(),
        why: "it is not the number of a manifest; correct it, or remove it and give --manifest-version".into(),
    })?;
    Ok(Some(number))
}

fn path(key: &Path) -> PathBuf {
    key.with_file_name(RECORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_the_one_after_the_last_and_never_a_lower_one() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("release.key");
        assert!(matches!(next(&key, None, None), Err(Failure::Usage(_))), "nothing is known");
        assert_eq!(next(&key, Some(1), None).unwrap(), 1);
        keep(&key, 7);
        assert_eq!(next(&key, None, None).unwrap(), 8);
        assert_eq!(next(&key, None, Some(12)).unwrap(), 13, "the server knows of a higher one");
        assert_eq!(next(&key, Some(7), None).unwrap(), 7, "the same again, signed once more");
        for wrong in [0, 6, u64::MAX] {
            assert!(matches!(next(&key, Some(wrong), None), Err(Failure::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn a_record_that_is_no_number_is_not_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("release.key");
        files::replace(&path(&key), "seven").unwrap();
        assert!(matches!(next(&key, None, None), Err(Failure::Unreadable { .. })));
    }
}
