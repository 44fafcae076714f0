//! Audit log: the `audit` command.

use jiff::Timestamp;
use muster_schemas::audit::AuditEntry;

use crate::{
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
    tables::{self, Table},
    times,
};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArguments {
    /// Show only entries about this id, such as a host's or a job's
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Prints the audit log, newest entry first.
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
            tables::actor(&entry.actor, &entry.actor_name),
            entry.action.clone(),
            entry.subject.clone(),
            format!("{mark}{}", entry.detail),
        ]);
    }
    table.render("The audit log is empty.")
}
