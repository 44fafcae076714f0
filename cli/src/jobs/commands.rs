//! What can be said about jobs on the command line.

use jiff::Timestamp;
use muster_schemas::{
    ids::{HostId, JobId},
    jobs::{InspectSpec, JobSpec, JobView, ResetBreakersSpec},
};

use super::{
    log,
    run::{PlainArguments, RunArguments},
    show, wait,
};
use crate::{
    deadlines::Waiting,
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
};

/// What to do about jobs.
#[derive(Debug, clap::Subcommand)]
pub enum JobCommand {
    /// Run a program, without a shell: muster jobs run --host ID --wait -- /usr/bin/uptime
    Run(RunArguments),
    /// Have hosts report their facts in full
    Inspect(PlainArguments),
    /// Have agents close their circuit breakers: what did not answer is well again
    ResetBreakers(PlainArguments),
    /// List jobs, newest first
    List {
        /// Only this host's
        #[arg(long)]
        host: Option<HostId>,
        /// Only those in this state, such as queued, running or failed
        #[arg(long)]
        state: Option<String>,
        /// Only this kind: run, inspect, `reset_breakers` or `self_update`
        #[arg(long)]
        kind: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a job
    Show {
        /// The job
        id: JobId,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Take a job back, or have it stopped
    Cancel {
        /// The job
        id: JobId,
    },
    /// Print a job's log
    Log {
        /// The job
        id: JobId,
        /// Print what comes until the log is complete
        #[arg(long, short)]
        follow: bool,
    },
}

/// Does it.
pub async fn run(context: &Context, command: JobCommand) -> Result<Exit, Failure> {
    match command {
        JobCommand::Run(arguments) => return arguments.run(context).await,
        JobCommand::Inspect(arguments) => {
            return arguments.run(context, &JobSpec::Inspect(InspectSpec::default())).await;
        }
        JobCommand::ResetBreakers(arguments) => {
            return arguments.run(context, &JobSpec::ResetBreakers(ResetBreakersSpec::default())).await;
        }
        JobCommand::List { host, state, kind, paging } => {
            let host = host.map(|host| ("host", host.to_string()));
            let query = [host, state.map(|state| ("state", state)), kind.map(|kind| ("kind", kind))];
            let render = |jobs: &[JobView]| show::table(jobs, Timestamp::now());
            paging.list(context, (&["jobs"], query.into_iter().flatten().collect()), render).await?;
        }
        JobCommand::Show { id, waiting } => {
            let client = context.client()?;
            let answer = client.get(&["jobs", &id.to_string()], &[]).await?;
            match waiting.patience() {
                Some(patience) => return wait::wait(context, &client, vec![answer.read()?], patience).await,
                None => context.show(&answer, |job| show::details(job, Timestamp::now()))?,
            }
        }
        JobCommand::Cancel { id } => {
            let path = ["jobs", &id.to_string(), "cancel"];
            let answer = context.client()?.act(&path, &serde_json::json!({})).await?;
            context.show(&answer, |job: &JobView| cancelled(job))?;
        }
        JobCommand::Log { id, follow } => {
            let client = context.client()?;
            log::print(&client, id, follow).await?;
        }
    }
    Ok(Exit::Succeeded)
}

fn cancelled(job: &JobView) -> String {
    let (id, state) = (job.id, show::state(job.state));
    if job.state.is_final() { format!("{id} is {state}.\n") } else { format!("{id} is {state} and will be stopped.\n") }
}
