//! Progress bars, on stderr and only if it is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// A progress bar that counts bytes.
pub fn bytes(name: &str, total: u64) -> ProgressBar {
    bar(total, "{msg}  {bar:30}  {bytes}/{total_bytes}  {bytes_per_sec}").with_message(name.to_owned())
}

/// A progress bar that counts hosts.
pub fn hosts(total: u64) -> ProgressBar {
    bar(total, "{bar:30}  {pos}/{len} hosts  {msg}")
}

fn bar(total: u64, template: &str) -> ProgressBar {
    let target = if output::is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::with_draw_target(Some(total), target).with_style(style.progress_chars("━━╌"))
}
