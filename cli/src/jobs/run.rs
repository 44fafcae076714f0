//! Starting jobs, on one host or on many: `jobs run`, and the kinds that take no arguments.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use muster_schemas::{
    hosts::Selector,
    ids::HostId,
    jobs::{HostRefused, IfOffline, JobRequest, JobsCreated, RunSpec},
    secrets::Secret,
};
use serde_json::{Value, json};

use super::{
    log::{Followed, LogArguments},
    show, wait,
    waiting::Waiting,
};
use crate::{
    client::Client,
    deadlines::{Deadline, WaitArguments},
    exits::Exit,
    failures::Failure,
    output::{self, Context},
    pairs::{self, Pair, Variable},
    times,
};

/// Arguments that select hosts.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct HostSelection {
    /// Run on this host (repeatable)
    #[arg(long, value_name = "ID")]
    host: Vec<HostId>,
    /// Run on every active host with this label (repeatable: hosts that have all of them)
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Pair>,
    /// Run on every active host
    #[arg(long = "all-hosts")]
    every: bool,
}

/// Arguments for limits and for waiting.
#[derive(Debug, clap::Args)]
struct JobOptions {
    /// What to do if a host is offline: fail, or queue the job until --start-by
    #[arg(long, value_parser = ["fail", "queue"], default_value = "fail")]
    if_offline: String,
    /// How long the job may wait for its start; after that it expires and never runs (default: 1h)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    start_by: Option<u32>,
    /// How long the job may run, such as 60s (default: 10m)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    time_limit: Option<u32>,
    #[command(flatten)]
    wait: WaitArguments,
}

/// Arguments of `jobs run`.
#[derive(Debug, clap::Args)]
pub struct RunArguments {
    #[command(flatten)]
    hosts: HostSelection,
    #[command(flatten)]
    options: JobOptions,
    /// Print the log as it arrives (to stderr with --json), and wait for the end like --wait
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    log: LogArguments,
    /// Set an environment variable for the program, over HOME, USER, LOGNAME, SHELL and LANG (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<Pair>,
    /// Set a secret environment variable, which nobody is shown and which is erased when the job has ended; NAME alone takes
    /// the value from the environment of this command, so that it is not among its arguments (repeatable)
    // Taken apart later: what is refused here is repeated on the terminal.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = pairs::secret)]
    secret: Vec<Secret>,
    /// Run the program in this directory (an absolute path)
    #[arg(long, value_name = "PATH")]
    dir: Option<String>,
    /// How many bytes of the program's output to keep, of its beginning and of its end (default: 1048576, of which 262144 are
    /// the beginning; at most 16777216)
    #[arg(long, value_name = "BYTES")]
    output_limit: Option<u64>,
    /// How long the program has to end when it is stopped, before it is killed: at most 4m (default: 10s)
    #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
    stop_grace: Option<u32>,
    /// Run the program under this account of the host, which its policy must allow
    #[arg(long, value_name = "ACCOUNT")]
    run_as: Option<String>,
    /// Absolute path of the program, and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    argv: Vec<String>,
}

/// Arguments of a kind that has none of its own.
#[derive(Debug, clap::Args)]
pub struct PlainArguments {
    #[command(flatten)]
    hosts: HostSelection,
    #[command(flatten)]
    options: JobOptions,
}

impl RunArguments {
    /// Starts the jobs, and waits for them if the options say so.
    pub async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = RunSpec {
            argv: self.argv,
            environment: pairs::map(&self.env),
            secret_environment: variables(&self.secret)?,
            working_directory: self.dir,
            output_limit_bytes: self.output_limit,
            stop_grace_seconds: self.stop_grace,
            run_as: self.run_as,
        };
        let follow = if self.follow { Follow::Log(self.log) } else { Follow::Nothing };
        start(context, ("run", json!(spec)), self.hosts, &self.options, follow).await
    }
}

impl PlainArguments {
    /// Starts jobs of a kind that takes no arguments, and waits for them if the options say so.
    pub async fn run(self, context: &Context, kind: &str) -> Result<Exit, Failure> {
        start(context, (kind, json!({})), self.hosts, &self.options, Follow::Nothing).await
    }
}

/// Secret variables by their names.
fn variables(given: &[Secret]) -> Result<BTreeMap<String, Secret>, Failure> {
    let variable = |given: &Secret| given.reveal().parse().map(|Variable { name, value }| (name, value));
    given.iter().map(variable).collect::<Result<_, _>>().map_err(|why| Failure::Usage(format!("--secret: {why}")))
}

#[derive(Clone, Copy)]
enum Follow {
    Log(LogArguments),
    Nothing,
}

async fn start(
    context: &Context,
    work: (&str, Value),
    hosts: HostSelection,
    options: &JobOptions,
    follow: Follow,
) -> Result<Exit, Failure> {
    let client = context.client()?;
    // What is waited for begins with the request.
    let deadline = options.wait.limit();
    let answer = client.create(&["jobs"], &request(work, hosts, options, Timestamp::now())).await?;
    let created: JobsCreated = answer.read()?;
    for HostRefused { host_id, problem } in &created.refused {
        output::warn(&format!("No job for {host_id}: {problem}"));
    }
    let refused = if created.refused.is_empty() { Exit::Succeeded } else { Exit::Failed };
    if matches!(follow, Follow::Nothing) && options.wait.deadline().is_none() {
        context.show(&answer, |created: &JobsCreated| show::table(&created.items, Timestamp::now()))?;
        if let [job] = created.items.as_slice() {
            context.remark(&format!("To follow its log, run `muster jobs log -f {}`.", job.id));
        }
        return Ok(refused);
    }
    let ended = wait_for(context, &client, created, deadline, follow).await?;
    Ok(refused.worst(ended))
}

async fn wait_for(
    context: &Context,
    client: &Client,
    created: JobsCreated,
    deadline: Deadline,
    follow: Follow,
) -> Result<Exit, Failure> {
    let jobs = created.items;
    for job in &jobs {
        context.remark(&format!("Started {} on {}.", job.id, job.host_id));
    }
    let Follow::Log(look) = follow else { return wait::wait(context, client, jobs, deadline).await };
    let waiting = &Waiting::of(&jobs);
    let followed = Followed { context, client, jobs: &jobs, look, deadline, waiting };
    let ends = wait::ends(client, jobs.clone(), deadline, waiting).try_collect::<Vec<_>>();
    let ends = tokio::select! {
        biased;
        ends = followed.while_waiting(ends) => ends?,
        never = waiting.tell(context) => match never {},
    };
    ends.iter().try_fold(Exit::Succeeded, |exit, end| {
        wait::print(context, end)?;
        if let Some(cut) = show::cut(&end.0) {
            context.remark(&format!("The log of {} is cut: {cut}.", end.0.id));
        }
        Ok(exit.worst(wait::exit_code(&end.0, ends.len() == 1)))
    })
}

fn request((kind, spec): (&str, Value), hosts: HostSelection, options: &JobOptions, now: Timestamp) -> JobRequest {
    let selector = || Selector { labels: pairs::map(&hosts.label), os: None };
    JobRequest {
        selector: hosts.host.is_empty().then(selector),
        host_ids: hosts.host,
        kind: kind.into(),
        spec,
        if_offline: if options.if_offline == "queue" { IfOffline::Queue } else { IfOffline::Fail },
        start_by: options.start_by.map(|seconds| now + SignedDuration::from_secs(seconds.into())),
        time_limit_seconds: options.time_limit,
    }
}
