//! The program itself, with a behaviour at its end.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use muster_broken_agent::{Behaviour, Mode};

/// While one test forks, another's half-written program would be open in the child, and could not be started.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bad release as a file that can be started; removed when dropped.
struct Release {
    path: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Release {
    fn new(mode: Mode) -> Self {
        let alone = alone();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_muster-broken-agent"));
        let path = program.with_file_name(format!("muster-broken-agent-{mode:?}-{}", std::process::id()));
        // The copy carries the right to be executed.
        fs::copy(&program, &path).expect("the folder of the program is writable");
        let behaviour = Behaviour { version: "9.9.9".into(), mode };
        fs::write(&path, behaviour.release(&fs::read(&program).expect("it was built"))).expect("the copy is writable");
        Self { path, _alone: alone }
    }

    fn start(&self, command: &str) -> Output {
        let mut program = Command::new(&self.path);
        program.args([command, "--state", "/nowhere"]).stdin(Stdio::null()).output().expect("it can be started")
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

#[test]
fn a_crash_passes_the_self_check_and_dies_with_a_message() {
    let release = Release::new(Mode::Crash);
    assert_eq!(release.start("self-check").stdout, b"{\"version\":\"9.9.9\"}\n");
    let worked = release.start("work");
    assert!(worked.status.code().is_none(), "it aborts");
    assert!(String::from_utf8_lossy(&worked.stderr).contains("panicked"));
}

#[test]
fn a_hang_says_nothing_and_ends_with_stdin() {
    let worked = Release::new(Mode::Hang).start("work");
    assert!(worked.status.success() && worked.stdout.is_empty() && worked.stderr.is_empty());
}

#[test]
fn the_preflight_can_fail_or_lie() {
    assert_eq!(Release::new(Mode::PreflightFails).start("self-check").status.code(), Some(1));
    assert_eq!(Release::new(Mode::WrongVersion).start("self-check").stdout, b"{\"version\":\"0.0.0-wrong\"}\n");
}

#[test]
fn without_a_behaviour_it_does_nothing() {
    let _alone = alone();
    let output =
        Command::new(env!("CARGO_BIN_EXE_muster-broken-agent")).arg("work").output().expect("it can be started");
    assert_eq!(output.status.code(), Some(1));
}
