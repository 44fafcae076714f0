//! Storage: the `storage` command.

use jiff::Timestamp;
use muster_schemas::storage::StorageView;

use crate::{
    exits::Exit,
    failures::Failure,
    output::Context,
    tables::{self, Table},
    times,
};

/// Shows how much the server keeps.
pub async fn show(context: &Context) -> Result<Exit, Failure> {
    let answer = context.client()?.get(&["storage"], &[]).await?;
    context.show(&answer, |view: &StorageView| render(view, Timestamp::now()))?;
    Ok(Exit::Succeeded)
}

fn render(view: &StorageView, now: Timestamp) -> String {
    let mut table = Table::new(["KIND", "RECORDS", "BYTES", "OLDEST"]);
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    for kind in &view.kinds {
        let oldest = kind.oldest_at.map_or_else(String::new, |at| times::ago(at, now));
        table.row([kind.kind.clone(), number(kind.records), number(kind.bytes), oldest]);
    }
    let bytes = |count: Option<u64>| count.map_or_else(String::new, |count| format!("{count} bytes"));
    let facts = tables::facts(&[
        ("file", bytes(view.file_bytes)),
        ("write-ahead log", bytes(view.write_ahead_log_bytes)),
        ("measured", times::ago(view.measured_at, now)),
    ]);
    format!("{}\n{facts}", table.render("Nothing is kept."))
}
