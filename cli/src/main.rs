//! Command-line client (`muster`): manages a fleet from a terminal or a CI pipeline.
//!
//! Answers go to stdout and everything else to stderr. The exit code tells how the command ended; [`exits`] has the table.

mod api_keys;
mod audit;
mod client;
mod commands;
mod config;
mod deadlines;
mod enrollment_tokens;
mod exits;
mod failures;
mod files;
mod fleet_updates;
mod hosts;
mod jobs;
mod output;
mod pairs;
mod progress;
mod prompts;
mod releases;
mod roles;
mod session;
mod storage;
mod tables;
mod terminal;
mod tick;
mod times;
mod users;

use std::process::ExitCode;

use clap::Parser;

/// One thread is enough: the program mostly waits for the server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::Muster::parse().run().await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::warn(failure.report().trim_end());
            failure.exit().into()
        }
    }
}
