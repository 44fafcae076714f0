//! `muster-server`: picks a role.

use std::{io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};
use muster_server::{api, roles::serve, version};

/// The server of Muster: a fleet control plane for hosts nobody can reach
#[derive(Parser)]
#[command(name = "muster-server", version = long_version(), propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Serve: one process with the embedded store
    Serve(serve::Options),
    /// Print the API as an `OpenAPI` document
    Openapi,
}

fn main() -> ExitCode {
    let Arguments { role } = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    let done = match role {
        Role::Serve(options) => serve(options),
        Role::Openapi => {
            std::io::stdout().write_all(api::openapi::text().as_bytes()).map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: serve::Options) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(serve::run(options)).map_err(|error| api::problem::chain(&error))
}

fn long_version() -> &'static str {
    static TEXT: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("{} (commit {})", version::VERSION, version::COMMIT));
    &TEXT
}
