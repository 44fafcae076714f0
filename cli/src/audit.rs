//! Audit log: the `audit` commands.

use jiff::Timestamp;
use muster_schemas::{audit::AuditEntry, pages::Page};
use serde_json::Value;

use crate::{
    exits::Exit,
    failures::Failure,
    output::{self, Context, Paging},
    tables::{self, Table},
    times,
};

/// How many entries of an export are got at once.
const AT_ONCE: &str = "200";

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArguments {
    #[command(subcommand)]
    command: Option<AuditCommand>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    paging: Paging,
}

/// The `audit` commands.
#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    /// Print all entries as JSON, one per line, newest first
    Export {
        #[command(flatten)]
        filter: Filter,
    },
}

/// Which entries.
#[derive(Debug, clap::Args)]
struct Filter {
    /// Show only entries about this: an id, a version, or the name of a user, an API key or a host
    #[arg(long, value_name = "ID|NAME")]
    subject: Option<String>,
    /// Show only what this one has done: an id, or the name of a user or an API key
    #[arg(long, value_name = "ID|NAME")]
    actor: Option<String>,
    /// Show only what was done in this way: such as job.created, or job for all that is done to jobs
    #[arg(long)]
    action: Option<String>,
    /// Show only entries from this time on: such as 2026-03-01T12:00:00Z, or 2h for two hours ago
    #[arg(long, value_name = "TIME|SPAN", value_parser = times::moment)]
    since: Option<Timestamp>,
    /// Show only entries before this time
    #[arg(long, value_name = "TIME|SPAN", value_parser = times::moment)]
    until: Option<Timestamp>,
    /// Show only entries that somebody should look at
    #[arg(long)]
    alert: bool,
}

impl Filter {
    fn query(self) -> Vec<(&'static str, String)> {
        let Self { subject, actor, action, since, until, alert } = self;
        let times = [("since", since), ("until", until)].map(|(name, at)| (name, at.map(|at| at.to_string())));
        let words = [("subject", subject), ("actor", actor), ("action", action)].into_iter().chain(times);
        let words = words.filter_map(|(name, word)| Some((name, word?)));
        words.chain(alert.then(|| ("alert", "true".to_owned()))).collect()
    }
}

/// Runs an `audit` command: prints the audit log, newest entry first.
pub async fn run(context: &Context, arguments: AuditArguments) -> Result<Exit, Failure> {
    let AuditArguments { command, filter, paging } = arguments;
    match command {
        None => paging.list(context, (&["audit"], filter.query()), table).await?,
        Some(AuditCommand::Export { filter }) => export(context, filter.query()).await?,
    }
    Ok(Exit::Succeeded)
}

async fn export(context: &Context, mut query: Vec<(&'static str, String)>) -> Result<(), Failure> {
    let client = context.client()?;
    query.push(("limit", AT_ONCE.into()));
    let mut cursor: Option<String> = None;
    loop {
        let query = [query.clone(), cursor.map(|cursor| ("cursor", cursor)).into_iter().collect()].concat();
        let page: Page<Value> = client.get(&["audit"], &query).await?.read()?;
        let lines = page.items.iter().map(ToString::to_string).collect::<Vec<_>>();
        output::text(&lines.iter().flat_map(|line| [line, "\n"]).collect::<String>())?;
        let Some(next) = page.next_cursor.filter(|_| !output::is_closed()) else { return Ok(()) };
        cursor = Some(next);
    }
}

fn table(entries: &[AuditEntry]) -> String {
    let mut table = Table::new(["WHEN", "WHO", "FROM", "WHAT", "TO", "DETAIL"]);
    for entry in entries {
        let mark = if entry.alert { "! " } else { "" };
        table.row([
            times::at(entry.at),
            tables::actor(&entry.actor, &entry.actor_name),
            if entry.address.is_empty() { "-".into() } else { entry.address.clone() },
            entry.action.clone(),
            entry.subject.clone(),
            format!("{mark}{}", entry.detail),
        ]);
    }
    table.render("No entry of the audit log matches.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_shown_with_the_time_at_which_they_were_made_and_where_from() {
        let entry = serde_json::json!({
            "id": "aud_00000000000000000000000001", "at": "2026-03-02T12:01:00.75Z", "actor": "user:ada", "actor_name": "ada",
            "action": "user.role_changed", "subject": "usr_1", "address": "203.0.113.7", "alert": true,
        });
        let shown = table(&[serde_json::from_value(entry).unwrap()]);
        for text in ["2026-03-02 12:01:00Z", "ada", "203.0.113.7", "user.role_changed"] {
            assert!(shown.contains(text), "{shown}");
        }
    }
}
