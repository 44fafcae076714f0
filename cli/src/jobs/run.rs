//! `jobs run`, `jobs inspect` and `jobs reset-breakers`: the same work on one host or on many.

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use muster_schemas::{
    hosts::Selector,
    ids::HostId,
    jobs::{HostRefused, IfOffline, JobRequest, JobSpec, JobsCreated, RunSpec},
};
use serde_json::{Value, json};

use super::{log, show, wait};
use crate::{
    client::Client,
    deadlines::Waiting,
    exits::Exit,
    failures::Failure,
    output::{self, Context},
    pairs::{self, Pair},
    times,
};

/// Which hosts.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Hosts {
    /// On this host (repeatable)
    #[arg(long, value_name = "ID")]
    host: Vec<HostId>,
    /// On every active host with this label (repeatable: with all of them)
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Pair>,
    /// On every active host
    #[arg(long = "all-hosts")]
    every: bool,
}

/// When, for how long, and what to do meanwhile.
#[derive(Debug, clap::Args)]
struct Manner {
    /// What to do when a host is offline: fail, or queue until --start-by
    #[arg(long, value_parser = ["fail", "queue"], default_value = "fail")]
    if_offline: String,
    /// Latest start from now, such as 1h (the default); past it the job is never run
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    start_by: Option<u32>,
    /// How long it may run, such as 60s (10m unless said otherwise)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    time_limit: Option<u32>,
    #[command(flatten)]
    waiting: Waiting,
}

/// `jobs run`.
#[derive(Debug, clap::Args)]
pub struct RunArguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    manner: Manner,
    /// Print the log as it comes (to stderr with --json); waits for the end as --wait does
    #[arg(long, short)]
    follow: bool,
    /// A variable for the program (its whole environment but for PATH)
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<Pair>,
    /// Where it runs: an absolute path
    #[arg(long, value_name = "PATH")]
    dir: Option<String>,
    /// How much of its output is kept, in bytes
    #[arg(long, value_name = "BYTES")]
    output_limit: Option<u64>,
    /// The program's absolute path and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    argv: Vec<String>,
}

/// `jobs inspect` and `jobs reset-breakers`.
#[derive(Debug, clap::Args)]
pub struct PlainArguments {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    manner: Manner,
}

impl RunArguments {
    /// Starts the jobs, and stays as long as it was asked to.
    pub async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = RunSpec {
            argv: self.argv,
            environment: pairs::map(&self.env),
            working_directory: self.dir,
            output_limit_bytes: self.output_limit,
        };
        let follow = if self.follow { Follow::Log } else { Follow::Nothing };
        start(context, ("run", json!(spec)), self.hosts, &self.manner, follow).await
    }
}

impl PlainArguments {
    /// Starts jobs of a kind without any arguments, and stays as long as it was asked to.
    pub async fn run(self, context: &Context, spec: &JobSpec) -> Result<Exit, Failure> {
        start(context, (spec.kind(), json!({})), self.hosts, &self.manner, Follow::Nothing).await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    Log,
    Nothing,
}

async fn start(
    context: &Context,
    work: (&str, Value),
    hosts: Hosts,
    manner: &Manner,
    follow: Follow,
) -> Result<Exit, Failure> {
    let client = context.client()?;
    let answer = client.create(&["jobs"], &request(work, hosts, manner, Timestamp::now())).await?;
    let created: JobsCreated = answer.read()?;
    for HostRefused { host_id, problem } in &created.refused {
        output::warn(&format!("{host_id} does not take it: {problem}"));
    }
    let refused = if created.refused.is_empty() { Exit::Succeeded } else { Exit::Failed };
    if follow == Follow::Nothing && manner.waiting.patience().is_none() {
        context.show(&answer, |created: &JobsCreated| show::table(&created.items, Timestamp::now()))?;
        if let [job] = created.items.as_slice() {
            context.remark(&format!("Its log: muster jobs log -f {}", job.id));
        }
        return Ok(refused);
    }
    let ended = stay(context, &client, created, manner, follow).await?;
    Ok(refused.worst(ended))
}

async fn stay(
    context: &Context,
    client: &Client,
    created: JobsCreated,
    manner: &Manner,
    follow: Follow,
) -> Result<Exit, Failure> {
    let patience = manner.waiting.limit();
    let jobs = created.items;
    for job in &jobs {
        context.remark(&format!("{} on {}", job.id, job.host_id));
    }
    if follow == Follow::Nothing {
        return wait::wait(context, client, jobs, patience).await;
    }
    let ends = wait::ends(client, jobs.clone(), patience).try_collect::<Vec<_>>();
    let ends = log::follow_while(context, client, &jobs, ends).await?;
    ends.iter().try_fold(Exit::Succeeded, |exit, end| Ok(exit.worst(wait::tell(context, end)?)))
}

fn request((kind, spec): (&str, Value), hosts: Hosts, manner: &Manner, now: Timestamp) -> JobRequest {
    let selector = || Selector { labels: pairs::map(&hosts.label), os: None };
    JobRequest {
        selector: hosts.host.is_empty().then(selector),
        host_ids: hosts.host,
        kind: kind.into(),
        spec,
        if_offline: if manner.if_offline == "queue" { IfOffline::Queue } else { IfOffline::Fail },
        start_by: manner.start_by.map(|seconds| now + SignedDuration::from_secs(seconds.into())),
        time_limit_seconds: manner.time_limit,
    }
}
