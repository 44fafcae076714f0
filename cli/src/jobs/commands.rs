//! Job commands: run, list, show, cancel, log, and one for each kind of job that takes no arguments (inspect, reset-breakers).

use jiff::Timestamp;
use muster_schemas::{
    ids::{HostId, JobId},
    jobs::{JobView, KINDS},
};
use reqwest::Method;

use super::{
    log::{self, LogArguments},
    plain::PlainCommand,
    run::RunArguments,
    show, wait,
};
use crate::{
    deadlines::WaitArguments,
    exits::{self, Exit},
    failures::Failure,
    output::{Context, Paging},
};

/// The `jobs` commands.
#[derive(Debug, clap::Subcommand)]
pub enum JobCommand {
    /// Run a program without a shell, such as `muster jobs run --host ID --wait -- /usr/bin/uptime`
    #[command(after_help = exits::TABLE)]
    Run(RunArguments),
    #[command(flatten)]
    Plain(PlainCommand),
    /// List jobs, newest first
    List {
        /// List only jobs of this host
        #[arg(long)]
        host: Option<HostId>,
        /// List only jobs in this state, such as queued, running or failed
        #[arg(long)]
        state: Option<String>,
        #[arg(long, help = kind_help())]
        kind: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a job
    #[command(after_help = exits::TABLE)]
    Show {
        /// Id of the job (job_…)
        id: JobId,
        #[command(flatten)]
        wait: WaitArguments,
    },
    /// Cancel a job; if it is running, it is stopped
    Cancel {
        /// Id of the job (job_…)
        id: JobId,
    },
    /// Give up a job whose host is lost: it is presumed lost, until the host reports after all
    GiveUp {
        /// Id of the job (job_…)
        id: JobId,
    },
    /// Print the log of a job
    Log {
        /// Id of the job (job_…)
        id: JobId,
        /// Print new output as it arrives, until the log is complete
        #[arg(long, short)]
        follow: bool,
        #[command(flatten)]
        log: LogArguments,
    },
    /// Erase the log of a job, such as one with a secret in it; who did it and why stays on record
    EraseLog {
        /// Id of the job (job_…)
        id: JobId,
        /// Why, in a sentence
        #[arg(long)]
        reason: String,
    },
}

/// Runs a `jobs` command.
pub async fn run(context: &Context, command: JobCommand) -> Result<Exit, Failure> {
    match command {
        JobCommand::Run(arguments) => return arguments.run(context).await,
        JobCommand::Plain(command) => return command.run(context).await,
        JobCommand::List { host, state, kind, paging } => {
            let host = host.map(|host| ("host", host.to_string()));
            let query = [host, state.map(|state| ("state", state)), kind.map(|kind| ("kind", kind))];
            let render = |jobs: &[JobView]| show::table(jobs, Timestamp::now());
            paging.list(context, (&["jobs"], query.into_iter().flatten().collect()), render).await?;
        }
        JobCommand::Show { id, wait } => {
            let client = context.client()?;
            let answer = client.get(&["jobs", &id.to_string()], &[]).await?;
            match wait.deadline() {
                Some(deadline) => return wait::wait(context, &client, vec![answer.read()?], deadline).await,
                None => context.show(&answer, |job| show::details(job, Timestamp::now()))?,
            }
        }
        JobCommand::Cancel { id } => {
            let path = ["jobs", &id.to_string(), "cancel"];
            let answer = context.client()?.act(&path, &serde_json::json!({})).await?;
            context.show(&answer, |job: &JobView| cancelled(job))?;
        }
        JobCommand::GiveUp { id } => {
            let path = ["jobs", &id.to_string(), "give-up"];
            let answer = context.client()?.act(&path, &serde_json::json!({})).await?;
            context.show(&answer, |job: &JobView| format!("{} is {}.\n", job.id, show::state_in_full(job)))?;
        }
        JobCommand::Log { id, follow, log } => {
            let client = context.client()?;
            log::print(&client, id, follow, log).await?;
            // That the log is printed is what was asked for, and this is but a remark.
            let job = client.get(&["jobs", &id.to_string()], &[]).await.and_then(|answer| answer.read::<JobView>());
            if let Some(cut) = job.ok().as_ref().and_then(show::cut) {
                context.remark(&format!("The log is cut: {cut}."));
            }
        }
        JobCommand::EraseLog { id, reason } => {
            let path = ["jobs", &id.to_string(), "log"];
            let body = serde_json::json!({ "reason": reason });
            let answer = context.client()?.change(Method::DELETE, &path, &[], Some(&body)).await?;
            context.show(&answer, |job: &JobView| format!("The log of {} is erased.\n", job.id))?;
        }
    }
    Ok(Exit::Succeeded)
}

fn kind_help() -> String {
    format!("List only jobs of this kind: {}", KINDS.map(|kind| kind.name).join(", "))
}

fn cancelled(job: &JobView) -> String {
    let (id, state) = (job.id, show::state(job.state));
    if job.state.is_final() { format!("{id} is {state}.\n") } else { format!("{id} is {state} and will be stopped.\n") }
}
