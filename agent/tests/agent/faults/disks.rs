//! Real file systems, in a namespace of mounts that the host has for itself: one that is full to its last byte, and one that
//! becomes read-only because it is damaged, which is how file systems become so under an agent that writes to them.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Child, Command},
    thread::park_timeout,
    time::{Duration, Instant},
};

use muster_schemas::{ids::JobId, jobs::Outcome};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::points::say;
use crate::world::{
    host::{AGENT, Host, lines},
    server::{PATIENCE, Server},
};

/// Mounts a disk on `$2` as `$1` says, copies the state `$3` there once, and becomes the agent `$4`.
const ENTER: &str = r#"
eval "$1" && { [ -e "$2/identity.json" ] || cp -a "$3/." "$2/" && sync -f "$2"; } && exec "$4" run --state "$2""#;
/// Fewer calls than so many in a row prove nothing about their pace.
const SOME_CALLS: usize = 40;
/// On an average they are a tenth of a second apart.
const LEAST_TIME_OF_SOME_CALLS: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A host whose state is on a file system of its own.
struct Island {
    server: Server,
    host: Host,
    /// What no fault touches.
    outside: TempDir,
    mount: String,
    agent: Child,
}

impl Island {
    fn new(mount: impl FnOnce(&TempDir) -> String) -> Self {
        let server = Server::start();
        let host = Host::joined(&server);
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("disk")).unwrap();
        let mount = mount(&outside);
        let agent = start(&host, &outside, &mount);
        server.assert_host_works();
        Self { server, host, outside, mount, agent }
    }

    /// A file on the host's disk, as the host sees it.
    fn on_disk(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.agent.id()));
        root.join(self.outside.path().strip_prefix("/").unwrap()).join("disk").join(name)
    }

    /// Stops the agent, with which its mounts end, and starts it on the disk mounted anew.
    fn restart(&mut self) {
        let agent = Pid::from_raw(i32::try_from(self.agent.id()).unwrap()).unwrap();
        kill_process(agent, Signal::TERM).unwrap();
        assert!(self.agent.wait().unwrap().success());
        self.agent = start(&self.host, &self.outside, &self.mount);
    }

    /// Leaves no room, and says what takes it.
    fn fill(&self) -> PathBuf {
        let path = self.on_disk("filler");
        let mut filler = File::create(&path).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }

    /// The kernel finds an error in the file system, and takes it for damaged.
    fn damage(&self) {
        let mounts = fs::read_to_string(format!("/proc/{}/mounts", self.agent.id())).unwrap();
        let disk = self.outside.path().join("disk").display().to_string();
        let mount = mounts.lines().find(|line| line.split(' ').nth(1) == Some(&*disk)).unwrap();
        let device = mount.split(' ').next().unwrap().trim_start_matches("/dev/");
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1").unwrap();
    }

    /// A job that ends when the test lets it, with an argument of so many bytes.
    fn job(&self, number: usize, length: usize) -> JobId {
        let (gate, mark) = (self.outside.path().join("gate"), self.mark(number));
        let script = format!("exec 3<{}; flock -s 3; echo ran >> {}", gate.display(), mark.display());
        self.server.job("run", serde_json::json!({ "argv": ["/bin/sh", "-c", script, "x".repeat(length)] }))
    }

    fn mark(&self, number: usize) -> PathBuf {
        self.outside.path().join(format!("job-{number}"))
    }

    fn assert_ran_once(&self, number: usize, id: JobId) {
        let result = self.server.result(id);
        assert_eq!((result.outcome, lines(&self.mark(number))), (Outcome::Succeeded, 1), "{number}: {result:?}");
    }

    fn wait_for_log(&self, text: &str) {
        let (path, until) = (self.outside.path().join("log"), Instant::now() + PATIENCE);
        while !fs::read_to_string(&path).unwrap().contains(text) {
            assert!(Instant::now() < until, "the agent never said {text:?}");
            park_timeout(LOOK_EVERY);
        }
    }

    /// The agent goes on calling, and not too fast.
    fn assert_calls_at_its_pace(&self) {
        let calls = |server: &Server| server.with(|world| world.paths.len());
        let (before, begin) = (calls(&self.server), Instant::now());
        self.server.wait("calls", |world| (world.paths.len() >= before + SOME_CALLS).then_some(()));
        assert!(begin.elapsed() > LEAST_TIME_OF_SOME_CALLS, "{SOME_CALLS} calls in {:?}", begin.elapsed());
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
        if std::thread::panicking() {
            say(&fs::read_to_string(self.outside.path().join("log")).unwrap_or_default());
        }
    }
}

