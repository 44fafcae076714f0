//! `audit`: what was done.

use jiff::Timestamp;
use muster_schemas::audit::AuditEntry;

use crate::{
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
    tables::{Table, who},
    times,
};

/// What to show of the audit trail.
#[derive(Debug, clap::Args)]
pub struct AuditArguments {
    /// Only what was done to this (an id)
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Shows the audit trail, newest first.
pub async fn list(context: &Context, arguments: AuditArguments) -> Result<Exit, Failure> {
    let query = arguments.subject.map(|subject| ("subject", subject)).into_iter().collect();
    let render = |entries: &[AuditEntry]| table(entries, Timestamp::now());
    arguments.paging.list(context, (&["audit"], query), render).await?;
    Ok(Exit::Succeeded)
}

fn table(entries: &[AuditEntry], now: Timestamp) -> String {
    let mut table = Table::new(["WHEN", "WHO", "WHAT", "TO", "DETAIL"]);
    for entry in entries {
        let mark = if entry.alert { "! " } else { "" };
        table.row([
            times::ago(entry.at, now),
            who(&entry.actor, &entry.actor_name),
            entry.action.clone(),
            entry.subject.clone(),
            format!("{mark}{}", entry.detail),
        ]);
    }
    table.render("Nothing was done yet.")
}
