//! `run`: a program with its arguments, without a shell, in a process group of its own.
//!
//! Output is passed on as it comes, up to the limit; what is over it is counted and dropped. A program that shall stop is asked,
//! and killed with everything it started if it has not ended in five seconds.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use muster_schemas::jobs::{JobResult, Outcome, RunSpec};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{
    Task,
    results::{ended, ended_with, error},
};
use crate::sys::processes::{Ending, Groups, end_group, in_own_group, signal_of};

/// How long a program has to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is awaited after the program's own end, when something it started still holds it open.
const LINGER: Duration = Duration::from_secs(2);
const DEFAULT_OUTPUT_BYTES: u64 = 1024 * 1024;
const MAX_OUTPUT_BYTES: u64 = 16 * 1024 * 1024;
const BUFFER_BYTES: usize = 16 * 1024;
const MAX_ARGUMENTS: usize = 256;

/// Whether the spec keeps the rules, or which it breaks. The server checks the same; it is not believed.
pub fn check(spec: &RunSpec) -> Result<(), String> {
    let RunSpec { argv, environment, working_directory, output_limit_bytes } = spec;
    let has_nul = |text: &String| text.contains('\0');
    let is_name = |name: &&String| !name.is_empty() && !name.contains(['=', '\0']);
    let program = argv.first().map_or("", String::as_str);
    let rules = [
        ((1..=MAX_ARGUMENTS).contains(&argv.len()), "spec.argv must have 1 to 256 texts"),
        (is_plain_path(program), "spec.argv[0] must be an absolute path without . and .."),
        (!argv.iter().any(has_nul), "spec.argv must not contain NUL"),
        (environment.len() <= MAX_ARGUMENTS, "spec.environment must have at most 256 variables"),
        (environment.keys().all(|name| is_name(&name)), "spec.environment has a name that is none"),
        (!environment.contains_key("PATH"), "spec.environment must not set PATH"),
        (!environment.values().any(has_nul), "spec.environment must not contain NUL"),
        (working_directory.as_deref().is_none_or(is_plain_path), "spec.working_directory must be an absolute path"),
        (output_limit_bytes.unwrap_or(0) <= MAX_OUTPUT_BYTES, "spec.output_limit_bytes must be at most 16777216"),
    ];
    rules.iter().find(|(kept, _)| !kept).map_or(Ok(()), |(_, rule)| Err((*rule).into()))
}

/// Runs the program to its end.
pub async fn run(groups: &Groups, spec: &RunSpec, task: &Task) -> JobResult {
    if task.stop.is_cancelled() {
        return ended(Outcome::Cancelled);
    }
    let mut child = match command(spec).spawn() {
        Ok(child) => child,
        Err(source) => {
            let message = format!("cannot start {:?}: {source}", spec.argv.first());
            return ended_with(Outcome::Failed, "spawn", message);
        }
    };
    let leader = child.id().unwrap_or_default();
    let _entered = groups.enter(leader);
    let mut output = Output::new(spec.output_limit_bytes.unwrap_or(DEFAULT_OUTPUT_BYTES), task);
    let (end, status) = {
        let reading = output.read(child.stdout.take(), child.stderr.take());
        tokio::pin!(reading);
        let waiting = wait(&mut child, leader, task);
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
    // What it left behind with its output closed ends with it as well.
    end_group(leader, Ending::Kill);
    JobResult { output_bytes: output.total, output_truncated: output.total > output.limit, ..result(end, status, task) }
}

/// What made the program end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Itself,
    Stopped,
    TimeLimit,
}

async fn wait(child: &mut Child, leader: u32, task: &Task) -> (End, Option<ExitStatus>) {
    let end = tokio::select! {
        biased;
        status = child.wait() => return (End::Itself, status.ok()),
        () = task.stop.cancelled() => End::Stopped,
        () = sleep(task.time_limit) => End::TimeLimit,
    };
    end_group(leader, Ending::Ask);
    let _ = timeout(GRACE, child.wait()).await;
    // The program, or what it left behind.
    end_group(leader, Ending::Kill);
    (end, child.wait().await.ok())
}

fn result(end: End, status: Option<ExitStatus>, task: &Task) -> JobResult {
    let exit_code = status.and_then(|status| status.code());
    let failed = |code, message: String| JobResult { error: Some(error(code, message)), ..ended(Outcome::Failed) };
    let result = match (end, exit_code) {
        (End::Stopped, _) => ended(Outcome::Cancelled),
        (End::TimeLimit, _) => {
            failed("time_limit", format!("stopped after its time limit of {} s", task.time_limit.as_secs()))
        }
        (End::Itself, Some(0)) => ended(Outcome::Succeeded),
        (End::Itself, Some(code)) => failed("exit_code", format!("ended with exit code {code}")),
        (End::Itself, None) => failed("signal", format!("ended by signal {}", status.and_then(signal_of).unwrap_or(0))),
    };
    JobResult { exit_code, ..result }
}

fn command(spec: &RunSpec) -> Command {
    let mut command = Command::new(&spec.argv[0]);
    command
        .args(&spec.argv[1..])
        .env_clear()
        .envs(&spec.environment)
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
        .current_dir(spec.working_directory.as_deref().unwrap_or("/"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    in_own_group(&mut command);
    command
}

fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|part| part == "." || part == "..")
}

/// The program's output on its way out.
struct Output<'a> {
    task: &'a Task,
    total: u64,
    limit: u64,
}

impl<'a> Output<'a> {
    fn new(limit: u64, task: &'a Task) -> Self {
        Self { task, total: 0, limit }
    }

    /// Passes both streams on until both are closed.
    async fn read<O: AsyncRead + Unpin, E: AsyncRead + Unpin>(&mut self, mut stdout: Option<O>, mut stderr: Option<E>) {
        let (mut out_decoder, mut error_decoder) = (Decoder::default(), Decoder::default());
        let (mut out_buffer, mut error_buffer) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
        while stdout.is_some() || stderr.is_some() {
            tokio::select! {
                count = read(&mut stdout, &mut out_buffer) => self.pass(&mut out_decoder, &out_buffer[..count]),
                count = read(&mut stderr, &mut error_buffer) => self.pass(&mut error_decoder, &error_buffer[..count]),
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
            (self.task.output)(&text);
        }
    }
}

/// Reads some bytes; 0 at the end, and then the stream is gone. A stream that is gone never yields.
async fn read<R: AsyncRead + Unpin>(stream: &mut Option<R>, buffer: &mut [u8]) -> usize {
    let Some(open) = stream else { return std::future::pending().await };
    let count = open.read(buffer).await.unwrap_or(0);
    if count == 0 {
        *stream = None;
    }
    count
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
