//! `muster-function-host`: serves a function over HTTP as API Gateway and Lambda would, or measures how it starts.

use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use muster_function_host::{
    ENDPOINT_TIMEOUT, Faults, Front, Function, Limits, Program, Schedule, cold_starts, summary,
};
use tokio::signal::unix::{SignalKind, signal};

/// A stand-in for AWS Lambda and API Gateway on this machine.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 stands for any.
    #[arg(long, required_unless_present = "measure")]
    listen: Option<SocketAddr>,
    /// Instead of listening: start so many processes, and print how long they took to their first `next`.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["listen", "tick_every"])]
    measure: Option<usize>,
    /// The program to run.
    #[arg(long)]
    binary: PathBuf,
    /// What it finds in its environment besides what Lambda sets, `PATH` and `MUSTER_ROLE`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    env: Vec<(String, String)>,
    /// Invoke it with `MUSTER_ROLE=tick` now and every so many seconds. Absent: never.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    tick_every: Option<Duration>,
    /// How many processes serve HTTP at most.
    #[arg(long, default_value_t = Limits::default().max_concurrency)]
    concurrency: usize,
    /// The file to whose end the output of all processes goes. Absent: nowhere.
    #[arg(long)]
    log: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if let Some(count) = arguments.measure {
        writeln!(io::stdout(), "{}", summary(&cold_starts(&arguments.program("api"), count).await?))?;
    }
    if let Some(address) = arguments.listen {
        serve(arguments, address).await?;
    }
    Ok(())
}

/// Serves until it is told to end. What it holds kills its processes when it is dropped.
async fn serve(arguments: &Arguments, address: SocketAddr) -> io::Result<()> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let limits = Limits { max_concurrency: arguments.concurrency, ..Limits::default() };
    let front = Front::start(address, arguments.function("api", limits), ENDPOINT_TIMEOUT).await?;
    let _schedule = arguments
        .tick_every
        .map(|period| Schedule::every(period, arguments.function("tick", Limits::default()), Faults::default()));
    writeln!(io::stdout(), "listening on http://{}", front.address())?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    Ok(())
}

impl Arguments {
    fn function(&self, role: &str, limits: Limits) -> Arc<Function> {
        Arc::new(Function::new(self.program(role), limits))
    }

    fn program(&self, role: &str) -> Program {
        let role = [("MUSTER_ROLE".to_owned(), role.to_owned())];
        let environment = self.env.iter().cloned().chain(role).collect();
        Program { binary: self.binary.clone(), environment, log: self.log.clone() }
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|period| !period.is_zero())
        .ok_or_else(|| "expected more than 0".into())
}
