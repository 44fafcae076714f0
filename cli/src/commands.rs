//! The command line: every command in one list.

use std::env;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use muster_schemas::secrets::Secret;

use crate::{
    api_keys::{self, KeyCommand},
    audit::{self, AuditArguments},
    enrollment_tokens::{self, TokenCommand},
    exits::Exit,
    failures::Failure,
    fleet_updates::{self, FleetUpdateCommand},
    hosts::{self, HostArguments, HostFilters},
    jobs::{self, JobCommand},
    output::{self, Context},
    releases::{self, ReleaseCommand},
    session::{self, LoginArguments},
    tick,
    users::{self, UserCommand},
};

const AFTER_HELP: &str = "\
Exit codes: 0 succeeded, 1 failed, 2 usage, 3 timed out, 4 cancelled or halted.

Environment: MUSTER_SERVER and MUSTER_TOKEN (an API key or a session's token) instead of `muster login`;
MUSTER_CA_FILE (PEM) for a server with a certificate of one's own CA; MUSTER_CONFIG for another place of the session
than ~/.config/muster/config.toml.";

/// A fleet control plane for hosts nobody can reach
#[derive(Debug, Parser)]
#[command(name = "muster", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Muster {
    /// The server's URL, instead of the one logged in to
    #[arg(long, global = true, env = "MUSTER_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Print the API's own JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open a session; the password comes from `MUSTER_PASSWORD`, --password-stdin or the terminal
    Login(LoginArguments),
    /// End the session and forget it
    Logout,
    /// Show who is logged in, and where
    Whoami,
    /// Show the versions of this program and of the server
    Version,
    /// Enrollment tokens: how hosts join
    #[command(subcommand)]
    Token(TokenCommand),
    /// List hosts
    Hosts(HostFilters),
    /// Show or change one host
    Host(HostArguments),
    /// Run programs on hosts
    #[command(subcommand, visible_alias = "job")]
    Jobs(JobCommand),
    /// Sign releases of the agent (offline), and publish them
    #[command(subcommand, visible_alias = "releases")]
    Release(ReleaseCommand),
    /// Bring a release to many hosts, in waves
    #[command(subcommand, visible_alias = "fleet-updates")]
    FleetUpdate(FleetUpdateCommand),
    /// Accounts of people
    #[command(subcommand)]
    Users(UserCommand),
    /// API keys of programs
    #[command(subcommand)]
    Keys(KeyCommand),
    /// Show who changed what, newest first
    Audit(AuditArguments),
    /// Do what is due now instead of at the next tick
    Tick,
    /// Print a completion script
    Completions {
        /// For which shell
        shell: Shell,
    },
}

impl Muster {
    /// Does what the command line says.
    pub async fn run(self) -> Result<Exit, Failure> {
        // From the environment only: what is on the command line, every list of processes shows.
        let token = env::var("MUSTER_TOKEN").ok().filter(|token| !token.is_empty()).map(Secret::new);
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
            Command::Audit(arguments) => audit::list(context, arguments).await,
            Command::Tick => tick::run(context).await,
            Command::Completions { shell } => completions(shell),
        }
    }
}

fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Muster::command(), "muster", &mut script);
    output::bytes(&script)?;
    Ok(Exit::Succeeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Muster::command().debug_assert();
    }
}
