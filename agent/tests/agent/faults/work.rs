//! What a host does while its disk fails, and what must be true of it afterwards.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use jiff::Timestamp;
use muster_agent::{
    journal::{Entry, Journal},
    version::VERSION,
    versions::pointer::{Choice, Installed, Pointer, Update},
};
use muster_schemas::{
    commands::Command,
    envelopes::sha256_hex,
    ids::{HostId, JobId},
    jobs::{JobResult, Outcome, Recovery},
    reports::{AgentReport, UpdateOutcome},
};

use super::trial::Trial;
use crate::world::{
    host::{AGENT, Host, lines},
    releases::{manifest, offer, script, signed, trust},
    server::Server,
};

/// A way of the agent over its disk.
pub struct Work {
    pub name: &'static str,
    /// Whether it is in the agent's start already.
    pub from_start: bool,
    /// Before the agent is started.
    pub prepare: fn(&mut Host),
    /// The jobs that it begins with. What they leave behind is put into the directory, which no fault touches.
    pub begin: fn(&Server, &Path) -> Vec<JobId>,
    /// What must be true when every result was told.
    pub check: fn(&Trial),
}

/// An update from one good version to another.
pub const UPDATE: Work = Work {
    name: "an update",
    from_start: false,
    prepare: |host| {
        update_within(host, "5");
        install_old(host);
    },
    begin: |server, _| vec![offer_new(server)],
    check: check_update,
};

/// An update to a version that does nothing but note that it was started.
pub const DEAD_UPDATE: Work = Work {
    name: "an update to a version that hangs",
    prepare: |host| update_within(host, "1"),
    begin: |server, directory| vec![offer_dead(server, directory)],
    check: check_dead_update,
    ..UPDATE
};

/// Jobs that must run once, and one that is cancelled before it comes.
pub const JOBS: Work = Work { name: "jobs", from_start: false, prepare: |_| {}, begin: begin_jobs, check: check_jobs };

/// The same in a journal that becomes long enough to be compacted.
pub const COMPACTION: Work = Work { name: "jobs and a compaction", prepare: lengthen_journal, ..JOBS };

/// A start with a journal that is damaged in its midst.
pub const DAMAGE: Work = Work {
    name: "a start with a damaged journal",
    from_start: true,
    prepare: |host| fs::write(host.path("journal"), damaged()).unwrap(),
    begin: |_, _| (1..=3).map(old).collect(),
    check: check_damage,
};

/// Above this size a journal is compacted.
const COMPACTED_BYTES: usize = 4 * 1024 * 1024;
/// More than one small job adds to it, and less than four.
const ROOM_BYTES: usize = 3_000;
const LARGE_SPEC_BYTES: usize = 200_000;

/// A build of the agent.
struct Build {
    bytes: Vec<u8>,
    installed: Installed,
}

/// What is installed before an update, and what after it.
static OLD: LazyLock<Build> = LazyLock::new(|| build("an old build"));
static NEW: LazyLock<Build> = LazyLock::new(|| build("a new build"));

fn build(words: &str) -> Build {
    let bytes = [&fs::read(&*AGENT).unwrap()[..], words.as_bytes()].concat();
    Build { installed: Installed { version: VERSION.into(), sha256: sha256_hex(&bytes) }, bytes }
}

/// As an update before this one has left it.
fn install_old(host: &Host) {
    let (state, Build { bytes, installed }) = (host.state.path(), &*OLD);
    let (directory, binary) = (installed.directory(state).unwrap(), installed.binary(state).unwrap());
    fs::create_dir_all(&directory).unwrap();
    fs::write(&binary, bytes).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o700)).unwrap();
    let manifest = signed(&manifest(VERSION, 6, bytes), 2);
    fs::write(directory.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    before().save(state).unwrap();
}

fn before() -> Pointer {
    Pointer { committed: Choice::Installed(OLD.installed.clone()), previous: Some(Choice::Factory) }
}

/// Shorter than the pause after which what the disk did not take is put down again.
fn update_within(host: &mut Host, seconds: &'static str) {
    trust(host);
    host.deadline_seconds = seconds;
}

fn offer_new(server: &Server) -> JobId {
    offer(server, signed(&manifest(VERSION, 7, &NEW.bytes), 2), NEW.bytes.clone())
}

fn check_update(trial: &Trial) {
    let result = trial.server.result(trial.jobs[0]);
    let after = |pointer: Pointer| Pointer {
        committed: Choice::Installed(NEW.installed.clone()),
        previous: Some(pointer.committed),
    };
    let (pointer, build) = match result.outcome {
        Outcome::Succeeded => (after(before()), &*NEW),
        Outcome::Failed => (before(), &*OLD),
        other => panic!("an update ended {other:?}"),
    };
    let state = trial.host.state.path();
    assert_eq!(Pointer::load(state).unwrap(), pointer, "{result:?}");
    assert!(fs::read(build.installed.binary(state).unwrap()).unwrap() == build.bytes, "what is committed is not whole");
    assert!(OLD.installed.binary(state).unwrap().exists(), "there is no way back");
    let runs = |report: &&AgentReport| report.committed && report.executable_sha256 == build.installed.sha256;
    let told = trial.server.wait("word of the version that runs", |world| world.reports.last().filter(runs).cloned());
    if let Some(last) = told.last_update {
        assert_eq!(
            last.outcome == UpdateOutcome::Committed,
            result.outcome == Outcome::Succeeded,
            "{last:?} {result:?}"
        );
    }
}

