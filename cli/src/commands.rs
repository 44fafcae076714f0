//! Command-line parser (clap): the list of all commands, and where each one is handled.

use std::env;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    api_keys::{self, KeyCommand},
    audit::{self, AuditArguments},
    config,
    enrollment_tokens::{self, TokenCommand},
    exits::{self, Exit},
    failures::Failure,
    fleet_updates::{self, FleetUpdateCommand},
    hosts::{self, HostArguments, HostFilters},
    jobs::{self, JobCommand},
    output::{self, Context},
    releases::{self, ReleaseCommand},
    session::{self, LoginArguments},
    storage, tick,
    users::{self, UserCommand},
};

const ENVIRONMENT: &str = "\
Environment variables:
  MUSTER_SERVER   URL of the server, instead of the one that `muster login` stored
  MUSTER_API_KEY  API key or session token, instead of the one that `muster login` stored
  MUSTER_CA_FILE  PEM file of a private CA that signed the server's certificate
  MUSTER_CONFIG   File that stores the session (default: ~/.config/muster/config.toml)";

/// Manage a fleet of hosts that accept no incoming connections
#[derive(Debug, Parser)]
#[command(name = "muster", version, after_help = format!("{}\n\n{ENVIRONMENT}", exits::TABLE), arg_required_else_help = true)]
pub struct Muster {
    /// Use this server instead of the one you are logged in to
    #[arg(long, global = true, env = "MUSTER_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Print the JSON of the API instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Log in to a server; takes the password from --password-stdin, `MUSTER_PASSWORD` or the terminal
    Login(LoginArguments),
    /// Log out: end the session and delete its stored token
    Logout,
    /// Show the account you are logged in with, its role and the server
    Whoami,
    /// Show the versions of this client and of the server
    Version,
    /// Manage enrollment tokens, which let hosts join the fleet
    #[command(subcommand)]
    Token(TokenCommand),
    /// List hosts
    Hosts(HostFilters),
    /// Show or change one host
    Host(HostArguments),
    /// Run jobs on hosts and read their logs
    #[command(subcommand, visible_alias = "job")]
    Jobs(JobCommand),
    /// Sign releases of the agent offline, and publish them
    #[command(subcommand, visible_alias = "releases")]
    Release(ReleaseCommand),
    /// Update the agents of many hosts in waves, starting with a canary
    #[command(subcommand, visible_alias = "fleet-updates")]
    FleetUpdate(FleetUpdateCommand),
    /// Manage user accounts
    #[command(subcommand)]
    Users(UserCommand),
    /// Manage API keys for programs
    #[command(subcommand)]
    Keys(KeyCommand),
    /// Show the audit log, newest entry first
    Audit(AuditArguments),
    /// Show how much the server keeps, of what, and since when
    Storage,
    /// Run the server's scheduled work now instead of at its next tick
    Tick,
    /// Print a shell completion script
    Completions {
        /// Shell to print the script for
        shell: Shell,
    },
}

impl Muster {
    /// Runs the command.
    pub async fn run(self) -> Result<Exit, Failure> {
        // The token comes from the environment only: every user of the machine can read a process's arguments.
        let token = config::token(set_in_environment);
        let server = self.server.filter(|server| !server.is_empty());
        let context = &Context { json: self.json, server, token };
        match self.command {
            Command::Login(arguments) => session::login(context, arguments).await,
            Command::Logout => session::logout(context).await,
            Command::Whoami => session::whoami(context).await,
            Command::Version => session::version(context).await,
            Command::Token(command) => enrollment_tokens::run(context, command).await,
            Command::Hosts(filters) => hosts::list(context, filters).await,
            Command::Host(arguments) => hosts::run(context, arguments).await,
            Command::Jobs(command) => jobs::run(context, command).await,
            Command::Release(command) => releases::run(context, command).await,
            Command::FleetUpdate(command) => fleet_updates::run(context, command).await,
            Command::Users(command) => users::run(context, command).await,
            Command::Keys(command) => api_keys::run(context, command).await,
            Command::Audit(arguments) => audit::run(context, arguments).await,
            Command::Storage => storage::show(context).await,
            Command::Tick => tick::run(context).await,
            Command::Completions { shell } => completions(shell),
        }
    }
}

fn set_in_environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Muster::command(), "muster", &mut script);
    output::bytes(&script)?;
    Ok(Exit::Succeeded)
}

#[cfg(test)]
mod mentions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Muster::command().debug_assert();
    }
}
