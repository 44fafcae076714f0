//! Subprocess execution: without a shell, with a time limit and bounded output, and with everything that a program has started
//! ended with it. Every runner starts its programs here.
//!
//! A program's stdout and stderr are one pipe, so that what it prints is read in the order in which it was printed. Output is
//! passed on as it comes, up to the limit; what is over it is counted and dropped. A program that must stop is asked to, with
//! everything that it has started; what has not ended within its grace is killed. On Linux a `shim` keeps all of that together.

mod environment;
mod failures;
mod pipes;
mod process;
#[cfg(target_os = "linux")]
pub mod shim;
#[cfg(target_os = "linux")]
mod shimmed;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{BoxFuture, pending};
use muster_schemas::ids::JobId;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::{
    pipes::Printed,
    process::{Exit, Process, cut_off},
};
use crate::sys::{
    disks::Sizes,
    groups::{Groups, Shim},
    machine,
    processes::{Row, children_of, kill_tree},
    reaper::reap,
};

/// How long output is awaited after the program's own end, when something it started still holds it open.
const LINGER: Duration = Duration::from_secs(2);
/// How long whoever came to the agent without its shim may be somebody who is being started just now.
const STRAY_PAUSE: Duration = Duration::from_millis(300);
/// So often those are looked for that come to the agent when what came before them is killed.
const STRAY_ROUNDS: u32 = 10;
const BUFFER_BYTES: usize = 16 * 1024;

/// A program to run, and what bounds it.
#[derive(Debug, Clone)]
pub struct Program {
    /// The job that it is run for.
    pub job: JobId,
    /// Its file.
    pub path: PathBuf,
    /// Its arguments, as they are.
    pub arguments: Vec<OsString>,
    /// Its environment beside what the account gives it (see `environment`), over which this goes.
    pub environment: BTreeMap<OsString, OsString>,
    /// Where it runs. Absent: where the agent does.
    pub directory: Option<PathBuf>,
    /// The name of the account that it runs under. Absent: the agent's.
    pub account: Option<String>,
    /// How long it may run.
    pub time_limit: Duration,
    /// How long it has to end when it is asked to, with everything that it has started.
    pub stop_grace: Duration,
    /// How much of its output is passed on, in bytes.
    pub output_limit_bytes: u64,
}

/// Takes what a program prints, and never waits.
pub type Output<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// How a program went.
#[derive(Debug)]
pub struct Ran {
    /// The cause of its end.
    pub end: End,
    /// Its exit code. Absent: a signal ended it, or it was not started.
    pub exit_code: Option<i32>,
    /// The signal that ended it. Absent: none did, or the platform does not tell.
    pub signal: Option<i32>,
    /// How much it printed, in bytes, with what was dropped.
    pub output_bytes: u64,
    /// Whether output over the limit was dropped.
    pub output_truncated: bool,
}

/// The cause of a program's end.
#[derive(Debug)]
pub enum End {
    /// It could not be started; why, in words.
    NotStarted(String),
    /// Itself, or somebody else on the machine.
    Itself,
    /// Its caller, by the token.
    Stopped,
    /// Its time limit.
    TimeLimit,
}

/// The machine, which runs programs; a simulation has another one in its place.
pub trait Machine: fmt::Debug + Send + Sync {
    /// Runs a program to its end, which comes soon after `stop` is cancelled. Nothing that it started outlives the future.
    fn run<'a>(&'a self, program: &'a Program, stop: &'a CancellationToken, output: Output<'a>) -> BoxFuture<'a, Ran>;

    /// Kills every program that runs.
    fn kill_all(&self);

    /// How large the file systems are that are mounted on these directories. One that does not answer is left out.
    fn disk_sizes(&self, mounts: Vec<String>) -> BoxFuture<'_, Sizes>;

    /// Drawn by the kernel at each boot. Empty when the platform has none.
    fn boot_id(&self) -> String;

    /// What asks the machine to restart: a program and its arguments. `None`: none is known here.
    fn restarter(&self) -> Option<(PathBuf, Vec<OsString>)>;
}

impl Machine for Groups {
    fn run<'a>(&'a self, program: &'a Program, stop: &'a CancellationToken, output: Output<'a>) -> BoxFuture<'a, Ran> {
        Box::pin(run(self, program, stop, output))
    }

    fn kill_all(&self) {
        self.kill_all();
    }

    fn disk_sizes(&self, mounts: Vec<String>) -> BoxFuture<'_, Sizes> {
        Box::pin(self.disks.sizes(mounts))
    }

    fn boot_id(&self) -> String {
        machine::boot_id()
    }

    fn restarter(&self) -> Option<(PathBuf, Vec<OsString>)> {
        machine::restarter()
    }
}

