//! An installation moves between the bodies and loses nothing: `admin export` and `admin import`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use muster_schemas::{
    envelopes::sha256_hex,
    fleet_updates::FleetUpdateState,
    ids::{FleetUpdateId, JobId},
    jobs::{JobState, JobsCreated, Outcome},
};
use muster_server::{
    blobs::directory::Directory,
    errors::chain,
    roles::{
        moving::{MoveError, Totals, export, import},
        storage::{Kind, Storage},
    },
    store::{
        AttemptId, Consistency, Expect, Index, Item, Key, Query, Rows, StoreError, Table, WholeTable, Write,
        sqlite::SqliteTable,
    },
};
use muster_tests::world::{Caller, Host, Release, Service, Stores, World, output, polled, result, run_job, started};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::yield_now;

const ITEMS: &str = "items.ndjson";
/// What a program printed: all that JSON must escape, and what it need not.
const PRINTED: &str = "größer \u{2028} 🦀 \"quoted\" \\ \t \u{7f} </script>\n";

/// A place on this machine, in memory where it has such a place.
fn place() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

fn embedded(data: &Path) -> Storage {
    fs::create_dir_all(data).unwrap();
    let table = SqliteTable::open(&data.join("muster.sqlite")).unwrap();
    let blobs = Directory::open(data.join("blobs")).unwrap();
    let lock = fs::File::create(data.join("lock")).unwrap();
    Storage { table: Arc::new(table), blobs: Arc::new(blobs), kind: Kind::Embedded { data: data.into(), lock } }
}

/// `DynamoDB` and S3; none where they were not started.
async fn services() -> Option<Storage> {
    let (engine, emulator) = (Service::engine()?, Service::emulator()?);
    let (table, bucket) = (Arc::new(engine.new_table().await), Arc::new(emulator.new_bucket().await));
    let configuration = Box::new(emulator.configuration());
    let kind = Kind::Services { table: table.clone(), bucket: bucket.clone(), configuration };
    Some(Storage { table, blobs: bucket, kind })
}

/// One with something of every kind in it, in the middle of its work.
struct Installation {
    world: World,
    /// The first has been updated, the second is being updated, the third has an open job, the fourth waits.
    hosts: Vec<Host>,
    release: Release,
    fleet_update: FleetUpdateId,
    open_job: JobId,
    /// Somebody who is signed in, and sends jobs with an idempotency key.
    operator: Caller,
    once: JobId,
    api_key: String,
    /// What was told once, and is stored as a hash.
    told_once: Vec<String>,
}

async fn installation(hosts: u32) -> Installation {
    let mut world = World::on(Stores::embedded()).await;
    let mut hosts = world.fleet(hosts, "1.0.0").await;
    let release = world.publishes("1.1.0").await;
    let draft = Release::sign(&world, "1.2.0");
    world.admin().await.post("/api/v1/releases", &draft.envelope).await.is(201);
    hosts[3].caller().await;
    let done = world.job(hosts[3].id(), &run_job()).await.id;
    hosts[3].runs(done).await.is(200);

    let request = json!({ "version": "1.1.0", "soak_seconds": 0 });
    let fleet_update = world.fleet_update(&request).await.id;
    world.tick().await;
    hosts[0].updates(&release).await.unwrap();
    world.tick().await;
    hosts[1].begins_update().await.unwrap();

    let open_job = world.job(hosts[2].id(), &run_job()).await.id;
    hosts[2].check_in().await;
    hosts[2].accepts(open_job).await.is(200);
    hosts[2].tells(open_job, vec![started(), output(PRINTED)]).await.is(200);

    let key = json!({ "name": "the pipeline", "role": "operator" });
    let admin = world.admin().await;
    let api_key = admin.clone().with("idempotency-key", "a key").post("/api/v1/api-keys", &key).await.is(201).value();
    let api_key = api_key["key"].as_str().unwrap().to_owned();
    let operator = world.operator().await.with("idempotency-key", "once");
    let once = asks_once(&operator, &hosts[3]).await;
    let seats = world.token(5).await;

    // The server dies after a host was retired, before its open job is given up.
    let gone = world.host("gone").await.id();
    world.job(gone, &run_job()).await;
    let retire = format!("/api/v1/hosts/{gone}?force=true");
    for operations in 0.. {
        world.mortal.dies_after(operations);
        tokio::select! {
            answer = admin.delete(&retire) => panic!("it did not die: {answer:?}"),
            () = world.mortal.dies() => {}
        }
        world = world.restarted();
        for host in &mut hosts {
            host.talks_to(&world);
        }
        if !world.outbox().await.is_empty() {
            break;
        }
    }
    let bearer = |caller: &Caller| caller.header("authorization").unwrap().replace("Bearer ", "");
    let mut told_once = vec![api_key.clone(), seats.token.reveal().to_owned(), bearer(&admin), bearer(&operator)];
    told_once.push(bearer(&hosts[3].caller().await));
    told_once.push(World::password().to_owned());
    Installation { world, hosts, release, fleet_update, open_job, operator, once, api_key, told_once }
}

