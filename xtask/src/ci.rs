//! `test` and `ci`: what must hold before a change is done.

use std::{process::Command, time::Instant};

use crate::{
    Result,
    commands::{cargo, output, run, say},
    fleet, schemas, sizes,
};

type Step = fn() -> Result;

/// Every test of the workspace, real processes included.
pub fn test(arguments: &[String]) -> Result {
    fleet::build()?;
    run(cargo(["test", "--quiet", "--workspace"]).args(arguments))
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
