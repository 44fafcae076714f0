//! Subprocess execution: without a shell, in a process group of its own, with a time limit and bounded output, and with all
//! its descendants killed at the end. Every runner starts its programs here.
//!
//! Output is passed on as it comes, up to the limit; what is over it is counted and dropped. A program that must stop is asked,
//! and killed with everything it started if it has not ended in five seconds.

mod environment;
mod pipes;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use muster_schemas::ids::JobId;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::pipes::{print_to, receiver};
use crate::sys::{
    machine,
    processes::{Ending, Groups, end_group, in_own_group, signal_of},
};

/// How long a program has to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is awaited after the program's own end, when something it started still holds it open.
const LINGER: Duration = Duration::from_secs(2);
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
    /// How long it may run.
    pub time_limit: Duration,
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
        return printing.ran(End::Stopped, None);
    }
    let (mut child, printed) = match start(program) {
        Ok(started) => started,
        Err(failed) => return printing.ran(End::NotStarted(failed), None),
    };
    let leader = child.id().unwrap_or_default();
    // Whatever it left behind ends with it, also when nobody waits for this any more.
    let _entered = groups.enter(leader);
    let (end, status) = {
        let reading = printing.read(printed);
        tokio::pin!(reading);
        let waiting = wait(&mut child, leader, program.time_limit, stop);
        tokio::pin!(waiting);
        let mut open = true;
        let ended = loop {
            tokio::select! {
                ended = &mut waiting => break ended,
                // A program may close its output and go on.
                () = &mut reading, if open => open = false,
            }
        };
        if open && timeout(LINGER, &mut reading).await.is_err() {
            // Something it started still holds the output: a job's processes end with it.
            end_group(leader, Ending::Kill);
            let _ = timeout(LINGER, &mut reading).await;
        }
        ended
    };
    printing.ran(end, status)
}

async fn wait(
    child: &mut Child,
    leader: u32,
    time_limit: Duration,
    stop: &CancellationToken,
) -> (End, Option<ExitStatus>) {
    let end = tokio::select! {
        biased;
        status = child.wait() => return (End::Itself, status.ok()),
        () = stop.cancelled() => End::Stopped,
        () = sleep(time_limit) => End::TimeLimit,
    };
    end_group(leader, Ending::Ask);
    let _ = timeout(GRACE, child.wait()).await;
    // The program, or what it left behind.
    end_group(leader, Ending::Kill);
    (end, child.wait().await.ok())
}

/// Starts a program, and gives the end that its output comes out of.
fn start(program: &Program) -> Result<(Child, impl AsyncRead + Unpin + use<>), String> {
    let Program { path, arguments, environment, directory, .. } = program;
    let no_pipe = |source: io::Error| format!("cannot make a pipe for the output of {}: {source}", path.display());
    let (reader, writer) = io::pipe().map_err(no_pipe)?;
    let mut command = Command::new(path);
    command.args(arguments).env_clear().envs(environment::of_account(environment)).kill_on_drop(true);
    print_to(&mut command, writer).map_err(no_pipe)?;
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    in_own_group(&mut command);
    let printed = receiver(reader).map_err(no_pipe)?;
    let child = command.spawn().map_err(|source| why_not_started(path, directory.as_deref(), &source))?;
    Ok((child, printed))
}

/// Why a program could not be started. The error of the start itself does not tell of what it is.
fn why_not_started(path: &Path, directory: Option<&Path>, source: &io::Error) -> String {
    if let Some(directory) = directory
        && let Err(of_directory) = environment::check_directory(directory)
    {
        return format!("cannot enter the working directory {}: {of_directory}", directory.display());
    }
    let path_shown = path.display();
    if source.kind() == io::ErrorKind::NotFound && environment::is_file(path) {
        // The kernel blames the program for the interpreter or loader that it names.
        return format!("cannot start {path_shown}: it is there, and the interpreter that it names is not");
    }
    format!("cannot start {path_shown}: {source}")
}

/// The program's output on its way out.
struct Printing<'a> {
    output: Output<'a>,
    total: u64,
    limit: u64,
}

impl Printing<'_> {
    fn ran(&self, end: End, status: Option<ExitStatus>) -> Ran {
        Ran {
            end,
            exit_code: status.and_then(|status| status.code()),
            signal: status.and_then(signal_of),
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