async fn asks_once(operator: &Caller, host: &Host) -> JobId {
    let body = json!({ "host_ids": [host.id()], "kind": "run", "spec": { "argv": ["/bin/false"] } });
    operator.post("/api/v1/jobs", &body).await.is(202).json::<JobsCreated>().items[0].id
}

impl Installation {
    fn storage(&self) -> Storage {
        embedded(&self.world.directory().unwrap())
    }

    /// Everything goes on where it was, on what it was moved to.
    async fn goes_on(mut self, storage: &Storage) -> World {
        let world = self.world.moved_to(Stores::of(storage));
        assert_ne!(world.outbox().await, Vec::<String>::new());
        world.tick().await;
        assert_eq!(world.outbox().await, Vec::<String>::new(), "what was still to happen has happened");
        self.hosts.iter_mut().for_each(|host| host.talks_to(&world));

        let host = &mut self.hosts[2];
        host.asks_for_token(&host.assertion()).await.is(200);
        host.asks().await.is(200);
        host.finishes(self.open_job, result(Outcome::Succeeded, world.now())).await.is(200);
        assert_eq!(world.sees_job(self.open_job).await.state, JobState::Succeeded);
        let log = format!("/api/v1/jobs/{}/log", self.open_job);
        assert!(world.viewer().await.get(&log).await.is(200).text().contains(PRINTED));

        let operator = self.operator.to(&world);
        operator.get("/api/v1/session").await.is(200);
        assert_eq!(asks_once(&operator, &self.hosts[3]).await, self.once, "the same request as before the move");
        world.nobody().bearing(&self.api_key).get("/api/v1/hosts").await.is(200);
        let wrong = json!({ "username": "admin", "password": "wrong", "kind": "bearer" });
        world.nobody().post("/api/v1/session", &wrong).await.is(401);

        let host = &mut self.hosts[1];
        let update = host.received.iter().find(|command| command.kind == "self_update").unwrap().id;
        host.tries(&self.release).await.is(200);
        host.commits(update).await.is(200);
        for host in &mut self.hosts[2..] {
            world.tick().await;
            host.updates(&self.release).await.unwrap();
        }
        world.tick().await;
        assert_eq!(world.sees_fleet_update(self.fleet_update).await.state, FleetUpdateState::Completed);
        let blob = format!("/api/v1/agent/blobs/{}", self.release.sha256());
        let answer = self.hosts[0].caller().await.get(&blob).await;
        assert!(answer.status == 307 || answer.is(200).body == self.release.bytes, "by a link, or as they are");
        world.is_consistent().await;
        world
    }
}

/// An export's lines, sorted.
fn lines(export: &Path) -> Vec<String> {
    let text = fs::read_to_string(export.join(ITEMS)).unwrap();
    let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    lines.sort();
    lines
}

/// An export's files with their digests.
fn files(export: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(export.join("blobs")).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), sha256_hex(&fs::read(file.path()).unwrap()))).collect()
}

#[track_caller]
fn are_equal(one: &Path, other: &Path) {
    let (ones, others) = (lines(one), lines(other));
    let lost = ones.iter().filter(|line| others.binary_search(line).is_err()).take(3).collect::<Vec<_>>();
    let new = others.iter().filter(|line| ones.binary_search(line).is_err()).take(3).collect::<Vec<_>>();
    assert!(lost.is_empty() && new.is_empty() && ones.len() == others.len(), "lost {lost:#?}, new {new:#?}");
    assert_eq!(files(one), files(other));
}

/// What an export's lines are about: `host`, `job`, `outbox` …
fn kinds(export: &Path) -> BTreeSet<String> {
    let partition =
        |line: String| serde_json::from_str::<Value>(&line).unwrap()["partition"].as_str().unwrap().to_owned();
    lines(export).into_iter().map(partition).map(|key| key.split('#').next().unwrap().to_owned()).collect()
}

