//! Commands for kinds of job that take no arguments, such as `jobs inspect`: clap's subcommands made of the list of kinds.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand, error::ErrorKind};
use muster_schemas::jobs::{KINDS, Kind};

use super::run::PlainArguments;
use crate::{
    exits::{self, Exit},
    failures::Failure,
    output::Context,
};

/// The command of a kind that takes no arguments.
#[derive(Debug)]
pub struct PlainCommand {
    kind: &'static str,
    arguments: PlainArguments,
}

impl PlainCommand {
    /// Starts jobs of the kind, and waits for them if the options say so.
    pub async fn run(self, context: &Context) -> Result<Exit, Failure> {
        self.arguments.run(context, self.kind).await
    }
}

impl Subcommand for PlainCommand {
    fn augment_subcommands(command: Command) -> Command {
        let commands = KINDS.iter().filter_map(|kind| {
            let about = kind.command?;
            Some(PlainArguments::augment_args(Command::new(name(kind))).about(about).after_help(exits::TABLE))
        });
        command.subcommands(commands)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        find(name).is_some()
    }
}

impl FromArgMatches for PlainCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let found = matches.subcommand().and_then(|(name, matches)| Some((find(name)?, matches)));
        let (kind, matches) = found.ok_or_else(|| Error::new(ErrorKind::InvalidSubcommand))?;
        Ok(Self { kind: kind.name, arguments: PlainArguments::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The kind that a command stands for.
fn find(command: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.command.is_some() && name(kind) == command)
}

/// As the words of the command line are written.
fn name(kind: &Kind) -> String {
    kind.name.replace('_', "-")
}
