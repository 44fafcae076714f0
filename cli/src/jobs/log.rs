//! Job logs: printed once or followed as they grow, with a host name before each line if there are several jobs.

use std::{future::Future, io::Write, time::Duration};

use futures_util::future::try_join_all;
use muster_schemas::{
    hosts::HostView,
    ids::JobId,
    jobs::{JobView, LOG_COMPLETE_HEADER, LOG_NEXT_HEADER},
};
use reqwest::{Response, header::HeaderMap};

use crate::{
    client::Client,
    failures::Failure,
    output::{self, Context},
    tables,
};

/// How long one long poll waits, in seconds.
const POLL_SECONDS: u64 = 25;
/// How long to wait for the rest of a log after its job has ended.
const LOG_GRACE: Duration = Duration::from_secs(10);

/// Prints the log so far or, to follow it, until it is complete.
pub async fn print(client: &Client, id: JobId, follow: bool) -> Result<(), Failure> {
    let mut log = LogReader { client, id, next: 0 };
    loop {
        let (bytes, complete) = log.read(if follow { POLL_SECONDS } else { 0 }).await?;
        output::bytes(&bytes)?;
        if complete || (!follow && bytes.is_empty()) {
            return Ok(());
        }
    }
}

/// Prints the logs of jobs until `ended` is ready and the logs are complete. With several jobs, each line starts with the
/// name of its host.
pub async fn follow_while<T>(
    context: &Context,
    client: &Client,
    jobs: &[JobView],
    ended: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let several = jobs.len() > 1;
    let logs = try_join_all(jobs.iter().map(|job| follow(context, client, job, several)));
    tokio::pin!(logs, ended);
    tokio::select! {
        printed = &mut logs => {
            printed?;
            ended.await
        }
        end = &mut ended => {
            // The last output of a job may arrive after its end, or never.
            if let Ok(printed) = tokio::time::timeout(LOG_GRACE, logs).await {
                printed?;
            }
            end
        }
    }
}

async fn follow(context: &Context, client: &Client, job: &JobView, several: bool) -> Result<(), Failure> {
    let mut prefix = None;
    if several {
        let host: Result<HostView, _> = match client.get(&["hosts", &job.host_id.to_string()], &[]).await {
            Ok(answer) => answer.read(),
            Err(failure) => Err(failure),
        };
        let name = host.map_or_else(|_| job.host_id.to_string(), |host| tables::printable(&host.name));
        prefix = Some(format!("{name} | "));
    }
    let (mut log, mut rest) = (LogReader { client, id: job.id, next: 0 }, Vec::new());
    loop {
        let (bytes, complete) = log.read(POLL_SECONDS).await?;
        let printed = match &prefix {
            None => bytes,
            Some(prefix) => prefixed(prefix, &mut rest, &bytes, complete),
        };
        write(context, &printed)?;
        if complete {
            return Ok(());
        }
    }
}

/// A position in the log of a job.
struct LogReader<'a> {
    client: &'a Client,
    id: JobId,
    next: u64,
}

impl LogReader<'_> {
    /// Reads what follows, and whether the log is complete with that.
    async fn read(&mut self, wait: u64) -> Result<(Vec<u8>, bool), Failure> {
        let path = ["jobs", &self.id.to_string(), "log"];
        let response: Response = self.client.poll(&path, &[("after", self.next.to_string())], wait).await?;
        let header =
            |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok().map(String::from));
        let next = header(response.headers(), LOG_NEXT_HEADER).and_then(|next| next.parse().ok());
        let complete = header(response.headers(), LOG_COMPLETE_HEADER).as_deref() == Some("true");
        let bytes = self.client.bytes(response).await?;
        self.next = next.unwrap_or(self.next + bytes.len() as u64);
        Ok((bytes, complete))
    }
}

/// Puts the prefix before whole lines. An incomplete line waits in `rest`.
fn prefixed(prefix: &str, rest: &mut Vec<u8>, bytes: &[u8], complete: bool) -> Vec<u8> {
    rest.extend_from_slice(bytes);
    if complete && !rest.is_empty() && !rest.ends_with(b"\n") {
        rest.push(b'\n');
    }
    let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines: Vec<u8> = rest.drain(..whole).collect();
    lines.split_inclusive(|byte| *byte == b'\n').flat_map(|line| [prefix.as_bytes(), line].concat()).collect()
}

fn write(context: &Context, bytes: &[u8]) -> Result<(), Failure> {
    if context.json { std::io::stderr().write_all(bytes).map_err(Failure::Output) } else { output::bytes(bytes) }
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
}
