//! `test` and `ci`: what must hold before a change is done.

use std::{process::Command, time::Instant};

use crate::{
    Result,
    commands::{cargo, output, run, say},
    fleet, schemas,
    services::Services,
    sizes,
};

type Step = fn() -> Result;

/// Tests that take the store as a parameter: they run on the embedded one with all others, and then on services.
const ON_BOTH_STORES: [&str; 3] = ["api", "scenarios", "access"];

/// Every test of the workspace, real processes included; those that are wanted, if arguments say which.
pub fn test(arguments: &[String]) -> Result {
    fleet::build()?;
    let services = Services::start()?;
    run(services.tell(cargo(["test", "--quiet", "--workspace"]).args(arguments)))?;
    if !arguments.is_empty() {
        return Ok(());
    }
    let again = ON_BOTH_STORES.iter().flat_map(|name| ["--test", name]);
    say("\nOnce more, on DynamoDB and S3:");
    let mut tests = cargo(["test", "--quiet", "--package", "muster-tests"].into_iter().chain(again));
    run(services.tell(&mut tests).env("MUSTER_TEST_STORE", "dynamodb"))
}

/// The steps, in the order in which they fail fastest. The first failure ends it.
pub fn ci() -> Result {
    let started = Instant::now();
    let steps: [(&str, Step); 6] = [
        ("format", || run(&mut cargo(["fmt", "--all", "--check"]))),
        ("lints", lints),
        ("dependencies", dependencies),
        ("schemas", schemas::check),
        ("tests", || test(&[])),
        ("sizes", sizes::print),
    ];
    let mut times = Vec::new();
    for (name, step) in steps {
        say(&format!("\n━━ {name}"));
        let started = Instant::now();
        let done = step();
        times.push(format!("{name} {:.1} s", started.elapsed().as_secs_f64()));
        say(&format!("━━ {}", times.last().map_or("", String::as_str)));
        done.map_err(|reason| format!("{name}: {reason}"))?;
    }
    say(&format!("\nAll of it holds, in {:.1} s: {}.", started.elapsed().as_secs_f64(), times.join(", ")));
    Ok(())
}

fn lints() -> Result {
    run(&mut cargo(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Licences, sources and advisories of what we depend on. A tool of its own, so only where it is there.
fn dependencies() -> Result {
    if output(Command::new("cargo-deny").arg("--version")).is_err() {
        say("SKIP: cargo-deny is not installed; cargo install cargo-deny --locked");
        return Ok(());
    }
    run(&mut cargo(["deny", "--workspace", "check"]))
}
