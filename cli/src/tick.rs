//! `tick`: doing what is due.

use crate::{exits::Exit, failures::Failure, output::Context};

/// Asks the server to do what is due now.
pub async fn run(context: &Context) -> Result<Exit, Failure> {
    let answer = context.client()?.act(&["tick"], &serde_json::json!({})).await?;
    context.done(&answer, "The tick has run.")?;
    Ok(Exit::Succeeded)
}
