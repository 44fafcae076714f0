//! `muster-simulate`: seeds of fleets in virtual time, and what came of them.

use std::{
    io::Write as _,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use muster_simulation::{Options, Report, simulate};

/// Simulate fleets: the real agents and server in virtual time, on a network that does its worst
#[derive(Parser)]
#[command(name = "cargo xtask simulate")]
struct Arguments {
    /// How many hosts a fleet has
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// For how many minutes things go wrong
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// What goes wrong beside crashes, cuts and bad lines (repeatable) [default: clones with even seeds, restores with odd]
    #[arg(long, value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Instead of seeds: so many hosts lose their server for five minutes, and come back
    #[arg(long, value_name = "HOSTS")]
    herd: Option<u32>,
    /// Instead of seeds: so many hosts lose their line in mid-job, for 30 s, for 6 min and for an hour
    #[arg(long, value_name = "HOSTS", conflicts_with = "herd")]
    partitions: Option<u32>,
    /// Show what the server and the agents log
    #[arg(long)]
    logs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Fault {
    /// Disks of hosts are copied, and both copies run.
    Clones,
    /// The server's store is put back to a backup.
    Restores,
    /// Neither.
    None,
}

fn main() -> ExitCode {
    let Arguments { hosts, seed, seeds, minutes, faults, herd, partitions, logs } = Arguments::parse();
    if logs {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).without_time().init();
    }
    if let Some(hosts) = herd {
        say(&format!("{:#?}", muster_simulation::herd(seed, hosts)));
        return ExitCode::SUCCESS;
    }
    if let Some(hosts) = partitions {
        return heal(seed, hosts);
    }
    let (clones, restores) = (faults.contains(&Fault::Clones), faults.contains(&Fault::Restores));
    let options = Options { hosts, trouble: Duration::from_secs(minutes * 60), clones, restores };
    let options = |seed| if faults.is_empty() { options.clone().of_seed(seed) } else { options.clone() };
    let began = Instant::now();
    let next = AtomicU64::new(seed);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(usize::try_from(seeds).unwrap_or(1));
    let done = thread::scope(|scope| {
        let workers = (0..threads).map(|_| scope.spawn(|| some(&next, seed + seeds, &options))).collect::<Vec<_>>();
        workers.into_iter().map(|worker| worker.join().expect("a violation is told, not panicked")).collect::<Vec<_>>()
    });
    let mut total = Report::default();
    let mut failed = 0;
    for (report, failures) in done {
        total.add(report);
        failed += failures;
    }
    say(&format!("{} of {seeds} seeds hold, in {:.1} s\n{total:#?}", seeds - failed, began.elapsed().as_secs_f64()));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn heal(seed: u64, hosts: u32) -> ExitCode {
    let mut held = true;
    for seconds in [30, 360, 3_600] {
        let (healings, doubles) = muster_simulation::partitions(seed, hosts, Duration::from_secs(seconds));
        let within = healings.iter().filter(|healing| healing.is_within_one_check_in()).count();
        let latest = healings.iter().map(|healing| healing.until_known).max().unwrap_or_default();
        say(&format!(
            "{seconds} s: {within} of {hosts} converge within one check-in, {latest:?} after it at most; {} double runs",
            doubles.len()
        ));
        held &= within == healings.len() && doubles.is_empty();
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Simulates the seeds that nobody else has taken.
fn some(next: &AtomicU64, end: u64, options: &impl Fn(u64) -> Options) -> (Report, u64) {
    let (mut total, mut failed) = (Report::default(), 0);
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return (total, failed);
        }
        match simulate(seed, &options(seed)) {
            Ok(report) => total.add(report),
            Err(violations) => {
                failed += 1;
                say(&format!("seed {seed} fails:"));
                for violation in violations {
                    say(&format!("  {violation}"));
                }
            }
        }
    }
}

fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}