/// Everything in a table.
async fn everything(storage: &Storage) -> BTreeMap<Key, Item> {
    let (mut found, mut cursor) = (BTreeMap::new(), None);
    loop {
        let rows = storage.table.scan(cursor, 100).await.unwrap();
        found.extend(rows.items.into_iter().map(|item| (item.key.clone(), item)));
        cursor = rows.cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

/// Out of the embedded store, into this storage, and into an embedded store again.
async fn there_and_back(there: Storage) {
    let installation = installation(4).await;
    let place = place();
    let [first, second, third] = ["first", "second", "third"].map(|name| place.path().join(name));
    let moved = export(&installation.storage(), &first).await.unwrap();
    assert_eq!((moved.items, moved.blobs), (lines(&first).len(), 1));
    let kinds = kinds(&first);
    for kind in [
        "host",
        "host-key",
        "job",
        "token",
        "release",
        "fleet-update",
        "user",
        "user-name",
        "session",
        "api-key",
        "lock",
        "idempotency",
        "outbox",
        "audit",
    ] {
        assert!(kinds.contains(kind), "the installation has no {kind}: {kinds:?}");
    }
    assert_eq!(files(&first), BTreeMap::from([(installation.release.sha256(), installation.release.sha256())]));

    assert_eq!(import(&there, &first).await.unwrap(), moved);
    assert_eq!(export(&there, &second).await.unwrap(), moved);
    are_equal(&first, &second);
    let back = embedded(&place.path().join("back"));
    assert_eq!(import(&back, &second).await.unwrap(), moved);
    assert_eq!(export(&back, &third).await.unwrap(), moved);
    are_equal(&first, &third);
    let lasting = |item: &&Item| item.expires_at.is_some();
    let expiring = everything(&back).await.values().filter(lasting).count();
    assert!(expiring > 2, "sessions, and what idempotency keys have made");

    let hosts = installation.hosts.clone();
    let again = Installation { hosts, ..installation.again() };
    installation.goes_on(&there).await;
    let world = again.goes_on(&back).await;
    world.moves(40 * 86_400);
    world.tick().await;
    let is_over = |item: &&Item| item.expires_at.is_some_and(|at| at <= world.now());
    assert_eq!(everything(&back).await.values().filter(is_over).count(), 0, "what expires does so after the move, too");
}

impl Installation {
    /// The same, to go on from here twice.
    fn again(&self) -> Self {
        Self {
            world: self.world.clone(),
            hosts: self.hosts.clone(),
            release: self.release.clone(),
            fleet_update: self.fleet_update,
            open_job: self.open_job,
            operator: self.operator.clone(),
            once: self.once,
            api_key: self.api_key.clone(),
            told_once: self.told_once.clone(),
        }
    }
}

#[tokio::test]
async fn an_installation_moves_to_dynamodb_and_s3_and_back_and_goes_on_in_each_place() {
    let Some(there) = services().await else { return };
    there_and_back(there).await;
}

#[tokio::test]
async fn an_installation_moves_from_one_machine_to_another_and_goes_on_there() {
    let place = place();
    there_and_back(embedded(place.path())).await;
}

/// Numbers that no float holds, keys that come twice and in no order, and texts in every way to write them.
const STRANGE: &str = concat!(
    r#"{"z":1.0,"a":18446744073709551615,"z":-0,"d":1e400,"e":0.1000,"long":12345678901234567890123456789.5E-7,"#,
    r#""":[ 1 ,  2],"escaped":"\u0000\u00e9\u2028\/\ud83e\udd80 \ud800 lone","raw":"#,
    "\"é 🦀 \u{2028}\u{202e}\u{feff}\u{fdfd}e\u{301}\",\"null\":null}",
);

#[tokio::test]
async fn a_record_keeps_its_bytes_however_strange_they_are() {
    let mut bodies = vec![STRANGE.to_owned(), "1.0".into(), "\"\\ud800\"".into(), "[]".into(), "null".into()];
    bodies.push(format!("\"{}\"", "🦀".repeat(90_000)));
    let place = place();
    let start = embedded(&place.path().join("start"));
    for (number, body) in bodies.iter().enumerate() {
        let item = Item {
            key: Key::new("strange#🦀 \" \\ \u{1}", format!("{number}\n")),
            revision: u64::try_from(i64::MAX).unwrap(),
            expires_at: Some(Timestamp::from_second(253_402_207_200 - i64::try_from(number).unwrap()).unwrap()),
            indexes: Vec::new(),
            body: body.clone().into_bytes(),
        };
        start.table.commit(vec![Write::Put { item, expect: Expect::Absent }], rand::random()).await.unwrap();
    }
    let before = everything(&start).await;
    let mut from = start;
    let path = place.path().join("other");
    for (number, to) in [Some(embedded(&path)), services().await].into_iter().flatten().enumerate() {
        let directory = place.path().join(format!("export {number}"));
        export(&from, &directory).await.unwrap();
        import(&to, &directory).await.unwrap();
        assert!(everything(&to).await == before, "it has changed");
        from = to;
    }
}

#[tokio::test]
async fn a_record_that_was_edited_by_hand_over_several_lines_is_moved_as_one() {
    let place = place();
    let start = embedded(&place.path().join("start"));
    let body = b"{\n  \"a\": 1.0,\r\n  \"b\": \"\\n\"\n}".to_vec();
    let item = Item { key: Key::new("a", "b"), revision: 1, expires_at: None, indexes: Vec::new(), body };
    start.table.commit(vec![Write::Put { item, expect: Expect::Absent }], rand::random()).await.unwrap();
    export(&start, &place.path().join("export")).await.unwrap();
    let to = embedded(&place.path().join("to"));
    import(&to, &place.path().join("export")).await.unwrap();
    let found = everything(&to).await;
    let text = str::from_utf8(&found[&Key::new("a", "b")].body).unwrap();
    assert_eq!(text.split_whitespace().collect::<String>(), r#"{"a":1.0,"b":"\n"}"#);
}

/// A table whose connection breaks off for good after so many commits.
struct BreaksOff {
    table: Arc<dyn WholeTable>,
    left: AtomicUsize,
}

impl BreaksOff {
    fn after(commits: usize, storage: &Storage) -> Storage {
        let table = Self { table: storage.table.clone(), left: AtomicUsize::new(commits) };
        let kind = Kind::Embedded { data: PathBuf::new(), lock: fs::File::open("/dev/null").unwrap() };
        Storage { table: Arc::new(table), blobs: storage.blobs.clone(), kind }
    }
}

impl Table for BreaksOff {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        self.table.get(key, consistency)
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        self.table.get_many(keys)
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.table.query(query)
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.table.query_index(index, query)
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            // However fast the store is, whoever is dropped is dropped before and after it.
            Ok(_) => Box::pin(async move {
                yield_now().await;
                let done = self.table.commit(writes, attempt).await;
                yield_now().await;
                done
            }),
            Err(_) => {
                Box::pin(async { Err(StoreError::Unavailable { doing: "commit", source: "the line is dead".into() }) })
            }
        }
    }

    fn expire(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.table.expire(now, limit)
    }
}

impl WholeTable for BreaksOff {
    fn scan(&self, cursor: Option<String>, limit: usize) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            yield_now().await;
            let rows = self.table.scan(cursor, limit).await;
            yield_now().await;
            rows
        })
    }
}

