//! Blobs in a directory.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{
    StreamExt,
    future::{join_all, poll_immediate},
    stream::{self, BoxStream},
};
use muster_schemas::envelopes::sha256_hex;
use muster_server::blobs::{BlobError, BlobId, Blobs, Piece, directory::Directory};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn a_blob_is_read_as_it_was_stored_from_any_offset() {
    let (blobs, directory) = blobs();
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let id = id(&bytes);
    blobs.put(&id, pieces(&bytes)).await.unwrap();

    let again = Directory::open(directory.path().join("blobs")).unwrap();
    for offset in [0, 1, 65_536, 299_999, 300_000] {
        let mut blob = again.open(&id.sha256, offset).await.unwrap().unwrap();
        let mut read = Vec::new();
        blob.reader.read_to_end(&mut read).await.unwrap();
        assert_eq!(blob.size, 300_000);
        let from = usize::try_from(offset).unwrap();
        assert!(read == bytes[from..], "from {offset}");
    }
    assert!(again.open(&id.sha256, 300_001).await.unwrap().is_none());
    let place = directory.path().join("blobs").join(&id.sha256[..2]).join(&id.sha256[2..]);
    assert!(fs::read(place).unwrap() == bytes);
}

#[tokio::test]
async fn nothing_is_a_blob_too() {
    let (blobs, _directory) = blobs();
    blobs.put(&id(b""), pieces(b"")).await.unwrap();
    assert_eq!(blobs.open(&id(b"").sha256, 0).await.unwrap().unwrap().size, 0);
}

#[tokio::test]
async fn a_blob_that_is_not_here_is_not_found() {
    let (blobs, _directory) = blobs();
    assert!(blobs.open(&id(b"x").sha256, 0).await.unwrap().is_none());
}

#[tokio::test]
async fn the_same_blob_again_is_harmless_also_at_the_same_time() {
    let (blobs, directory) = blobs();
    let bytes = vec![7; 100_000];
    let id = id(&bytes);
    let outcomes = join_all((0..8).map(|_| blobs.put(&id, pieces(&bytes)))).await;
    outcomes.into_iter().for_each(Result::unwrap);
    assert_eq!(files(directory.path()), 1);
}

#[tokio::test]
async fn an_upload_is_stopped_at_the_first_byte_over() {
    let (blobs, directory) = blobs();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let far_too_long = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(vec![0; 10])
    });
    let outcome = blobs.put(&id(&[0; 25]), far_too_long.take(100).boxed()).await;
    assert!(matches!(outcome, Err(BlobError::WrongSize { found: 30, announced: 25 })), "{outcome:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn an_upload_that_is_short_other_or_broken_off_leaves_nothing() {
    let (blobs, directory) = blobs();
    let outcome = blobs.put(&id(b"long enough"), pieces(b"short")).await;
    assert!(matches!(outcome, Err(BlobError::WrongSize { found: 5, announced: 11 })), "{outcome:?}");

    let outcome = blobs.put(&id(b"these"), pieces(b"those")).await;
    assert!(matches!(&outcome, Err(BlobError::WrongDigest { found }) if *found == id(b"those").sha256), "{outcome:?}");

    let broken = stream::iter([Ok(b"the".to_vec()), Err(io::Error::other("hung up"))]);
    let outcome = blobs.put(&id(b"these"), broken.boxed()).await;
    assert!(matches!(&outcome, Err(BlobError::BrokenOff(error)) if error.to_string() == "hung up"), "{outcome:?}");

    assert_eq!(files(directory.path()), 0);
    assert!(blobs.open(&id(b"these").sha256, 0).await.unwrap().is_none());
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing() {
    let (blobs, directory) = blobs();
    let begun = stream::iter([Ok(b"the".to_vec())]).chain(stream::pending());
    let id = id(b"these");
    let mut upload = blobs.put(&id, begun.boxed());
    assert!(poll_immediate(&mut upload).await.is_none());
    assert_eq!(files(directory.path()), 1, "it has begun");
    drop(upload);
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_removed_at_the_next_start_and_blobs_stay() {
    let (blobs, directory) = blobs();
    blobs.put(&id(b"these"), pieces(b"these")).await.unwrap();
    fs::write(directory.path().join("blobs/incoming/left"), "half an upl").unwrap();
    assert_eq!(files(directory.path()), 2);

    let again = Directory::open(directory.path().join("blobs")).unwrap();
    assert_eq!(files(directory.path()), 1);
    assert!(again.open(&id(b"these").sha256, 0).await.unwrap().is_some());
}

#[tokio::test]
async fn a_name_that_is_no_digest_leads_nowhere() {
    let (blobs, directory) = blobs();
    fs::write(directory.path().join("secret"), "secret").unwrap();
    let upper = id(b"these").sha256.to_uppercase();
    let names = ["", "../secret", "..", "/etc/passwd", "ab", &format!("../{:061}", 0), &"é".repeat(32), &upper];
    for name in names {
        assert!(blobs.open(name, 0).await.unwrap().is_none(), "{name}");
        let outcome = blobs.put(&BlobId { sha256: name.into(), size: 5 }, pieces(b"these")).await;
        assert!(matches!(outcome, Err(BlobError::Fault { doing: "name a blob", .. })), "{name}: {outcome:?}");
    }
    assert_eq!(files(directory.path()), 1);
}

fn blobs() -> (Directory, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Directory::open(directory.path().join("blobs")).unwrap(), directory)
}

fn id(bytes: &[u8]) -> BlobId {
    BlobId { sha256: sha256_hex(bytes), size: bytes.len() as u64 }
}

fn pieces(bytes: &[u8]) -> BoxStream<'static, Piece> {
    let pieces = bytes.chunks(1000).map(|piece| Ok(piece.to_vec())).collect::<Vec<_>>();
    stream::iter(pieces).boxed()
}

/// How many files there are in all.
fn files(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.file_type().unwrap().is_dir() { files(&entry.path()) } else { 1 }).sum()
}