/// Runs a program and reads what it prints, up to its limit.
pub async fn read(machine: &dyn Machine, program: &Program, stop: &CancellationToken) -> (Ran, String) {
    let printed = Mutex::new(String::new());
    let output = |text: &str| printed.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    let ran = machine.run(program, stop, &output).await;
    (ran, printed.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn run(groups: &Groups, program: &Program, stop: &CancellationToken, output: Output<'_>) -> Ran {
    let mut printing = Printing { output, total: 0, limit: program.output_limit_bytes };
    if stop.is_cancelled() {
        return printing.ran(End::Stopped, Exit::default());
    }
    let until = Instant::now() + program.time_limit;
    let (mut process, printed) = match start(groups.shim.clone(), program, until, stop).await {
        Ok(started) => started,
        Err(end) => return printing.ran(end, Exit::default()),
    };
    let (leader, control) = process.leader();
    let entered = groups.enter(leader, program.job.to_string(), control);
    let (end, exit) = live(&mut process, program, until, stop, printing.read(printed)).await;
    drop(entered);
    if groups.is_over() && matches!(end, End::Itself) {
        // The agent is gone in a moment, and the one after it tells that this was cut off.
        return pending().await;
    }
    if process.lost_its_shim() {
        kill_strays(groups).await;
    }
    printing.ran(end, exit)
}

/// Starts a program beside everything else: what it is started from may not answer.
async fn start(
    shim: Option<Arc<Shim>>,
    program: &Program,
    until: Instant,
    stop: &CancellationToken,
) -> Result<(Process, Printed), End> {
    let program = program.clone();
    let mut starting = spawn_blocking(move || Process::start(shim.as_deref(), &program));
    tokio::select! {
        biased;
        started = &mut starting => match started {
            Ok(started) => started.map_err(End::NotStarted),
            Err(failed) => Err(End::NotStarted(format!("cannot start anything: {failed}"))),
        },
        end = cut_off(until, stop) => {
            // Whatever comes of it in the end is ended at once.
            tokio::spawn(async { drop(starting.await) });
            Err(end)
        }
    }
}

/// Lives a program through to its end, and reads what it prints.
async fn live(
    process: &mut Process,
    program: &Program,
    until: Instant,
    stop: &CancellationToken,
    reading: impl Future<Output = ()>,
) -> (End, Exit) {
    tokio::pin!(reading);
    let mut open = true;
    let end = {
        let living = process.live(program, until, stop);
        tokio::pin!(living);
        loop {
            tokio::select! {
                end = &mut living => break end,
                // A program may close its output and go on.
                () = &mut reading, if open => open = false,
            }
        }
    };
    if open {
        open = timeout(LINGER, &mut reading).await.is_err();
    }
    // What it has started ends with it, whether it holds the output open or not.
    let exit = process.end(program).await;
    if open {
        let _ = timeout(LINGER, &mut reading).await;
    }
    (end, exit)
}

/// Kills what came to this process because a job has killed its shim, and waits for it: every other child is a shim, and known.
async fn kill_strays(groups: &Groups) {
    let mut before = children_of(std::process::id());
    for _ in 0..STRAY_ROUNDS {
        // Whoever is being started just now is known soon.
        sleep(STRAY_PAUSE).await;
        let children = children_of(std::process::id());
        let was_there = |child: &Row| before.iter().any(|known| known.is_same(child)) && !groups.knows(child.pid);
        let strays: Vec<_> = children.iter().filter(|child| was_there(child)).collect();
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            if stray.is_zombie { reap(stray.pid) } else { kill_tree(stray) }
        }
        before = children;
    }
}

/// The program's output on its way out.
struct Printing<'a> {
    output: Output<'a>,
    total: u64,
    limit: u64,
}

impl Printing<'_> {
    fn ran(&self, end: End, exit: Exit) -> Ran {
        Ran {
            end,
            exit_code: exit.code,
            signal: exit.signal,
            output_bytes: self.total,
            output_truncated: self.total > self.limit,
        }
    }

    /// Passes on what is printed until nobody can print any more.
    async fn read(&mut self, mut printed: impl AsyncRead + Unpin) {
        let (mut decoder, mut buffer) = (Decoder::default(), vec![0; BUFFER_BYTES]);
        loop {
            let count = printed.read(&mut buffer).await.unwrap_or(0);
            self.pass(&mut decoder, &buffer[..count]);
            if count == 0 {
                return;
            }
        }
    }

    fn pass(&mut self, decoder: &mut Decoder, bytes: &[u8]) {
        let room = usize::try_from(self.limit.saturating_sub(self.total)).unwrap_or(usize::MAX);
        self.total += bytes.len() as u64;
        let text = match bytes {
            [] => decoder.end(),
            _ if room == 0 => return,
            _ => decoder.decode(&bytes[..bytes.len().min(room)]),
        };
        if !text.is_empty() {
            (self.output)(&text);
        }
    }
}

/// Bytes to text, a character cut in two by a read put together again.
#[derive(Debug, Default)]
struct Decoder {
    cut: Vec<u8>,
}

impl Decoder {
    fn decode(&mut self, bytes: &[u8]) -> String {
        self.cut.extend_from_slice(bytes);
        let whole = last_whole(&self.cut);
        let rest = self.cut.split_off(whole);
        let text = String::from_utf8_lossy(&self.cut).into_owned();
        self.cut = rest;
        text
    }

    fn end(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.cut).into_owned();
        self.cut.clear();
        text
    }
}

/// Where the last character that may still be completed begins; the end when there is none.
fn last_whole(bytes: &[u8]) -> usize {
    let start = bytes.len().saturating_sub(3);
    let begins = |position: &usize| {
        let tail = &bytes[*position..];
        std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (start..bytes.len()).find(begins).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests;