/// An export of several hundred records, and how many it has.
async fn exported(place: &Path) -> (PathBuf, Totals) {
    let directory = place.join("export");
    let installation = installation(45).await;
    let moved = export(&installation.storage(), &directory).await.unwrap();
    assert!(moved.items > 250, "several times what is written at once: {moved}");
    (directory, moved)
}

#[tokio::test]
async fn an_import_that_broke_off_goes_on_when_it_is_run_again() {
    let place = place();
    let (directory, moved) = exported(place.path()).await;
    for commits in 0.. {
        let path = place.path().join(format!("to {commits}"));
        let mut done = true;
        for (number, to) in [Some(embedded(&path)), services().await].into_iter().flatten().enumerate() {
            let breaking = BreaksOff::after(commits, &to);
            let first = import(&breaking, &directory).await;
            done &= first.is_ok();
            // Not one record more than what was committed, and the next run brings the others.
            assert!(first.is_ok() || everything(&to).await.len() <= commits * 100);
            assert_eq!(import(&to, &directory).await.unwrap(), moved, "after {commits} commits");
            let again = place.path().join(format!("again {commits} {number}"));
            export(&to, &again).await.unwrap();
            are_equal(&directory, &again);
        }
        if done {
            assert!(commits > 2, "nothing was interrupted");
            return;
        }
    }
}

