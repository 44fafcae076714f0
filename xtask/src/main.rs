//! `cargo xtask …`: the one command set for people and CI.

mod before;
mod bench;
mod beside;
mod ci;
mod clients;
mod commands;
mod console;
mod demo;
mod dist;
mod docs;
mod faults;
mod fleet;
mod fuzz;
mod lambda;
mod localstack;
mod packages;
mod schemas;
mod services;
mod signals;
mod simulate;
mod sizes;
mod tests;
mod timetable;
mod zig;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, prove, show and measure Muster
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a fleet on this machine and tell its story: jobs, an update in waves, a bad release that is undone
    Demo {
        /// End after the story instead of at Ctrl-C
        #[arg(long)]
        exit: bool,
    },
    /// Build what the tests of real processes need, then run every test; more arguments go to cargo test
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Build what the tests of real processes start, for whoever then runs some of them by cargo test --workspace
    Fleet,
    /// Everything that must hold before a change is done
    Ci,
    /// Write schemas/openapi.json from the code
    Schemas {
        /// Only say whether it is as the code is
        #[arg(long)]
        check: bool,
    },
    /// Draw docs/architecture.svg from its text
    Docs,
    /// Check the template of the functions, and what it becomes
    Infra,
    /// Install what tests need from elsewhere, to be found in target/tools: emulators, and packages of the system
    Tools,
    /// Build, check or show the console
    Console {
        #[command(subcommand)]
        action: console::Action,
    },
    /// Measure the store and the server, in an optimised build, with verdicts in one table and in target/bench.json
    Bench {
        /// With few hosts and without optimization, in half a minute: only to see that it can be measured
        #[arg(long)]
        short: bool,
    },
    /// Simulate fleets in virtual time, on a network that does its worst; --help after -- says what can be asked
    Simulate {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Look for inputs that break something, with the fuzzer on nightly
    Fuzz {
        /// How long each target is run
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Which ones; all of them otherwise
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Let the disk under real agents fail at every point of their work, in every way; a test takes some of the points
    Faults {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Build what is shipped, and show how large it is
    Dist,
    /// Build the artifact of the Lambda functions
    Lambda {
        /// What the functions run on
        #[arg(long, default_value = "arm64")]
        architecture: lambda::Architecture,
        /// Build it for this machine, and measure how long it takes to start
        #[arg(long, conflicts_with = "architecture")]
        measure: bool,
    },
    /// Run that artifact on this machine, on services shaped like Amazon's
    Localstack,
    /// Show how large crates, files and functions are; fail over 400 lines a file and 60 a function
    Sizes,
}

/// What a step that failed has to say.
type Result<T = ()> = std::result::Result<T, String>;
/// What is done, and what it is called.
type Step = (&'static str, fn() -> Result);

fn main() -> ExitCode {
    let done = match Xtask::parse().command {
        Command::Demo { exit } => demo::run(if exit { demo::Ending::AfterTheStory } else { demo::Ending::AtCtrlC }),
        Command::Test { arguments } => tests::test(&arguments),
        Command::Fleet => tests::fleet(),
        Command::Ci => ci::ci(),
        Command::Schemas { check: true } => schemas::check(),
        Command::Schemas { check: false } => schemas::write(),
        Command::Docs => docs::write(),
        Command::Infra => ci::infra(),
        Command::Tools => services::provide(),
        Command::Console { action } => console::console(&action),
        Command::Bench { short } => bench::bench(short),
        Command::Simulate { arguments } => simulate::simulate(&arguments),
        Command::Fuzz { seconds, targets } => fuzz::fuzz(seconds, &targets),
        Command::Faults { arguments } => faults::faults(&arguments),
        Command::Dist => dist::dist(),
        Command::Lambda { measure: true, .. } => lambda::measure(),
        Command::Lambda { architecture, measure: false } => lambda::build(architecture).map(drop),
        Command::Localstack => localstack::up(),
        Command::Sizes => sizes::check(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            commands::say(&format!("\nerror: {reason}"));
            ExitCode::FAILURE
        }
    }
}
