//! A backup is made beside the running server, is whole or not there at all, and is restored only if nothing of it is damaged.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use muster_schemas::{envelopes::sha256_hex, ids::JobId, jobs::JobState};
use muster_server::{
    errors::chain,
    roles::backup::{BackupError, Totals, backup, restore},
    store::sqlite::SqliteTable,
};
use muster_tests::world::{Release, Stores, World, run_job};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A place on this machine, in memory where it has such a place.
fn place() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

/// A server with a release in it, and the directory it lives in.
async fn installation() -> (World, Release, PathBuf) {
    let world = World::on(Stores::embedded()).await;
    let release = world.publishes("1.1.0").await;
    let data = world.directory().unwrap();
    fs::write(data.join("token.key"), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").unwrap();
    (world, release, data)
}

fn now() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Every file below a directory with its digest, `lock` aside.
fn files(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), sha256_hex(&fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// What a server finds in a data directory.
fn server_on(data: &Path, world: World) -> World {
    let table = SqliteTable::open_alone(&data.join("muster.sqlite")).unwrap();
    let blobs = muster_server::blobs::directory::Directory::open(data.join("blobs")).unwrap();
    let lock = fs::File::create(data.join("lock")).unwrap();
    let kind = muster_server::roles::storage::Kind::Embedded { data: data.into(), lock };
    world.moved_to(Stores::of(&muster_server::roles::storage::Storage {
        table: Arc::new(table),
        blobs: Arc::new(blobs),
        kind,
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_that_was_acknowledged_before_a_backup_began_is_in_it_whatever_is_written_meanwhile() {
    let (world, release, data) = installation().await;
    let host = world.host("one").await.id();
    let (place, stop) = (place(), Arc::new(AtomicBool::new(false)));
    let to = place.path().join("backup");
    let operator = world.operator().await;
    let acknowledged = Arc::new(std::sync::Mutex::new(Vec::new()));
    let load = (0..4).map(|_| {
        let (operator, stop, acknowledged) = (operator.clone(), stop.clone(), acknowledged.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let note = json!({ "note": "made under load" });
                let made = operator.post("/api/v1/enrollment-tokens", &note).await;
                drop(made);
                let label = json!({ "labels": { "n": acknowledged.lock().unwrap().len().to_string() } });
                let path = format!("/api/v1/hosts/{host}");
                let answer = operator.patch(&path, &label).await;
                if answer.status == 200 {
                    acknowledged.lock().unwrap().push(answer.value()["revision"].as_u64().unwrap());
                }
                tokio::task::yield_now().await;
            }
        })
    });
    let load = load.collect::<Vec<_>>();
    for number in 0..5 {
        while acknowledged.lock().unwrap().len() < number * 10 {
            tokio::task::yield_now().await;
        }
        let newest = acknowledged.lock().unwrap().iter().copied().max().unwrap_or(0);
        let (from, into) = (data.clone(), to.clone());
        tokio::task::spawn_blocking(move || backup(&from, &into, now()).unwrap()).await.unwrap();
        let restored = place.path().join(format!("restored {number}"));
        let totals = restore(&to, &restored).unwrap();
        assert_eq!((totals.blobs, totals.copied), (1, 1));
        let there = server_on(&restored, world.clone());
        let seen: Value = there.viewer().await.get(&format!("/api/v1/hosts/{host}")).await.is(200).json();
        assert!(seen["revision"].as_u64().unwrap() >= newest, "{} is older than {newest}", seen["revision"]);
        let target = format!("/api/v1/releases/{}", release.version);
        there.viewer().await.get(&target).await.is(200);
    }
    stop.store(true, Ordering::SeqCst);
    for writer in load {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_restored_server_goes_on_where_the_backup_was_made() {
    let (world, release, data) = installation().await;
    let mut host = world.host("one").await;
    let done = world.job(host.id(), &run_job()).await.id;
    host.runs(done).await.is(200);
    let open = world.job(host.id(), &run_job()).await.id;
    let place = place();
    let to = place.path().join("backup");
    backup(&data, &to, now()).unwrap();
    let later: JobId = world.job(host.id(), &run_job()).await.id;

    let restored = place.path().join("restored");
    restore(&to, &restored).unwrap();
    let digest = release.sha256();
    let blob = |root: &Path| fs::read(root.join("blobs").join(&digest[..2]).join(&digest[2..])).unwrap();
    assert_eq!(blob(&restored), blob(&data));
    assert_eq!(fs::read(restored.join("token.key")).unwrap(), fs::read(data.join("token.key")).unwrap());
    let world = server_on(&restored, world);
    assert_eq!(world.sees_job(done).await.state, JobState::Succeeded);
    assert_eq!(world.sees_job(open).await.state, JobState::Queued);
    world.viewer().await.get(&format!("/api/v1/jobs/{later}")).await.is(404);
    host.talks_to(&world);
    host.restarts().await.is(200);
    host.runs(open).await.is(200);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_second_backup_copies_only_the_files_that_are_new_and_forgets_the_database_before() {
    let (world, _, data) = installation().await;
    let place = place();
    let to = place.path().join("backup");
    let Totals { blobs, copied, .. } = backup(&data, &to, now()).unwrap();
    assert_eq!((blobs, copied), (1, 1));
    world.publishes("1.2.0").await;
    let Totals { blobs, copied, .. } = backup(&data, &to, now()).unwrap();
    assert_eq!((blobs, copied), (2, 1));
    let names = files(&to).into_keys().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let of = |folder: &str| names.iter().filter(|name| name.starts_with(folder)).count();
    assert_eq!((of("database/"), of("token-key/"), of("blobs/"), names.len()), (1, 1, 2, 5), "{names:?}");
    for file in fs::read_dir(&to).unwrap().map(Result::unwrap) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert!(matches!(mode, 0o700 | 0o600), "{:?} is for its owner only: {mode:o}", file.path());
    }
}

#[tokio::test]
async fn a_backup_that_breaks_off_leaves_the_one_before() {
    let (world, release, data) = installation().await;
    let place = place();
    let to = place.path().join("backup");
    backup(&data, &to, now()).unwrap();
    let before = files(&to);
    // A file of a release that is not in the backup yet, and is damaged.
    let other = world.publishes("1.2.0").await;
    let at = |release: &Release| {
        let digest = release.sha256();
        data.join("blobs").join(&digest[..2]).join(&digest[2..])
    };
    fs::write(at(&other), "not what its name says").unwrap();
    let broken = backup(&data, &to, now()).unwrap_err();
    assert!(matches!(&broken, BackupError::Damaged(path) if *path == at(&other)), "{broken:?}");
    let after = files(&to);
    assert!(before.iter().all(|(path, digest)| after.get(path) == Some(digest)), "{before:?} {after:?}");
    let restored = place.path().join("restored");
    restore(&to, &restored).unwrap();
    assert!(restored.join("muster.sqlite").exists());
    drop(release);
}

#[tokio::test]
async fn nothing_that_is_damaged_is_restored_and_no_server_starts_on_what_is_not_complete() {
    let (_world, _, data) = installation().await;
    let place = place();
    let to = place.path().join("backup");
    backup(&data, &to, now()).unwrap();
    for (number, path) in files(&to).into_keys().filter(|path| !path.ends_with("manifest.json")).enumerate() {
        let good = fs::read(to.join(&path)).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        let restored = place.path().join(format!("restored {number}"));
        for text in [&bad[..], &good[..middle], b""] {
            fs::write(to.join(&path), text).unwrap();
            let refused = restore(&to, &restored).unwrap_err();
            assert!(matches!(&refused, BackupError::Damaged(found) if *found == to.join(&path)), "{refused:?}");
            assert!(!restored.join("muster.sqlite").exists());
        }
        fs::write(to.join(&path), &good).unwrap();
        restore(&to, &restored).unwrap();
    }
    let manifest = to.join("manifest.json");
    let good = fs::read_to_string(&manifest).unwrap();
    for (text, word) in [
        ("", "is no manifest"),
        ("{}", "is no manifest"),
        (r#"{"format":2}"#, "has format 2"),
        (&good.replace("\"sha256\": \"", "\"sha256\": \"../"), "is damaged"),
    ] {
        fs::write(&manifest, text).unwrap();
        let refused = chain(&restore(&to, &place.path().join("none")).unwrap_err());
        assert!(refused.contains(word), "{refused}");
    }
}

#[tokio::test]
async fn a_directory_with_something_in_it_is_neither_restored_into_nor_taken_for_a_backup() {
    let (_world, _, data) = installation().await;
    let place = place();
    let (to, letters) = (place.path().join("backup"), place.path().join("letters"));
    backup(&data, &to, now()).unwrap();
    fs::create_dir(&letters).unwrap();
    fs::write(letters.join("to my mother"), "dear").unwrap();
    let refused = backup(&data, &letters, now()).unwrap_err();
    assert!(refused.to_string().contains("is no backup: it holds to my mother"), "{refused}");
    for full in [&letters, &data] {
        let before = files(full);
        let refused = restore(&to, full).unwrap_err();
        assert!(refused.to_string().contains("is not empty"), "{refused}");
        assert_eq!(files(full), before);
    }
    let nothing = backup(&letters, &place.path().join("other"), now()).unwrap_err();
    assert!(nothing.to_string().contains("holds no installation"), "{nothing}");
    assert!(!place.path().join("other").exists());
}
