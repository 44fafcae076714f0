//! `ci`: what must hold before a change is done.
//!
//! What Node, Python and a browser do goes on beside the compiler, which leaves a core idle whenever it waits for one large crate.

use std::{env, process::Command};

use crate::{
    Result, Step,
    commands::{cargo, output, root, run, say, unless_missing},
    lambda::{self, Architecture},
    schemas, services, sizes,
    tests::{
        self,
        lanes::{self, Lane},
        suites::{Kind, Suite},
    },
    timetable::Timetable,
};

/// What is known in seconds.
const AT_ONCE: [Step; 3] = [
    ("format", || run(&mut cargo(["fmt", "--all", "--check"]))),
    ("sizes", sizes::check),
    ("dependencies", dependencies),
];
/// What the compiler does.
const COMPILED: [Step; 2] = [("lints", lints), ("schemas", schemas::check)];
/// What others do meanwhile, as this program's own commands.
const BESIDE: [(&str, &[&str]); 3] = [("console", &["console", "check"]), ("tools", &["tools"]), ("infra", &["infra"])];

/// Everything, in the order in which it fails fastest. The first failure ends it; how long what took is shown in any case.
pub fn ci() -> Result {
    let times = Timetable::start();
    let done = every(&times);
    times.show();
    done.map(|()| say("\nAll of it holds."))
}

fn every(times: &Timetable) -> Result {
    AT_ONCE.into_iter().try_for_each(|(name, step)| times.step(name, step))?;
    let own = env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let beside = BESIDE.map(|(name, arguments)| {
        let mut command = Command::new(&own);
        command.args(arguments).current_dir(root());
        Suite { name: name.into(), kind: Kind::Step, command }
    });
    let compiled =
        |lane: &Lane| COMPILED.into_iter().chain(tests::BUILD).try_for_each(|(name, step)| lane.step(name, step));
    lanes::beside(beside.into(), times, compiled)?;
    tests::run_all(times)
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
pub fn infra() -> Result {
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