#[tokio::test]
async fn an_import_that_was_stopped_at_any_point_goes_on_when_it_is_run_again() {
    let place = place();
    let (directory, moved) = exported(place.path()).await;
    for polls in 1.. {
        let to = embedded(&place.path().join(format!("to {polls}")));
        let done = polled(import(&BreaksOff::after(usize::MAX, &to), &directory), polls).await;
        assert_eq!(import(&to, &directory).await.unwrap(), moved, "after {polls} polls");
        let again = place.path().join(format!("again {polls}"));
        export(&to, &again).await.unwrap();
        are_equal(&directory, &again);
        if done.is_some() {
            assert!(polls > 2, "nothing was interrupted");
            return;
        }
    }
}

#[tokio::test]
async fn an_export_that_was_stopped_is_not_taken_for_a_whole_one() {
    let place = place();
    let installation = installation(45).await;
    let from = BreaksOff::after(0, &installation.storage());
    for polls in 1.. {
        let directory = place.path().join(format!("export {polls}"));
        if polled(export(&from, &directory), polls).await.is_some() {
            assert!(polls > 2, "nothing was interrupted");
            return;
        }
        let to = embedded(&place.path().join(format!("to {polls}")));
        let error = import(&to, &directory).await.expect_err("a part of an export was imported");
        assert!(matches!(&error, MoveError::File { path, .. } if path.ends_with(ITEMS)), "{error:?}");
        assert!(everything(&to).await.is_empty());
    }
}

#[tokio::test]
async fn an_import_into_another_installation_is_refused_with_the_name_of_what_is_there_and_changes_nothing() {
    let place = place();
    let (directory, _) = exported(place.path()).await;
    let path = place.path().join("to");
    for to in [Some(embedded(&path)), services().await].into_iter().flatten() {
        // Its accounts have the same names; everything else is its own.
        let other = installation(4).await;
        let between = TempDir::new_in(place.path()).unwrap();
        export(&other.storage(), &between.path().join("other")).await.unwrap();
        import(&to, &between.path().join("other")).await.unwrap();
        let before = everything(&to).await;
        let error = import(&to, &directory).await.unwrap_err();
        let MoveError::NotEmpty { partition, sort } = &error else { panic!("{error:?}") };
        assert!(before.contains_key(&Key::new(partition, sort)), "it names what is there: {error}");
        assert!(error.to_string().contains(partition), "{error}");
        assert!(everything(&to).await == before, "it has changed");
        let error = to.blobs.open(&files(&directory).into_keys().next().unwrap(), 0).await.unwrap();
        assert!(error.is_some(), "this one both have");
    }
}

#[tokio::test]
async fn an_import_into_a_storage_that_holds_a_single_record_of_its_own_is_refused_and_changes_nothing() {
    let place = place();
    let (directory, _) = exported(place.path()).await;
    let path = place.path().join("to");
    for to in [Some(embedded(&path)), services().await].into_iter().flatten() {
        let key = Key::new("host#another", "host");
        let item = Item { key, revision: 1, expires_at: None, indexes: Vec::new(), body: b"{}".to_vec() };
        to.table.commit(vec![Write::Put { item, expect: Expect::Absent }], rand::random()).await.unwrap();
        let error = import(&to, &directory).await.unwrap_err();
        assert!(error.to_string().contains("host#another"), "{error}");
        assert_eq!(everything(&to).await.len(), 1);
    }
}

#[tokio::test]
async fn an_import_over_records_that_have_changed_since_is_refused() {
    let place = place();
    let (directory, _) = exported(place.path()).await;
    let to = embedded(&place.path().join("to"));
    import(&to, &directory).await.unwrap();
    let (key, mut item) = everything(&to).await.into_iter().find(|(key, _)| key.sort == "mailbox").unwrap();
    item.revision += 1;
    let expect = Expect::Revision(item.revision - 1);
    to.table.commit(vec![Write::Put { item, expect }], rand::random()).await.unwrap();
    let before = everything(&to).await;
    let error = import(&to, &directory).await.unwrap_err();
    assert!(error.to_string().contains(&key.partition), "{error}");
    assert!(everything(&to).await == before, "it has changed");
}

