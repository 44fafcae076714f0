//! `test` and `ci`: what must hold before a change is done.

use std::{process::Command, time::Instant};

use crate::{
    Result, before,
    commands::{Beside, cargo, output, root, run, say, target, unless_missing},
    console, fleet,
    lambda::{self, Architecture},
    packages, schemas,
    services::{self, Services},
    sizes,
};

type Step = fn() -> Result;

/// Tests that take the store as a parameter: they run on the embedded one with all others, and then on services.
const ON_BOTH_STORES: [&str; 3] = ["api", "scenarios", "access"];

/// What the server of the real-process tests is made of; with all others they run on the embedded store.
const OTHER_BODIES: [(&str, &str); 2] =
    [("serve-services", "on DynamoDB and S3"), ("functions", "as functions, on DynamoDB and S3")];

/// What tests of real processes start, of today and of before.
pub fn fleet() -> Result {
    fleet::TESTS.build()?;
    before::build()
}

/// Every test of the workspace, real processes included; those that are wanted, if arguments say which.
pub fn test(arguments: &[String]) -> Result {
    fleet()?;
    packages::provide();
    let services = Services::start()?;
    let mut tests = cargo(["test", "--quiet", "--workspace"]);
    if !arguments.is_empty() {
        return run(services.tell(tests.args(arguments)));
    }
    run(&mut cargo(["test", "--quiet", "--workspace", "--no-run"]))?;
    // Real agents mostly wait, the emulator computes: side by side they take hardly longer than one of them.
    let on_services = on_services(&services)?;
    run(services.tell(&mut tests))?;
    say("\nOnce more, on DynamoDB and S3:");
    on_services.ends()?;
    for (body, place) in OTHER_BODIES {
        say(&format!("\nReal processes once more, {place}:"));
        let mut tests = cargo(["test", "--quiet", "--package", "muster-tests", "--test", "fleet"]);
        run(services.tell(&mut tests).env("MUSTER_TEST_BODY", body))?;
    }
    Ok(())
}

fn on_services(services: &Services) -> Result<Beside> {
    let again = ON_BOTH_STORES.iter().flat_map(|name| ["--test", name]);
    let mut tests = cargo(["test", "--quiet", "--package", "muster-tests"].into_iter().chain(again));
    services.tell(&mut tests).env("MUSTER_TEST_STORE", "dynamodb");
    Beside::start(&mut tests, target().join("tests-on-services.log"))
}

/// The steps, in the order in which they fail fastest. The first failure ends it.
pub fn ci() -> Result {
    let started = Instant::now();
    let steps: [(&str, Step); 8] = [
        ("format", || run(&mut cargo(["fmt", "--all", "--check"]))),
        ("lints", lints),
        ("dependencies", dependencies),
        ("schemas", schemas::check),
        ("console", console::step),
        ("infra", infra),
        ("tests", || test(&[])),
        ("sizes", sizes::check),
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
    run(&mut cargo(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // A function goes without the embedded store, a server of its own without services.
    ["services", "embedded"].into_iter().try_for_each(|feature| {
        let alone = ["clippy", "--quiet", "--package", "muster-server", "--no-default-features", "--features", feature];
        run(cargo(alone).args(["--bins", "--", "-D", "warnings"]))
    })
}

/// The template of the functions: what it says, what it becomes, and what a stack of it may do, with the artifact in it
/// where that was built.
fn infra() -> Result {
    let Some(python) = unless_missing(services::python())? else { return Ok(()) };
    let mut check = Command::new(python);
    check.arg(root().join("infra/check"));
    let artifact = lambda::artifact(Architecture::own());
    if artifact.exists() {
        check.arg("--zip").arg(artifact);
    }
    run(&mut check)
}

/// Licences, sources and advisories of what we depend on. A tool of its own, so only where it is there.
fn dependencies() -> Result {
    if output(Command::new("cargo-deny").arg("--version")).is_err() {
        say("SKIP: cargo-deny is not installed; cargo install cargo-deny --locked");
        return Ok(());
    }
    run(&mut cargo(["deny", "--workspace", "check"]))
}
