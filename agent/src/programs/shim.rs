//! Shim: the process between the agent and a program, which keeps together everything that a job starts.
//!
//! ```text
//! worker ══ socket ══▶ shim ──starts──▶ program ──▶ whatever it starts, in groups and sessions of its own, or as daemons
//!            order ▶    ▲                                │ orphans
//!            ask   ▶    └────────────────────────────────┘
//!          (closed) ▶ kills everything, waits for it, and ends
//!                     ◀ started | not started | ended
//! ```
//!
//! It is the program's parent and its subreaper: what a job starts has the shim above it, whatever it does to get away, and
//! nothing else has. Where it may, it puts the program into a control group of its own as well. It ends as soon as the worker
//! is gone, however that died, and takes everything along. What can hang (a directory on a mount that does not answer) hangs
//! here, and not in the worker.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Write},
    os::{
        fd::AsFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::sys::{
    accounts::Account,
    cgroups,
    processes::{Ending, end_below},
    reaper::{self, Ended},
};

/// What the worker says to ask everything to end; more than this it does not say after the order.
pub const ASK: &str = "ask\n";
/// The pause before what was not there yet, or could not be ended, is killed again: doubled up to the longest.
const KILL_AGAIN: Duration = Duration::from_millis(5);
const KILL_AGAIN_AT_MOST: Duration = Duration::from_millis(200);

/// What to start. Names and values are bytes: they need not be text.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The program's file.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it runs. Absent: where the agent does.
    pub directory: Option<PathBuf>,
    /// The control group to make for it.
    pub cgroup: Option<PathBuf>,
    /// The account that it runs under. Absent: the agent's.
    pub account: Option<Account>,
}

/// What a shim says, one to a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The program runs.
    Started,
    /// It does not, and why.
    NotStarted(String),
    /// It has ended; what it has started may go on.
    Ended {
        /// Its exit code, unless a signal ended it.
        exit_code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
}

/// How far the start has come, so that nothing is started once everything is killed.
static STAGE: AtomicU8 = AtomicU8::new(BEFORE);
const BEFORE: u8 = 0;
const STARTING: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Is the shim of one program: what the worker starts this binary for.
pub fn serve() -> ExitCode {
    match begin() {
        Ok(mut control) => {
            // There is nobody else to tell that the worker is gone.
            let _ = run(&mut control);
            ExitCode::SUCCESS
        }
        Err(failed) => {
            let _ = writeln!(io::stderr(), "muster-agent: a shim is started by the agent alone: {failed}");
            ExitCode::FAILURE
        }
    }
}

/// The socket to the worker, which is this process's stdin.
fn begin() -> io::Result<UnixStream> {
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    control.peer_addr()?;
    Ok(control)
}

fn run(control: &mut UnixStream) -> io::Result<()> {
    let mut words = BufReader::new(control.try_clone()?);
    let mut line = String::new();
    words.read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)?;
    reaper::adopt_orphans();
    let cgroup = order.cgroup.clone();
    thread::spawn({
        let cgroup = cgroup.clone();
        move || obey(words, cgroup)
    });
    match start(order) {
        Err(why) => drop(say(control, &Word::NotStarted(why))),
        Ok(program) => {
            // Nothing may keep it from waiting: a worker that is gone has everything killed.
            let _ = reaper::close_output();
            let _ = say(control, &Word::Started);
            wait(control, program);
        }
    }
    if let Some(cgroup) = cgroup {
        cgroups::remove(&cgroup);
    }
    Ok(())
}

fn say(control: &mut UnixStream, word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    control.write_all(&line)
}

/// Waits for everything that was started, and tells of the program itself.
fn wait(control: &mut UnixStream, program: u32) {
    while let Some(Ended { pid, exit_code, signal }) = reaper::wait_for_any() {
        if pid == program {
            let _ = say(control, &Word::Ended { exit_code, signal });
        }
    }
}

/// Starts the program, and gives its pid.
fn start(mut order: Order) -> Result<u32, String> {
    let entered = order.cgroup.take().filter(|group| cgroups::enter(group).is_ok());
    // A thread of its own gives up what this process may do: whoever runs under the account must not be able to end the shim.
    let starting = thread::spawn(move || start_as_account(order));
    let started = starting.join().unwrap_or_else(|_| Err("the shim that starts programs failed".into()));
    // Nothing can hang any more that would have to be given up.
    STAGE.store(STARTING, Ordering::SeqCst);
    if let Some(group) = entered {
        // Where it cannot leave, it ends with the group when that is killed.
        let _ = cgroups::leave(&group);
    }
    started
}

fn start_as_account(order: Order) -> Result<u32, String> {
    let Order { path, arguments, environment, directory, cgroup: _, account } = order;
    if let Some(account) = account {
        account.assume().map_err(|source| format!("cannot run as {}: {source}", account.name))?;
    }
    if let Some(directory) = &directory {
        std::env::set_current_dir(directory).map_err(|source| super::failures::not_entered(directory, &source))?;
    }
    let mut command = Command::new(&path);
    // What is typed at a terminal for the agent must not reach it.
    command.args(arguments).env_clear().envs(environment).stdin(Stdio::null()).process_group(0);
    if STAGE.compare_exchange(BEFORE, STARTING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        return Err("it was stopped before its start".into());
    }
    command.spawn().map(|child| child.id()).map_err(|source| super::failures::not_started(&path, &source))
}

/// Follows the worker's words, and kills everything once there can be none any more.
fn obey(words: impl BufRead, cgroup: Option<PathBuf>) {
    let own = std::process::id();
    for word in words.lines().map_while(Result::ok) {
        if word == ASK.trim_end() {
            end_below(own, Ending::Ask);
        }
    }
    if STAGE.compare_exchange(BEFORE, GIVEN_UP, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
        // It may wait for a directory that does not answer.
        std::process::exit(1);
    }
    let mut pause = KILL_AGAIN;
    loop {
        if let Some(cgroup) = &cgroup {
            cgroups::kill(cgroup);
        }
        end_below(own, Ending::Kill);
        thread::sleep(pause);
        pause = (pause * 2).min(KILL_AGAIN_AT_MOST);
    }
}
