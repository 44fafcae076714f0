//! Fleet update commands: plan, start, list, show, watch, pause, resume, cancel, retry-failed, write-off.

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::{FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView},
    ids::{FleetUpdateId, HostId},
    pages::Page,
};
use reqwest::Method;

use super::{request::StartArguments, show, watch};
use crate::{
    client::Client,
    deadlines::Deadline,
    exits::Exit,
    failures::Failure,
    output::{self, Context, Paging},
    times,
};

/// The `fleet-update` commands.
#[derive(Debug, clap::Subcommand)]
pub enum FleetUpdateCommand {
    /// Show what `start` would do, without starting anything
    Plan(Box<StartArguments>),
    /// Start a fleet update
    Start {
        #[command(flatten)]
        arguments: Box<StartArguments>,
        /// Watch the fleet update until it ends; the exit code tells how
        #[arg(long, alias = "wait")]
        watch: bool,
        /// Stop watching after this time, such as 30m, with exit code 3
        #[arg(long, value_name = "SPAN", value_parser = times::seconds, requires = "watch")]
        timeout: Option<u32>,
    },
    /// List fleet updates, newest first
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a fleet update and its hosts
    Show {
        /// Id of the fleet update (fup_…)
        id: FleetUpdateId,
    },
    /// Watch a fleet update until it ends: exit code 0 completed, 1 completed with failures, 4 halted or cancelled
    Watch {
        /// Id of the fleet update (fup_…) [default: the only one that is not over]
        id: Option<FleetUpdateId>,
        /// Stop watching after this time, such as 30m, with exit code 3
        #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
        timeout: Option<u32>,
    },
    /// Pause a fleet update: offer the release to no more hosts
    Pause(ActionArguments),
    /// Resume a fleet update after a pause or, with --note, after a halt
    Resume(ActionArguments),
    /// Cancel a fleet update; hosts that are updating finish their update
    Cancel(ActionArguments),
    /// Offer the release again to the hosts that failed
    RetryFailed(ActionArguments),
    /// Give up on a lost host, so that another host can take its slot
    WriteOff {
        #[command(flatten)]
        action: ActionArguments,
        /// Id of the lost host (host_…)
        #[arg(long, value_name = "ID")]
        host: HostId,
    },
}

/// Arguments of commands that change a fleet update.
#[derive(Debug, clap::Args)]
pub struct ActionArguments {
    /// Id of the fleet update (fup_…) [default: the only one that is not over]
    id: Option<FleetUpdateId>,
    /// Reason, for the audit log
    #[arg(long, default_value = "")]
    note: String,
}

/// Runs a `fleet-update` command.
pub async fn run(context: &Context, command: FleetUpdateCommand) -> Result<Exit, Failure> {
    match command {
        FleetUpdateCommand::Plan(arguments) => plan(context, (*arguments).into()).await?,
        FleetUpdateCommand::Start { arguments, watch, timeout } => {
            return start(context, (*arguments).into(), watch.then(|| Deadline::after(timeout))).await;
        }
        FleetUpdateCommand::List { paging } => {
            let render = |fleet_updates: &[FleetUpdateView]| show::table(fleet_updates, Timestamp::now());
            paging.list(context, (&["fleet-updates"], Vec::new()), render).await?;
        }
        FleetUpdateCommand::Show { id } => details(context, id).await?,
        FleetUpdateCommand::Watch { id, timeout } => {
            let client = context.client()?;
            let id = chosen(&client, id).await?;
            return watch::watch(context, &client, id, Deadline::after(timeout)).await;
        }
        FleetUpdateCommand::Pause(action) => act(context, "pause", action, None).await?,
        FleetUpdateCommand::Resume(action) => act(context, "resume", action, None).await?,
        FleetUpdateCommand::Cancel(action) => act(context, "cancel", action, None).await?,
        FleetUpdateCommand::RetryFailed(action) => act(context, "retry-failed", action, None).await?,
        FleetUpdateCommand::WriteOff { action, host } => act(context, "write-off", action, Some(host)).await?,
    }
    Ok(Exit::Succeeded)
}

async fn plan(context: &Context, request: FleetUpdateRequest) -> Result<(), Failure> {
    let dry_run = [("dry_run", "true".to_owned())];
    let answer = context.client()?.change(Method::POST, &["fleet-updates"], &dry_run, Some(&request)).await?;
    context.show(&answer, |plan: &FleetUpdatePlan| show::plan(plan))
}

/// Starts a fleet update, and watches it if there is a deadline.
async fn start(context: &Context, request: FleetUpdateRequest, deadline: Option<Deadline>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let answer = client.create(&["fleet-updates"], &request).await?;
    let id = answer.read::<FleetUpdateView>()?.id;
    if let Some(deadline) = deadline {
        return watch::watch(context, &client, id, deadline).await;
    }
    context.show(&answer, |view| show::details(view, Timestamp::now()))?;
    context.remark(&format!("To watch it, run `muster fleet-update watch {id}`."));
    Ok(Exit::Succeeded)
}

async fn details(context: &Context, id: FleetUpdateId) -> Result<(), Failure> {
    let client = context.client()?;
    let answer = client.get(&["fleet-updates", &id.to_string()], &[]).await?;
    context.show(&answer, |view| show::details(view, Timestamp::now()))?;
    if context.json {
        return Ok(());
    }
    let hosts: Vec<FleetUpdateHostView> = watch::hosts(&client, id).await?;
    output::text(&format!("\n{}", show::hosts(&hosts)))
}

/// The fleet update that is named, or the only one that is not over.
async fn chosen(client: &Client, named: Option<FleetUpdateId>) -> Result<FleetUpdateId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let newest: Page<FleetUpdateView> = client.get(&["fleet-updates"], &[("limit", "50".into())]).await?.read()?;
    let open = newest.items.iter().filter(|view| view.ended_at.is_none()).map(|view| view.id).collect::<Vec<_>>();
    match open[..] {
        [id] => Ok(id),
        [] => Err(Failure::Usage("every fleet update is over; `muster fleet-update list` shows them".into())),
        _ => {
            let ids = open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(Failure::Usage(format!("several fleet updates are not over; name one of {ids}")))
        }
    }
}

async fn act(context: &Context, verb: &str, action: ActionArguments, host: Option<HostId>) -> Result<(), Failure> {
    let ActionArguments { id, note } = action;
    let client = context.client()?;
    let id = chosen(&client, id).await?;
    let path = ["fleet-updates", &id.to_string(), verb];
    let answer = client.act(&path, &FleetUpdateAction { note, host_id: host }).await?;
    context.show(&answer, |view: &FleetUpdateView| show::summary(view))
}