#[tokio::test]
async fn a_damaged_line_is_named_by_its_number_and_nothing_is_imported() {
    let place = place();
    let (directory, _) = exported(place.path()).await;
    let path = directory.join(ITEMS);
    let whole = fs::read_to_string(&path).unwrap();
    let lines = whole.lines().collect::<Vec<_>>();
    let last = lines.len();
    let damage: [(usize, String); 5] = [
        (1, "not JSON".into()),
        (3, String::new()),
        (last - 1, lines[last - 2].replace("\"revision\":", "\"revision\":-")),
        (last, lines[last - 1][..lines[last - 1].len() - 2].to_owned()),
        (2, format!("{} {}", lines[1], lines[1])),
    ];
    for (number, line) in damage {
        let mut damaged = lines.clone();
        damaged[number - 1] = &line;
        fs::write(&path, damaged.join("\n")).unwrap();
        let to = embedded(&TempDir::new_in(place.path()).unwrap().keep());
        let error = import(&to, &directory).await.unwrap_err();
        assert!(chain(&error).starts_with(&format!("line {number} of {ITEMS} is not a record: ")), "{}", chain(&error));
        assert!(everything(&to).await.is_empty());
    }
}

#[tokio::test]
async fn a_file_of_a_release_that_is_missing_or_damaged_stops_an_import_before_a_record_names_it() {
    let place = place();
    let (directory, moved) = exported(place.path()).await;
    let sha256 = files(&directory).into_keys().next().unwrap();
    let path = directory.join("blobs").join(&sha256);
    let bytes = fs::read(&path).unwrap();
    let to = embedded(&place.path().join("to"));
    let mut damaged = bytes.clone();
    damaged[0] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert!(matches!(import(&to, &directory).await, Err(MoveError::Blobs(_))));
    fs::remove_file(&path).unwrap();
    let error = import(&to, &directory).await.unwrap_err();
    assert!(error.to_string().contains(&sha256), "{error}");
    assert!(!everything(&to).await.keys().any(|key| key.partition == "release#1.1.0"));
    fs::write(&path, bytes).unwrap();
    assert_eq!(import(&to, &directory).await.unwrap(), moved, "it goes on with the file in its place");
}

#[tokio::test]
async fn an_export_without_a_file_that_a_release_needs_is_refused_with_its_name() {
    let installation = installation(4).await;
    let place = place();
    let sha256 = installation.release.sha256();
    let data = installation.world.directory().unwrap();
    fs::remove_file(data.join("blobs").join(&sha256[..2]).join(&sha256[2..])).unwrap();
    let error = export(&installation.storage(), &place.path().join("export")).await.unwrap_err();
    assert!(error.to_string().contains(&sha256), "{error}");
    assert!(!place.path().join("export").join(ITEMS).exists(), "it would be taken for a whole one");
}

#[tokio::test]
async fn a_damaged_file_is_found_while_its_installation_is_still_there() {
    let installation = installation(4).await;
    let place = place();
    let sha256 = installation.release.sha256();
    let data = installation.world.directory().unwrap();
    fs::write(data.join("blobs").join(&sha256[..2]).join(&sha256[2..]), b"the agent 1.1.1").unwrap();
    let error = export(&installation.storage(), &place.path().join("export")).await.unwrap_err();
    assert!(error.to_string().contains(&sha256) && error.to_string().contains("damaged"), "{error}");
    assert!(!place.path().join("export").join(ITEMS).exists(), "it would be taken for a whole one");
}

#[tokio::test]
async fn an_export_into_a_directory_that_is_there_is_refused_and_leaves_it_alone() {
    let place = place();
    let directory = place.path().join("export");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(ITEMS), "mine").unwrap();
    let error = export(&embedded(&place.path().join("data")), &directory).await.unwrap_err();
    assert!(chain(&error).starts_with(&format!("cannot use {}: ", directory.display())), "{}", chain(&error));
    assert_eq!(fs::read_to_string(directory.join(ITEMS)).unwrap(), "mine");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[tokio::test]
async fn an_export_is_for_its_owner_alone() {
    let installation = installation(4).await;
    let place = place();
    let directory = place.path().join("export");
    export(&installation.storage(), &directory).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("blobs")), 0o700);
    assert_eq!(mode(&directory.join(ITEMS)), 0o600);
    for file in fs::read_dir(directory.join("blobs")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn no_secret_that_was_told_once_is_in_an_export() {
    let installation = installation(4).await;
    let place = place();
    export(&installation.storage(), &place.path().join("export")).await.unwrap();
    let text = lines(&place.path().join("export")).join("\n");
    assert!(text.contains(&installation.hosts[0].id().to_string()), "it holds what it should");
    for secret in installation.told_once {
        // What comes after the public part of a token, too.
        for part in [&secret[..], &secret[secret.len() / 2..]] {
            assert!(!text.contains(part), "{part} is in it");
        }
    }
}
