//! Host commands: list, show, label, rename, retire, readmit, update.

use jiff::Timestamp;
use muster_schemas::{
    hosts::{HostChange, HostUpdateRequest, HostView, Reason},
    ids::HostId,
    jobs::JobView,
};
use reqwest::Method;

use super::show;
use crate::{
    deadlines::WaitArguments,
    exits::Exit,
    failures::Failure,
    jobs,
    output::{Context, Paging},
    pairs::{LabelChange, Pair},
    tables,
};

/// Arguments of `hosts`.
#[derive(Debug, clap::Args)]
pub struct HostFilters {
    /// List only hosts with this label (repeatable: hosts that have all of them)
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Pair>,
    /// List only hosts with this operating system: linux or windows
    #[arg(long)]
    os: Option<String>,
    /// List only hosts whose agent has this version
    #[arg(long)]
    version: Option<String>,
    /// List only hosts that are online
    #[arg(long, conflicts_with = "offline")]
    online: bool,
    /// List only hosts that are offline
    #[arg(long)]
    offline: bool,
    /// List only hosts whose agent is older than the newest release
    #[arg(long)]
    behind: bool,
    /// List only hosts in this state: active, quarantined or retired
    #[arg(long, value_parser = ["active", "quarantined", "retired"])]
    state: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Arguments of `host`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct HostArguments {
    /// Id of the host to show (host_…)
    id: Option<HostId>,
    #[command(subcommand)]
    command: Option<HostCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum HostCommand {
    /// Set or remove labels of a host
    Label {
        /// Id of the host (host_…)
        id: HostId,
        /// Labels to set (KEY=VALUE) or to remove (KEY-)
        #[arg(required = true, value_name = "KEY=VALUE|KEY-", allow_hyphen_values = true)]
        labels: Vec<LabelChange>,
    },
    /// Rename a host
    Rename {
        /// Id of the host (host_…)
        id: HostId,
        /// New name
        name: String,
    },
    /// Retire a host: revoke its identity for good
    Retire {
        /// Id of the host (host_…)
        id: HostId,
        /// Retire the host even if it has open jobs
        #[arg(long, requires = "reason")]
        force: bool,
        /// Reason, for the audit log
        #[arg(long)]
        reason: Option<String>,
    },
    /// Readmit a quarantined host
    Readmit {
        /// Id of the host (host_…)
        id: HostId,
        /// Reason why this is safe, for the audit log
        #[arg(long)]
        reason: String,
    },
    /// Update the agent of one host to a release
    Update {
        /// Id of the host (host_…)
        id: HostId,
        /// Version of the release
        #[arg(long)]
        version: String,
        #[command(flatten)]
        wait: WaitArguments,
    },
}

impl HostFilters {
    fn query(&self) -> Vec<(&'static str, String)> {
        let labels = self.label.iter().map(|Pair { key, value }| ("label", format!("{key}={value}")));
        let mut query: Vec<_> = labels.collect();
        query.extend(self.os.clone().map(|os| ("os", os)));
        query.extend(self.version.clone().map(|version| ("version", version)));
        query.extend((self.online || self.offline).then(|| ("online", self.online.to_string())));
        query.extend(self.behind.then(|| ("updates", "behind".into())));
        query.extend(self.state.clone().map(|state| ("state", state)));
        query
    }
}

/// Runs `hosts`.
pub async fn list(context: &Context, filters: HostFilters) -> Result<Exit, Failure> {
    let render = |hosts: &[HostView]| show::table(hosts, Timestamp::now());
    filters.paging.list(context, (&["hosts"], filters.query()), render).await?;
    Ok(Exit::Succeeded)
}

/// Runs `host` or one of its subcommands.
pub async fn run(context: &Context, arguments: HostArguments) -> Result<Exit, Failure> {
    match (arguments.id, arguments.command) {
        (Some(id), _) => {
            let answer = context.client()?.get(&["hosts", &id.to_string()], &[]).await?;
            context.show(&answer, |host| show::details(host, Timestamp::now()))?;
        }
        (None, Some(HostCommand::Label { id, labels })) => {
            let labels = labels.into_iter().map(|LabelChange { key, value }| (key, value)).collect();
            change(context, id, HostChange { name: None, labels }).await?;
        }
        (None, Some(HostCommand::Rename { id, name })) => {
            change(context, id, HostChange { name: Some(name), ..HostChange::default() }).await?;
        }
        (None, Some(HostCommand::Retire { id, force, reason })) => retire(context, id, force, reason).await?,
        (None, Some(HostCommand::Readmit { id, reason })) => {
            let path = ["hosts", &id.to_string(), "readmit"];
            let answer = context.client()?.act(&path, &Reason { reason }).await?;
            context.done(&answer, &format!("Readmitted {id}."))?;
        }
        (None, Some(HostCommand::Update { id, version, wait })) => {
            return update(context, id, version, &wait).await;
        }
        (None, None) => {
            return Err(Failure::Usage("the id of the host is missing; `muster hosts` lists all hosts".into()));
        }
    }
    Ok(Exit::Succeeded)
}

async fn change(context: &Context, id: HostId, change: HostChange) -> Result<(), Failure> {
    let client = context.client()?;
    let answer = client.change(Method::PATCH, &["hosts", &id.to_string()], &[], Some(&change)).await?;
    context.show(&answer, |host: &HostView| format!("{}: {}\n", tables::printable(&host.name), show::labels(host)))
}

async fn retire(context: &Context, id: HostId, force: bool, reason: Option<String>) -> Result<(), Failure> {
    let mut query = Vec::new();
    query.extend(force.then(|| ("force", "true".into())));
    query.extend(reason.map(|reason| ("reason", reason)));
    let answer = context.client()?.delete(&["hosts", &id.to_string()], &query).await?;
    context.done(&answer, &format!("Retired {id}. Its agent stops for good at its next check-in."))
}

async fn update(context: &Context, id: HostId, version: String, wait: &WaitArguments) -> Result<Exit, Failure> {
    let client = context.client()?;
    let host: HostView = client.get(&["hosts", &id.to_string()], &[]).await?.read()?;
    let answer = client.create(&["hosts", &id.to_string(), "update"], &HostUpdateRequest { version }).await?;
    if host.open_jobs > 0 {
        let jobs = tables::count(host.open_jobs.into(), "open job");
        context.remark(&format!(
            "{id} has {jobs}: the update waits for those that run, for as long as drain_seconds in its agent.toml says."
        ));
    }
    let job: JobView = answer.read()?;
    if let Some(deadline) = wait.deadline() {
        context.remark(&format!("Started {}, which updates {id}.", job.id));
        return jobs::wait(context, &client, vec![job], deadline).await;
    }
    context.show(&answer, |job: &JobView| format!("{} is {}.\n", job.id, jobs::state(job.state)))?;
    context.remark(&format!("To wait for its end, run `muster jobs show {} --wait`.", job.id));
    Ok(Exit::Succeeded)
}
