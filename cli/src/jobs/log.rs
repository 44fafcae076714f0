//! Job logs: printed once or followed as they grow, with a host name before each line if there are several jobs.

use std::{io::Write, time::Duration};

use futures_util::future::join_all;
use muster_schemas::{
    hosts::HostView,
    ids::JobId,
    jobs::{JobView, LOG_COMPLETE_HEADER, LOG_GONE_HEADER, LOG_NEXT_HEADER},
};
use reqwest::{Response, header::HeaderMap};

use super::waiting::Waiting;
use crate::{
    client::Client,
    deadlines::Deadline,
    failures::Failure,
    output::{self, Context},
    tables,
    terminal::{self, Screen},
};

/// How long one long poll waits, in seconds.
const POLL_SECONDS: u64 = 25;
/// How long to wait for the rest of a log after its job has ended.
const LOG_GRACE: Duration = Duration::from_secs(10);

/// How a log is printed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct LogArguments {
    /// Print the log as it is, with all escape sequences, instead of showing all but colors as text
    #[arg(long)]
    raw: bool,
    /// Start each line with the time at which it was printed, by the host's clock
    #[arg(long)]
    timestamps: bool,
}

/// Prints the log so far or, to follow it, until it is complete.
pub async fn print(client: &Client, id: JobId, follow: bool, look: LogArguments) -> Result<(), Failure> {
    let (mut log, mut printer) =
        (LogReader { client, id, timestamps: look.timestamps, next: 0 }, Printer::new(look, None));
    loop {
        let (bytes, complete) = log.read(if follow { POLL_SECONDS } else { 0 }).await?;
        let is_last = complete || (!follow && bytes.is_empty());
        output::bytes(&printer.printed(&bytes, is_last))?;
        if is_last || output::is_closed() {
            return Ok(());
        }
    }
}

/// The jobs whose logs are printed, and how.
pub struct Followed<'a> {
    /// The global options.
    pub context: &'a Context,
    /// The server.
    pub client: &'a Client,
    /// The jobs.
    pub jobs: &'a [JobView],
    /// How their logs are printed.
    pub look: LogArguments,
    /// Until when.
    pub deadline: Deadline,
    /// What is told of the wait meanwhile.
    pub waiting: &'a Waiting,
}

impl Followed<'_> {
    /// Prints the logs of jobs until `ended` is ready and the logs are complete. With several jobs, each line starts with the
    /// name of its host. A log that cannot be printed or read does not end the wait.
    pub async fn while_waiting<T>(&self, ended: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let logs = join_all(self.jobs.iter().map(|job| self.follow(job)));
        tokio::pin!(logs, ended);
        tokio::select! {
            _ = &mut logs => ended.await,
            end = &mut ended => {
                // The last output of a job may arrive after its end, or never.
                self.deadline.cut(tokio::time::timeout(LOG_GRACE, logs)).await;
                end
            }
        }
    }

    async fn follow(&self, job: &JobView) {
        if let Err(failure) = self.print(job).await {
            output::warn(&format!("The log of {} is not printed any further: {failure}", job.id));
        }
    }

    async fn print(&self, job: &JobView) -> Result<(), Failure> {
        let prefix = if self.jobs.len() > 1 { Some(self.prefix(job).await) } else { None };
        let mut log = LogReader { client: self.client, id: job.id, timestamps: self.look.timestamps, next: 0 };
        let mut printer = Printer::new(self.look, prefix);
        loop {
            let (bytes, complete) = log.read(POLL_SECONDS).await?;
            self.write(&printer.printed(&bytes, complete))?;
            if complete || output::is_closed() {
                return Ok(());
            }
        }
    }

    async fn prefix(&self, job: &JobView) -> String {
        let answer = self.client.get(&["hosts", &job.host_id.to_string()], &[]).await;
        let host = answer.and_then(|answer| answer.read::<HostView>());
        let name = host.map_or_else(|_| job.host_id.to_string(), |host| tables::printable(&host.name));
        format!("{name} | ")
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        if !bytes.is_empty() {
            self.waiting.happened();
        }
        if self.context.json {
            // The command goes on if stderr is closed.
            drop(std::io::stderr().write_all(bytes));
            return Ok(());
        }
        output::bytes(bytes)
    }
}

