//! Programs below the real agent's shim: whatever they start ends with them, and nothing else does.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use muster_agent::{
    programs::{End, Machine, Program, Ran},
    sys::{
        cgroups::Cgroup,
        groups::{Groups, Shim},
        processes::children_of,
    },
};
use muster_schemas::{ids::JobId, jobs::Outcome};
use tempfile::TempDir;
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::world::{
    host::{AGENT, Host, bounded},
    server::Server,
};

const LONG: Duration = Duration::from_secs(30);

/// Ways to get away from whoever has started one. Each keeps the lock that the job has taken, and never ends by itself.
const ESCAPES: [(&str, &str); 6] = [
    ("in the background", "sleep 1000 >/dev/null 2>&1 &"),
    ("in a session of its own", "setsid sleep 1000 >/dev/null 2>&1 &"),
    ("as a daemon", "(setsid sh -c 'sleep 1000 & exit' >/dev/null 2>&1 </dev/null &)"),
    ("below a tool with a group of its own", "timeout 1000 sleep 1000 &"),
    ("without its environment", "env -i /usr/bin/setsid /bin/sleep 1000 &"),
    ("deaf", "(trap '' TERM HUP INT; setsid sh -c 'sleep 1000; sleep 1000' &)"),
];

/// What runs programs, with a lock that a program takes and that is free when all of it has ended.
struct Bench {
    directory: TempDir,
    groups: Groups,
    said: Mutex<String>,
    more: Notify,
}

impl Bench {
    /// With and without a control group for each job; the machine may allow none.
    fn each() -> Vec<Self> {
        let mark = format!("test:{}", std::process::id());
        [None, Cgroup::own(&mark)].map(|cgroup| Self::with(cgroup, &mark)).into()
    }