fn start(host: &Host, outside: &TempDir, mount: &str) -> Child {
    let log = File::options().create(true).append(true).open(outside.path().join("log")).unwrap();
    let settings = host.command("run");
    let settings = settings.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", ENTER, "sh", mount]).arg(outside.path().join("disk")).arg(host.state.path());
    command.arg(&*AGENT).envs(settings).stderr(log).spawn().unwrap()
}

/// Whether this machine lets the test mount anything. Where it must, that it does not is a failure.
fn can_mount(test: &str) -> bool {
    let can = geteuid().is_root()
        && Command::new("unshare")
            .args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
            .status()
            .unwrap()
            .success();
    if !can {
        assert!(std::env::var_os("CI").is_none(), "SKIP: {test}: it needs root, to mount");
        say(&format!("SKIP: {test}: it needs root, to mount"));
    }
    can
}

#[test]
fn a_disk_that_is_full_in_the_midst_of_jobs_loses_no_result() {
    if !can_mount("a full disk") {
        return;
    }
    let island = Island::new(|_| r#"mount -t tmpfs -o size=256k,mode=700 none "$2""#.into());
    let gate = File::create(island.outside.path().join("gate")).unwrap();
    gate.lock().unwrap();
    // Together their ends need more than what is left in the journal's last page.
    let running: Vec<_> = (0..14).map(|number| island.job(number, 0)).collect();
    island.server.wait("their starts", |world| running.iter().all(|id| world.started.contains(id)).then_some(()));
    let filler = island.fill();
    gate.unlock().unwrap();
    island.wait_for_log("waits for the journal: cannot append");
    let late = island.job(99, 8_000);
    island.wait_for_log("Cannot write a job to the journal, so it is not accepted");
    island.assert_calls_at_its_pace();
    fs::remove_file(filler).unwrap();
    for (number, id) in running.into_iter().enumerate().chain([(99, late)]) {
        island.assert_ran_once(number, id);
    }
    island.server.assert_host_works();
}

#[test]
fn a_disk_that_becomes_read_only_stops_no_calls_and_loses_no_result() {
    if !can_mount("a read-only disk") {
        return;
    }
    let mut island = Island::new(|outside| {
        let image = outside.path().join("image");
        File::create(&image).unwrap().set_len(8 << 20).unwrap();
        assert!(Command::new("mkfs.ext4").arg("-q").arg(&image).status().unwrap().success());
        format!(r#"e2fsck -p {0} >&2; mount -o loop,errors=remount-ro {0} "$2""#, image.display())
    });
    let gate = File::create(island.outside.path().join("gate")).unwrap();
    gate.lock().unwrap();
    let running = island.job(0, 0);
    island.server.wait("its start", |world| world.started.contains(&running).then_some(()));
    island.damage();
    gate.unlock().unwrap();
    island.wait_for_log("waits for the journal");
    let late = island.job(1, 0);
    island.wait_for_log("Cannot write a job to the journal, so it is not accepted");
    island.assert_calls_at_its_pace();
    assert!(!island.server.with(|world| world.accepted.contains(&late)));
    island.restart();
    // That it has ended could not be put down, so how far it came is not known.
    let result = island.server.result(running);
    assert_eq!((result.outcome, lines(&island.mark(0))), (Outcome::Interrupted, 1));
    island.assert_ran_once(1, late);
}