/// A position in the log of a job.
struct LogReader<'a> {
    client: &'a Client,
    id: JobId,
    timestamps: bool,
    next: u64,
}

impl LogReader<'_> {
    /// Says that the log is not kept any more: an empty one would look as if the job had printed nothing.
    fn tells_gone(&self, why: &str) -> Result<(), Failure> {
        let (id, why) = (self.id, tables::printable(why));
        writeln!(std::io::stderr(), "The log of {id} is not kept any more: {why}.").map_err(Failure::Output)
    }

    /// Reads what follows, and whether the log is complete with that.
    async fn read(&mut self, wait: u64) -> Result<(Vec<u8>, bool), Failure> {
        let path = ["jobs", &self.id.to_string(), "log"];
        let timestamps = self.timestamps.then(|| ("timestamps", "true".to_owned()));
        let query = timestamps.into_iter().chain([("after", self.next.to_string())]).collect::<Vec<_>>();
        let response: Response = self.client.poll(&path, &query, wait).await?;
        let header =
            |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok().map(String::from));
        let next = header(response.headers(), LOG_NEXT_HEADER).and_then(|next| next.parse().ok());
        let complete = header(response.headers(), LOG_COMPLETE_HEADER).as_deref() == Some("true");
        if let Some(why) = header(response.headers(), LOG_GONE_HEADER).filter(|_| self.next == 0) {
            self.tells_gone(&why)?;
        }
        let bytes = self.client.bytes(response).await?;
        self.next = next.unwrap_or(self.next + bytes.len() as u64);
        Ok((bytes, complete))
    }
}

/// What is printed of a log that arrives in parts.
struct Printer {
    /// `None`: everything.
    screen: Option<Screen>,
    prefix: Option<String>,
    rest: Vec<u8>,
}

impl Printer {
    fn new(look: LogArguments, prefix: Option<String>) -> Self {
        Self { screen: (!look.raw).then(Screen::new), prefix, rest: Vec::new() }
    }

    fn printed(&mut self, bytes: &[u8], complete: bool) -> Vec<u8> {
        let shown = match &mut self.screen {
            None => bytes.to_vec(),
            Some(screen) => screen.show(&String::from_utf8_lossy(bytes), complete).into_bytes(),
        };
        match &self.prefix {
            None => shown,
            Some(prefix) => prefixed(prefix, &mut self.rest, &shown, complete),
        }
    }
}

/// Puts the prefix before whole lines, in which colors end with the line. An incomplete line waits in `rest`.
fn prefixed(prefix: &str, rest: &mut Vec<u8>, bytes: &[u8], complete: bool) -> Vec<u8> {
    rest.extend_from_slice(bytes);
    if complete && !rest.is_empty() && !rest.ends_with(b"\n") {
        rest.push(b'\n');
    }
    let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines: Vec<u8> = rest.drain(..whole).collect();
    let prefixed = |line: &[u8]| {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let colors_end = if text.contains(&0x1b) { terminal::RESET } else { "" };
        [prefix.as_bytes(), text, colors_end.as_bytes(), b"\n"].concat()
    };
    lines.split_inclusive(|byte| *byte == b'\n').flat_map(prefixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_starts_with_its_host_name_however_it_arrives() {
        let mut rest = Vec::new();
        assert_eq!(prefixed("a | ", &mut rest, b"one\ntw", false), b"a | one\n");
        assert_eq!(prefixed("a | ", &mut rest, b"o\nthree", true), b"a | two\na | three\n");
    }

    #[test]
    fn no_host_paints_over_the_name_of_another_one() {
        let printed = |raw, prefix: Option<&str>, text: &str| {
            let mut printer = Printer::new(LogArguments { raw, timestamps: false }, prefix.map(Into::into));
            String::from_utf8(printer.printed(text.as_bytes(), true)).unwrap()
        };
        assert_eq!(
            printed(false, Some("bad | "), "x\rgood | all is well\u{1b}[2K"),
            "bad | x\nbad | good | all is well^[[2K\n"
        );
        assert_eq!(printed(true, None, "\u{1b}[2Jx\r"), "\u{1b}[2Jx\r", "unless everything is wanted");
    }
}
