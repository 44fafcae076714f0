//! Command line of `muster-agent`.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use muster_agent::{
    enroll,
    errors::chain,
    exits::Exit,
    log::{Lines, one_line},
    programs, relocation, run, status, supervisor,
    version::{COMMIT, version},
    versions::trust,
};
use muster_schemas::secrets::Secret;
use serde_json::Value;

/// The agent of Muster: makes outbound requests only, runs what the host's policy allows, and tells what became of it.
#[derive(Debug, Parser)]
#[command(name = "muster-agent", disable_version_flag = true, arg_required_else_help = true)]
struct Cli {
    /// Print the version and the commit it was built from.
    #[arg(long, short = 'V')]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Join a server.
    Enroll {
        /// The server's URL; https, or http to this very machine.
        #[arg(long, env = "MUSTER_SERVER")]
        server: String,
        /// The enrollment token.
        #[arg(long, env = "MUSTER_ENROLLMENT_TOKEN", hide_env_values = true)]
        token: Option<String>,
        /// The same by the name that the variable had, which means an API key as well: only what begins as an enrollment token
        /// is one.
        #[arg(long, env = "MUSTER_TOKEN", hide = true, hide_env_values = true)]
        token_by_old_name: Option<String>,
        /// The root of trust for releases of the agent. Without one, no update is ever installed.
        #[arg(long)]
        trust_root: Option<PathBuf>,
        #[command(flatten)]
        state: State,
    },
    /// Run the agent: what the service manager starts. It supervises the committed version.
    Run {
        #[command(flatten)]
        state: State,
    },
    /// Install the first root of trust, or its successor.
    TrustRoot {
        #[command(flatten)]
        state: State,
        /// The signed root.
        file: PathBuf,
    },
    /// Point this host to another URL of the server that it has joined. An agent that runs follows within seconds.
    PointTo {
        #[command(flatten)]
        state: State,
        /// The server's new URL; https, or http to this very machine.
        url: String,
    },
    /// Tell what this host is, runs and allows.
    Status {
        #[command(flatten)]
        state: State,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check that this binary can work with the state directory, and print its version as JSON.
    SelfCheck {
        #[command(flatten)]
        state: State,
    },
    /// The worker: started by `run`.
    #[command(hide = true)]
    Work {
        #[command(flatten)]
        state: State,
    },
    /// The shim of a job's program: started by `work`.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Shim {
        /// The job, for who looks at the processes.
        _job: String,
    },
}

#[derive(Debug, clap::Args)]
struct State {
    /// Where the agent keeps everything.
    #[arg(long = "state", env = "MUSTER_STATE")]
    directory: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A log that nobody reads any more must not end the agent.
    let log = tracing_subscriber::fmt().with_writer(|| Lines(io::stderr())).with_target(false).with_ansi(false);
    log.log_internal_errors(false).init();
    let done = match cli.command {
        _ if cli.version => print(&format!("muster-agent {} ({COMMIT})", version())),
        None => print("muster-agent: no command; see --help"),
        Some(command) => obey(command),
    };
    done.unwrap_or_else(|reason| {
        let _ = writeln!(io::stderr(), "muster-agent: {}", one_line(&reason));
        ExitCode::FAILURE
    })
}

fn obey(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Enroll { server, token, token_by_old_name, trust_root, state } => {
            let token = Secret::new(token.map_or_else(|| by_old_name(token_by_old_name), Ok)?);
            let joined =
                block_on(enroll::enroll(&state.directory, &server, token))?.map_err(|failed| chain(&failed))?;
            if let Some(file) = trust_root {
                trust::install_root(&state.directory, &file).map_err(|failed| chain(&failed))?;
            }
            print(&format!("This host is {joined}"))
        }
        Command::Run { state } => {
            let ended = block_on(supervisor::watch::supervise(state.directory))?;
            ended.map(|()| ExitCode::SUCCESS).map_err(|failed| chain(&failed))
        }
        Command::TrustRoot { state, file } => {
            let version = trust::install_root(&state.directory, &file).map_err(|failed| chain(&failed))?;
            print(&format!("Root of trust {version} installed"))
        }
        Command::PointTo { state, url } => {
            let pointed = block_on(relocation::point_to(&state.directory, &url))?;
            print(&format!("This host calls {} from now on", pointed.map_err(|failed| chain(&failed))?))
        }
        Command::Status { state, json } => {
            let status = status::status(&state.directory);
            print(&if json { pretty(&status) } else { plain(&status, 0) })
        }
        Command::SelfCheck { state } => print(&status::self_check(&state.directory)?.to_string()),
        Command::Work { state } => {
            let exit = block_on(run::work(state.directory))?.unwrap_or_else(|failed| {
                let _ = writeln!(io::stderr(), "muster-agent: {}", one_line(&chain(&failed)));
                Exit::Unusable
            });
            Ok(exit.code().into())
        }
        #[cfg(target_os = "linux")]
        Command::Shim { .. } => Ok(programs::shim::serve()),
    }
}

/// The enrollment token, from where it was looked for before.
fn by_old_name(token: Option<String>) -> Result<String, String> {
    let token = token.filter(|token| token.starts_with("met_"));
    let token = token.ok_or("there is no enrollment token: give --token, or set MUSTER_ENROLLMENT_TOKEN")?;
    let _ = writeln!(io::stderr(), "muster-agent: MUSTER_TOKEN is called MUSTER_ENROLLMENT_TOKEN now; set that");
    Ok(token)
}

/// One thread: the agent waits, mostly.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|failed| format!("cannot start: {failed}"))?;
    let done = runtime.block_on(work);
    // Tasks that still wait for the network are of no interest any more.
    runtime.shutdown_background();
    Ok(done)
}

fn print(text: &str) -> Result<ExitCode, String> {
    writeln!(io::stdout(), "{text}").map_err(|failed| format!("cannot print: {failed}"))?;
    Ok(ExitCode::SUCCESS)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// JSON as indented lines, for people.
fn plain(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let lines: Vec<_> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| entry(&indent, name, value, depth)).collect(),
        Value::Array(items) => items.iter().map(|item| format!("{indent}- {item}")).collect(),
        Value::String(text) => vec![format!("{indent}{text}")],
        other => vec![format!("{indent}{other}")],
    };
    lines.join("\n")
}

fn entry(indent: &str, name: &str, value: &Value, depth: usize) -> String {
    match value {
        Value::Array(items) if items.is_empty() => format!("{indent}{name}: none"),
        Value::Null => format!("{indent}{name}: none"),
        Value::Object(_) | Value::Array(_) => format!("{indent}{name}:\n{}", plain(value, depth + 1)),
        Value::String(text) => format!("{indent}{name}: {text}"),
        other => format!("{indent}{name}: {other}"),
    }
}