fn offer_dead(server: &Server, directory: &Path) -> JobId {
    let work = format!("echo started >> {}; exec sleep 1000", mark(directory, 0).display());
    let blob = script("9.9.9", &work);
    offer(server, signed(&manifest("9.9.9", 7, &blob), 2), blob)
}

fn check_dead_update(trial: &Trial) {
    let result = trial.server.result(trial.jobs[0]);
    assert_eq!(result.outcome, Outcome::Failed);
    let state = trial.host.state.path();
    assert_eq!(Pointer::load(state).unwrap().committed, Choice::Factory);
    let counted = Update::load(state).unwrap().map_or(0, |update| update.tries) as usize;
    let started = lines(&mark(trial.outside.path(), 0));
    assert!(started <= counted, "it was started {started} times, and {counted} were counted: {result:?}");
}

fn mark(directory: &Path, number: usize) -> PathBuf {
    directory.join(format!("job-{number}"))
}

fn begin_jobs(server: &Server, directory: &Path) -> Vec<JobId> {
    let run = |number| server.run(&format!("echo ran >> {}; echo said", mark(directory, number).display()));
    let cancelled = JobId::new(Timestamp::now(), 99);
    server.with(|world| world.cancels.push(cancelled));
    (0..3).map(run).chain([cancelled]).collect()
}

fn check_jobs(trial: &Trial) {
    for (number, id) in trial.jobs.iter().enumerate() {
        let (result, ran) = (trial.server.result(*id), lines(&mark(trial.outside.path(), number)));
        let is_true = match result.outcome {
            Outcome::Succeeded => ran == 1,
            Outcome::Interrupted => ran <= 1,
            Outcome::Cancelled => ran == 0,
            _ => false,
        };
        assert!(is_true, "job {number} ran {ran} times: {result:?}");
    }
}

/// Old jobs fill it, of which a compaction keeps next to nothing.
fn lengthen_journal(host: &mut Host) {
    let (mut journal, _) = Journal::open(host.state.path()).unwrap();
    let size = || usize::try_from(fs::metadata(host.path("journal")).unwrap().len()).unwrap();
    let mut add = |number, length| journal.append_all(told(number, length)).unwrap();
    add(1, 0);
    let least = size();
    let large = (COMPACTED_BYTES - ROOM_BYTES) / LARGE_SPEC_BYTES - 1;
    (0..large).for_each(|number| add(number + 2, LARGE_SPEC_BYTES - least));
    add(large + 2, COMPACTED_BYTES - ROOM_BYTES - size() - least);
}

fn old(number: usize) -> JobId {
    JobId::new(Timestamp::UNIX_EPOCH, number as u128)
}

/// A job of before, with a spec of so many bytes.
fn told(number: usize, length: usize) -> Vec<Entry> {
    vec![received(number, length), finished(number), Entry::Acknowledged { id: old(number) }]
}

fn received(number: usize, length: usize) -> Entry {
    let command = Command {
        id: old(number),
        host_id: HostId::new(Timestamp::UNIX_EPOCH, 1),
        sequence: 0,
        kind: "run".into(),
        spec: "x".repeat(length).into(),
        recovery: Recovery::Once,
        resource: None,
        generation: 0,
        start_by: Timestamp::UNIX_EPOCH,
        time_limit_seconds: 1,
    };
    Entry::Received { command: Box::new(command) }
}

fn finished(number: usize) -> Entry {
    Entry::Finished { id: old(number), result: Box::new(JobResult::new(Outcome::Succeeded, Timestamp::UNIX_EPOCH)) }
}

/// One job has ended, one was started, and of one that was received the rest is not to be read.
fn damaged() -> Vec<u8> {
    let state = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(state.path()).unwrap();
    let started = Entry::Started { id: old(2), at: Timestamp::UNIX_EPOCH };
    journal.append_all(vec![received(1, 0), finished(1), received(2, 0), started, received(3, 0)]).unwrap();
    let whole = fs::read(state.path().join("journal")).unwrap();
    [&whole[..], b"half of a lin\n"].concat()
}

fn check_damage(trial: &Trial) {
    let outcome = |number: usize| trial.server.result(trial.jobs[number]).outcome;
    assert_eq!([outcome(0), outcome(1), outcome(2)], [Outcome::Succeeded, Outcome::Interrupted, Outcome::Interrupted]);
    let kept = fs::read_dir(trial.host.state.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut kept = kept.filter(|path| path.display().to_string().contains("journal.corrupt-"));
    assert!(kept.any(|path| fs::read(path).unwrap() == damaged()), "what was damaged is not there any more");
}
