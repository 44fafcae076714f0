//! `muster-server`: picks a role.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use muster_server::{
    api::{self, edge::ACCESS_LOG},
    roles::{
        admin,
        serve::{self, Log, LogFormat},
    },
    version,
};
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// The server of Muster: a fleet control plane for hosts that nobody can reach from outside
#[derive(Parser)]
#[command(name = "muster-server", version = long_version(), propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Run the server: one process on the embedded store, or one of many on `DynamoDB` and S3
    Serve(Box<serve::Options>),
    /// Set up, export and import a storage, and create accounts, without the API
    #[command(subcommand)]
    Admin(admin::Command),
    /// Print the API as an `OpenAPI` document
    Openapi,
}

fn main() -> ExitCode {
    let done = as_function().unwrap_or_else(|| {
        let Arguments { role } = Arguments::parse();
        log(match &role {
            Role::Serve(options) => options.log(),
            Role::Admin(_) | Role::Openapi => Log { level: Level::INFO, format: LogFormat::Text, access: false },
        });
        run(role)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to stderr, with colors only on a terminal of somebody who wants them.
fn log(Log { level, format, access }: Log) {
    let colored = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    // A log that nobody reads any more must not end the server.
    let lines = fmt::layer().with_writer(stderr).with_target(false).log_internal_errors(false);
    let logged = tracing_subscriber::registry().with(logged(level, access));
    match format {
        LogFormat::Text => logged.with(lines.with_ansi(colored)).init(),
        LogFormat::Json => logged.with(lines.json().flatten_event(true)).init(),
    }
}

/// Libraries never log more than at `info`: they might tell the secrets that they carry.
fn logged(level: Level, access: bool) -> Targets {
    let access = if access { LevelFilter::INFO } else { LevelFilter::OFF };
    let libraries = level.min(Level::INFO);
    Targets::new().with_default(libraries).with_target("muster_server", level).with_target(ACCESS_LOG, access)
}

/// A function is started without arguments: its role stands in its environment.
#[cfg(feature = "services")]
fn as_function() -> Option<Result<(), String>> {
    let role = std::env::var("MUSTER_ROLE").ok()?;
    // A word that Lambda's own setting uses: DEBUG, INFO, WARN …
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let lines = fmt::layer().json().flatten_event(true).with_target(false).log_internal_errors(false);
    // The gateway has an access log of its own.
    let levels = logged(level.unwrap_or(Level::INFO), false);
    tracing_subscriber::registry().with(levels).with(lines).init();
    Some(muster_server::roles::functions::run(&role))
}

#[cfg(not(feature = "services"))]
fn as_function() -> Option<Result<(), String>> {
    None
}

fn run(role: Role) -> Result<(), String> {
    let say = |text: &str| std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    match role {
        Role::Serve(options) => {
            runtime.block_on(serve::run(*options)).map_err(|error| muster_server::errors::chain(&error))
        }
        Role::Admin(command) => {
            let done = runtime.block_on(admin::run(command)).map_err(|error| muster_server::errors::chain(&error))?;
            say(&format!("{done}\n"))
        }
        Role::Openapi => say(&api::openapi::text(&api::routes())),
    }
}

fn long_version() -> &'static str {
    static TEXT: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("{} (commit {})", version::VERSION, version::COMMIT));
    &TEXT
}
