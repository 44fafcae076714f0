//! What can be said about hosts on the command line.

use jiff::Timestamp;
use muster_schemas::{
    hosts::{HostChange, HostUpdateRequest, HostView, Reason},
    ids::HostId,
    jobs::JobView,
};
use reqwest::Method;

use super::show;
use crate::{
    deadlines::Waiting,
    exits::Exit,
    failures::Failure,
    jobs,
    output::{Context, Paging},
    pairs::{LabelChange, Pair},
    tables,
};

/// Which hosts to list.
#[derive(Debug, clap::Args)]
pub struct HostFilters {
    /// Only hosts with this label (repeatable: with all of them)
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Pair>,
    /// Only this operating system: linux or windows
    #[arg(long)]
    os: Option<String>,
    /// Only hosts whose agent has this version
    #[arg(long)]
    version: Option<String>,
    /// Only hosts that were heard from lately
    #[arg(long, conflicts_with = "offline")]
    online: bool,
    /// Only hosts that were not heard from lately
    #[arg(long)]
    offline: bool,
    /// Only hosts that run less than the newest release
    #[arg(long)]
    behind: bool,
    /// Only hosts in this state: active, quarantined or retired
    #[arg(long, value_parser = ["active", "quarantined", "retired"])]
    state: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Which host, and what about it.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct HostArguments {
    /// Show this host
    id: Option<HostId>,
    #[command(subcommand)]
    command: Option<HostCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum HostCommand {
    /// Set labels (KEY=VALUE) or remove them (KEY-)
    Label {
        /// The host
        id: HostId,
        /// What to set or remove
        #[arg(required = true, value_name = "KEY=VALUE|KEY-", allow_hyphen_values = true)]
        labels: Vec<LabelChange>,
    },
    /// Change what operators call it
    Rename {
        /// The host
        id: HostId,
        /// Its new name
        name: String,
    },
    /// Revoke its identity for good
    Retire {
        /// The host
        id: HostId,
        /// Even with open work
        #[arg(long, requires = "reason")]
        force: bool,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Serve it again after a quarantine
    Readmit {
        /// The host
        id: HostId,
        /// Why that is safe
        #[arg(long)]
        reason: String,
    },
    /// Bring its agent to a release
    Update {
        /// The host
        id: HostId,
        /// The release
        #[arg(long)]
        version: String,
        #[command(flatten)]
        waiting: Waiting,
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

/// Lists hosts.
pub async fn list(context: &Context, filters: HostFilters) -> Result<Exit, Failure> {
    let render = |hosts: &[HostView]| show::table(hosts, Timestamp::now());
    filters.paging.list(context, (&["hosts"], filters.query()), render).await?;
    Ok(Exit::Succeeded)
}

/// Shows or changes one host.
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
            context.done(&answer, &format!("{id} is served again."))?;
        }
        (None, Some(HostCommand::Update { id, version, waiting })) => {
            return update(context, id, version, &waiting).await;
        }
        (None, None) => return Err(Failure::Usage("say which host; muster hosts lists them".into())),
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
    context.done(&answer, &format!("{id} is retired: its agent stops for good when it next calls."))
}

async fn update(context: &Context, id: HostId, version: String, waiting: &Waiting) -> Result<Exit, Failure> {
    let client = context.client()?;
    let answer = client.create(&["hosts", &id.to_string(), "update"], &HostUpdateRequest { version }).await?;
    let job: JobView = answer.read()?;
    if let Some(patience) = waiting.patience() {
        context.remark(&format!("{} brings {id} to the release.", job.id));
        return jobs::wait(context, &client, vec![job], patience).await;
    }
    context.show(&answer, |job: &JobView| format!("{} is {}.\n", job.id, jobs::state(job.state)))?;
    context.remark(&format!("Its end: muster jobs show {} --wait", job.id));
    Ok(Exit::Succeeded)
}