    fn with(cgroup: Option<Cgroup>, mark: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        File::create(directory.path().join("lock")).unwrap();
        let shim = Shim { binary: AGENT.clone(), cgroup };
        let groups = Groups::take_over(directory.path().join("groups.json"), mark.into(), Some(shim));
        Self { directory, groups, said: Mutex::default(), more: Notify::new() }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A shell that holds the lock.
    fn program(&self, script: &str) -> Program {
        let script = format!("exec 3<{}; flock 3; {script}", self.path("lock"));
        Program {
            job: JobId::new(jiff::Timestamp::now(), u128::from(std::process::id())),
            path: "/bin/sh".into(),
            arguments: ["-c".into(), script.into()].into(),
            environment: BTreeMap::new(),
            directory: Some("/".into()),
            account: None,
            time_limit: LONG,
            stop_grace: Duration::from_millis(200),
            output_limit_bytes: 1024 * 1024,
        }
    }

    /// Runs a program, and stops it once it has said something if it shall be.
    async fn play(&self, program: &Program, is_stopped: bool) -> Ran {
        let stop = CancellationToken::new();
        let output = |text: &str| {
            self.said.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
            self.more.notify_one();
        };
        let running = self.groups.run(program, &stop, &output);
        let stopping = async {
            if is_stopped {
                self.more.notified().await;
                stop.cancel();
            }
        };
        timeout(LONG, async { tokio::join!(running, stopping).0 }).await.expect("it ends")
    }

    /// Waits until nobody holds the lock any more: the kernel lets go of it when the last holder is dead.
    fn assert_all_ended(&self, how: &str) {
        let file = File::open(self.path("lock")).unwrap();
        bounded(how, move || file.lock().unwrap());
    }
}

#[tokio::test]
async fn nothing_that_a_program_has_started_outlives_it_however_it_gets_away_and_however_the_program_ends() {
    for bench in Bench::each() {
        for (how, escape) in ESCAPES {
            let ran = bench.play(&bench.program(&format!("{escape}\n echo up; exit 3")), false).await;
            assert_eq!((matches!(ran.end, End::Itself), ran.exit_code), (true, Some(3)), "{how}: {ran:?}");
            bench.assert_all_ended(how);
            let ran = bench.play(&bench.program(&format!("{escape}\n echo up; sleep 1000")), true).await;
            assert!(matches!(ran.end, End::Stopped), "{how}: {ran:?}");
            bench.assert_all_ended(how);
            let late =
                Program { time_limit: Duration::from_millis(300), ..bench.program(&format!("{escape}\n sleep 1000")) };
            let ran = bench.play(&late, false).await;
            assert!(matches!(ran.end, End::TimeLimit), "{how}: {ran:?}");
            bench.assert_all_ended(how);
        }
    }
}

#[test]
fn a_program_that_kills_its_shim_takes_nothing_out_of_reach() {
    // In the agent's own process: whatever comes to it without a shim is nobody else's.
    let server = Server::start();
    let host = Host::running(&server);
    let lock = host.path("lock");
    File::create(&lock).unwrap();
    for (how, escape) in ESCAPES {
        let script = format!("exec 3<{}; flock 3; {escape}\n kill -9 $PPID; sleep 1000", lock.display());
        let result = server.result(server.run(&script));
        let code = result.error.as_ref().map(|error| error.code.as_str());
        assert_eq!((result.outcome, code), (Outcome::Failed, Some("signal")), "{how}");
        let file = File::open(&lock).unwrap();
        bounded(how, move || file.lock().unwrap());
    }
    server.assert_host_works();
}

#[tokio::test]
async fn what_a_stopped_shell_has_called_has_its_grace_although_the_shell_ends_at_once() {
    for bench in Bench::each() {
        let script = "(trap 'sleep 1; echo cleaned; exit' TERM; echo up; while :; do sleep 0.05; done) & wait";
        let ran = bench.play(&Program { stop_grace: LONG, ..bench.program(script) }, true).await;
        assert!(matches!(ran.end, End::Stopped), "{ran:?}");
        // The shell says as well that what it has called was asked to end.
        assert!(bench.said().ends_with("cleaned\n"), "{}", bench.said());
    }
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_any_more_ends_with_everything_it_has_started() {
    for bench in Bench::each() {
        for (how, escape) in ESCAPES {
            let (program, stop) = (bench.program(&format!("{escape}\n echo up; sleep 1000")), CancellationToken::new());
            let output = |_: &str| bench.more.notify_one();
            tokio::select! {
                ran = bench.groups.run(&program, &stop, &output) => panic!("{ran:?}"),
                () = bench.more.notified() => {}
            }
            bench.assert_all_ended(how);
        }
    }
}

#[tokio::test]
async fn a_program_has_its_own_order_of_output_its_exit_and_what_its_account_has() {
    for bench in Bench::each() {
        let script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; echo $LANG $HOME; test -n \"$MUSTER_JOB_ID\" && kill -15 $$";
        let program = Program { environment: [("HOME".into(), "/srv".into())].into(), ..bench.program(script) };
        let ran = bench.play(&program, false).await;
        assert_eq!((matches!(ran.end, End::Itself), ran.exit_code, ran.signal), (true, None, Some(15)), "{ran:?}");
        assert_eq!(bench.said(), "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nC.UTF-8 /srv\n");
    }
}

#[tokio::test]
async fn what_is_missing_at_a_start_is_named_and_nothing_else() {
    for bench in Bench::each() {
        let at = |directory: &str, path: &str| Program {
            path: path.into(),
            directory: Some(directory.into()),
            ..bench.program("")
        };
        for (program, told) in [
            (at("/no/where", "/bin/true"), "cannot enter the working directory /no/where: No such file"),
            (at("/etc/passwd", "/bin/true"), "cannot enter the working directory /etc/passwd: Not a directory"),
            (at("/", "/no/such/program"), "cannot start /no/such/program: No such file"),
            (at("/", "/etc/passwd"), "cannot start /etc/passwd: Permission denied"),
        ] {
            let ran = bench.play(&program, false).await;
            let End::NotStarted(why) = &ran.end else { panic!("{ran:?}") };
            assert!(why.starts_with(told), "{why}");
        }
    }
}

/// A mount that does not answer, in a mount namespace of its own; `None` where this machine cannot make one.
struct HungMount {
    driver: Child,
    path: String,
}

impl HungMount {
    fn make(directory: &Path) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent/world/hung_mount.py");
        let mut command = Command::new("unshare");
        command.arg("--mount").arg("python3").arg(script).arg(directory).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(driver.stdout.take()?).read_line(&mut line).ok()?;
        if line != "mounted\n" {
            let _ = driver.wait();
            eprintln!("SKIP: a mount that does not answer needs root, unshare, python3 and /dev/fuse");
            return None;
        }
        let path = format!("/proc/{}/root{}", driver.id(), directory.display());
        Some(Self { driver, path })
    }
}

impl Drop for HungMount {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[tokio::test]
async fn a_directory_that_does_not_answer_costs_its_own_job_alone_which_ends_at_its_limit() {
    let bench = Bench::with(None, "test");
    let mount = tempfile::tempdir().unwrap();
    let Some(hung) = HungMount::make(mount.path()) else { return };
    let program = bench.program("");
    let hanging =
        Program { directory: Some(hung.path.clone().into()), time_limit: Duration::from_secs(2), ..program.clone() };
    let began = Instant::now();
    let (hung_ran, other) = tokio::join!(bench.play(&hanging, false), async {
        let other = Bench::with(None, "test");
        let ran = other.play(&other.program("echo up"), false).await;
        (ran, began.elapsed())
    });
    assert!(matches!(hung_ran.end, End::TimeLimit), "{hung_ran:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(matches!(other.0.end, End::Itself) && other.1 < Duration::from_secs(2), "{other:?}");
    drop(hung);
    bounded("the end of the shim", || while children_of(std::process::id()).iter().any(|child| !child.is_zombie) {});
}

#[tokio::test]
async fn a_program_under_another_account_has_its_rights_and_groups_and_nothing_of_the_agents() {
    let script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; cat /etc/shadow; touch /muster-test; grep CapEff /proc/self/status; \
                  kill -9 $PPID; echo end";
    for bench in Bench::each() {
        let program = Program {
            account: Some("nobody".into()),
            arguments: ["-c", script].map(Into::into).into(),
            ..bench.program("")
        };
        let ran = bench.play(&program, false).await;
        if let End::NotStarted(why) = &ran.end {
            assert!(why.contains("cannot run as nobody: Operation not permitted"), "{why}");
            eprintln!("SKIP: only root can run a program under another account");
            return;
        }
        let said = bench.said();
        let lines: Vec<_> = said.lines().collect();
        let nobody = muster_agent::sys::accounts::named("nobody").unwrap();
        let groups = nobody.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(lines[..3], [nobody.uid.to_string(), nobody.gid.to_string(), groups], "{said}");
        assert_eq!(lines[3], format!("{} nobody nobody", nobody.home));
        assert!(said.contains("CapEff:\t0000000000000000\n"), "{said}");
        assert_eq!(said.matches("Permission denied").count(), 2, "{said}");
        assert!(said.contains("ermitted") && said.ends_with("end\n"), "it cannot end its shim: {said}");
        let unknown = Program { account: Some("no-such-account".into()), ..program };
        let ran = bench.play(&unknown, false).await;
        assert!(matches!(&ran.end, End::NotStarted(why) if why.contains("\"no-such-account\"")), "{ran:?}");
    }
}
