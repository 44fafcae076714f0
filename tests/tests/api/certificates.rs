//! The server's own certificate is followed, however its files get their new contents.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use muster_server::roles::tls::{Certificate, Look};
use muster_tests::processes::authority::{Authority, files};
use tempfile::TempDir;

/// A pair of files with a certificate that is in use, and a folder with the pair that shall take its place.
fn pairs(folder: &Path) -> (Certificate, [PathBuf; 2], [PathBuf; 2]) {
    let authority = Authority::new();
    let [live, new] = ["live", "new"].map(|name| {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        let files = files(&folder);
        authority.vouch(&["127.0.0.1"], &files);
        files
    });
    (Certificate::read(&live[0], &live[1]).unwrap(), live, new)
}

fn dated(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// As `cp -p`, `rsync -a` and `tar` do.
fn copied_with_its_time(from: &Path, to: &Path) {
    let modified = fs::metadata(from).unwrap().modified().unwrap();
    fs::copy(from, to).unwrap();
    fs::File::options().write(true).open(to).unwrap().set_modified(modified).unwrap();
}

#[test]
fn a_renewed_pair_is_served_whose_key_is_older_than_its_certificate_and_was_copied_with_its_times() {
    let folder = TempDir::new().unwrap();
    let (mut certificate, live, new) = pairs(folder.path());
    dated(&new[0], 2_000_000_001);
    dated(&new[1], 2_000_000_000);
    assert_eq!(certificate.look(), Look::Same);
    copied_with_its_time(&new[0], &live[0]);
    assert!(matches!(certificate.look(), Look::Unusable(_)), "the key does not fit yet");
    assert_eq!(certificate.look(), Look::Same, "it is said once");
    copied_with_its_time(&new[1], &live[1]);
    assert_eq!(certificate.look(), Look::Renewed);
    assert_eq!(certificate.look(), Look::Same);
}

#[test]
fn a_pair_that_takes_the_place_of_another_of_the_same_times_and_sizes_is_served() {
    let folder = TempDir::new().unwrap();
    let (_, live, new) = pairs(folder.path());
    [&live, &new].into_iter().flatten().for_each(|path| dated(path, 1_000_000_000));
    let mut certificate = Certificate::read(&live[0], &live[1]).unwrap();
    for (from, to) in new.iter().zip(&live) {
        fs::rename(from, to).unwrap();
    }
    assert_eq!(certificate.look(), Look::Renewed);
}

#[test]
fn files_that_are_missing_for_a_while_are_read_as_soon_as_they_are_back_the_same_as_before() {
    let folder = TempDir::new().unwrap();
    let (mut certificate, live, new) = pairs(folder.path());
    fs::rename(&live[1], &new[1]).unwrap();
    assert!(matches!(certificate.look(), Look::Unusable(_)));
    fs::rename(&new[1], &live[1]).unwrap();
    assert_eq!(certificate.look(), Look::Renewed);
}
