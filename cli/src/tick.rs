//! Tick (the server's scheduled work): the `tick` command.

use crate::{exits::Exit, failures::Failure, output::Context};

/// Asks the server to run its scheduled work now.
pub async fn run(context: &Context) -> Result<Exit, Failure> {
    let answer = context.client()?.act(&["tick"], &serde_json::json!({})).await?;
    context.done(&answer, "The server has run a tick.")?;
    Ok(Exit::Succeeded)
}
