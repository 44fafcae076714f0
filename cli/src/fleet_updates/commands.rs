//! What can be said about fleet updates on the command line.

use jiff::Timestamp;
use muster_schemas::{
    fleet_updates::{FleetUpdateAction, FleetUpdateHostView, FleetUpdatePlan, FleetUpdateRequest, FleetUpdateView},
    ids::{FleetUpdateId, HostId},
};
use reqwest::Method;

use super::{request::Arguments, show, watch};
use crate::{
    deadlines::Patience,
    exits::Exit,
    failures::Failure,
    output::{self, Context, Paging},
    times,
};

/// What to do about fleet updates.
#[derive(Debug, clap::Subcommand)]
pub enum FleetUpdateCommand {
    /// Show what `start` would do
    Plan(Box<Arguments>),
    /// Start one
    Start {
        #[command(flatten)]
        arguments: Box<Arguments>,
        /// Watch it to its end; the exit code is the truth
        #[arg(long, alias = "wait")]
        watch: bool,
        /// How long to watch at most (exit code 3)
        #[arg(long, value_name = "SPAN", value_parser = times::seconds, requires = "watch")]
        timeout: Option<u32>,
    },
    /// List fleet updates, newest first
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one and its hosts
    Show {
        /// The fleet update
        id: FleetUpdateId,
    },
    /// Watch one to its end: exit code 0 completed, 1 completed with failures, 4 halted or cancelled
    Watch {
        /// The fleet update
        id: FleetUpdateId,
        /// How long to watch at most (exit code 3)
        #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
        timeout: Option<u32>,
    },
    /// Offer the release to no further host
    Pause(ActionArguments),
    /// Go on after a pause, or after a halt (then with --note)
    Resume(ActionArguments),
    /// End it; hosts in the middle of their update finish it
    Cancel(ActionArguments),
    /// Offer it again to the hosts that failed
    RetryFailed(ActionArguments),
    /// Give a lost host's slot up
    WriteOff {
        #[command(flatten)]
        action: ActionArguments,
        /// The lost host
        #[arg(long, value_name = "ID")]
        host: HostId,
    },
}

/// Which fleet update, and why.
#[derive(Debug, clap::Args)]
pub struct ActionArguments {
    /// The fleet update
    id: FleetUpdateId,
    /// Why
    #[arg(long, default_value = "")]
    note: String,
}

/// Does it.
pub async fn run(context: &Context, command: FleetUpdateCommand) -> Result<Exit, Failure> {
    match command {
        FleetUpdateCommand::Plan(arguments) => plan(context, (*arguments).into()).await?,
        FleetUpdateCommand::Start { arguments, watch, timeout } => {
            return start(context, (*arguments).into(), watch.then(|| Patience::of(timeout))).await;
        }
        FleetUpdateCommand::List { paging } => {
            let render = |fleet_updates: &[FleetUpdateView]| show::table(fleet_updates, Timestamp::now());
            paging.list(context, (&["fleet-updates"], Vec::new()), render).await?;
        }
        FleetUpdateCommand::Show { id } => details(context, id).await?,
        FleetUpdateCommand::Watch { id, timeout } => {
            return watch::watch(context, &context.client()?, id, Patience::of(timeout)).await;
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

/// Starts it; watches it where there is patience for it.
async fn start(context: &Context, request: FleetUpdateRequest, watched: Option<Patience>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let answer = client.create(&["fleet-updates"], &request).await?;
    let id = answer.read::<FleetUpdateView>()?.id;
    if let Some(patience) = watched {
        return watch::watch(context, &client, id, patience).await;
    }
    context.show(&answer, |view| show::details(view, Timestamp::now()))?;
    context.remark(&format!("Its end: muster fleet-update watch {id}"));
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

async fn act(context: &Context, verb: &str, action: ActionArguments, host: Option<HostId>) -> Result<(), Failure> {
    let ActionArguments { id, note } = action;
    let path = ["fleet-updates", &id.to_string(), verb];
    let answer = context.client()?.act(&path, &FleetUpdateAction { note, host_id: host }).await?;
    context.show(&answer, |view: &FleetUpdateView| show::summary(view))
}
