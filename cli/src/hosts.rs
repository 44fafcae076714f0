//! `hosts` and `host`: which machines there are, and what operators say of them.

use jiff::Timestamp;
use muster_schemas::{
    hosts::{HostChange, HostState, HostUpdateRequest, HostView, Reason},
    ids::HostId,
    jobs::JobView,
};
use reqwest::Method;

use crate::{
    exits::Exit,
    failures::Failure,
    jobs,
    output::{Context, Paging},
    pairs::{self, LabelChange, Pair},
    patience::Waiting,
    tables::{self, Table},
    times,
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
    let render = |hosts: &[HostView]| table(hosts, Timestamp::now());
    filters.paging.list(context, (&["hosts"], filters.query()), render).await?;
    Ok(Exit::Succeeded)
}

/// Shows or changes one host.
pub async fn run(context: &Context, arguments: HostArguments) -> Result<Exit, Failure> {
    match (arguments.id, arguments.command) {
        (Some(id), _) => {
            let answer = context.client()?.get(&["hosts", &id.to_string()], &[]).await?;
            context.show(&answer, |host| details(host, Timestamp::now()))?;
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
    context.show(&answer, |host: &HostView| format!("{}: {}\n", tables::printable(&host.name), labels(host)))
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

fn table(hosts: &[HostView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "NAME", "STATE", "VERSION", "OS", "LAST SEEN", "LABELS"]);
    for host in hosts {
        let mut version = host.agent.as_ref().map(|agent| agent.version.clone()).unwrap_or_default();
        if host.update_available {
            version.push_str(" (behind)");
        }
        table.row([
            host.id.to_string(),
            host.name.clone(),
            presence(host).into(),
            version,
            host.facts.os.clone(),
            times::ago_or_dash(host.last_seen_at, now),
            pairs::text(&host.labels),
        ]);
    }
    table.render("No hosts. muster token create makes a token to enroll one with.")
}

/// What matters most: that it is not served, else whether it is there.
fn presence(host: &HostView) -> &'static str {
    match host.state {
        HostState::Quarantined => "quarantined",
        HostState::Retired => "retired",
        HostState::Active if host.online => "online",
        HostState::Active => "offline",
    }
}

fn labels(host: &HostView) -> String {
    if host.labels.is_empty() { "no labels".into() } else { tables::printable(&pairs::text(&host.labels)) }
}

fn details(host: &HostView, now: Timestamp) -> String {
    let facts = &host.facts;
    let agent = host.agent.as_ref();
    let last_update = agent.and_then(|agent| agent.last_update.as_ref()).map(|update| {
        let outcome = serde_json::to_value(update.outcome).ok();
        let outcome = outcome.and_then(|outcome| outcome.as_str().map(String::from)).unwrap_or_default();
        format!("to {}: {outcome} {}", update.to, update.reason)
    });
    let mut state = presence(host).to_owned();
    state.extend(host.state_reason.iter().flat_map(|reason| [": ", reason.as_str()]).map(String::from));
    let version = agent.map(|agent| {
        let committed = if agent.committed { "" } else { " (on probation)" };
        format!("{}{committed}", agent.version)
    });
    let memory = format!("{} MiB", facts.memory_bytes / (1 << 20));
    tables::facts(&[
        ("id", host.id.to_string()),
        ("name", host.name.clone()),
        ("state", state),
        ("last seen", times::ago_or_dash(host.last_seen_at, now)),
        ("enrolled", host.enrolled_at.to_string()),
        ("labels", pairs::text(&host.labels)),
        ("agent", version.unwrap_or_default()),
        ("behind", if host.update_available { "a newer release is published".into() } else { String::new() }),
        ("last update", last_update.unwrap_or_default()),
        ("system", format!("{} {} ({})", facts.os, facts.architecture, facts.os_version)),
        ("kernel", facts.kernel.clone()),
        ("addresses", facts.ip_addresses.join(", ")),
        ("processors", facts.cpu_count.to_string()),
        ("memory", memory),
        ("allows", facts.capabilities.join(", ")),
        ("open jobs", host.open_jobs.to_string()),
    ])
}
