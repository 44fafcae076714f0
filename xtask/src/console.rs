//! The console: built, checked and shown by what Node brings along. A machine without Node builds and runs everything else.

use std::{fs, path::PathBuf, process::Command};

use clap::Subcommand;

use crate::{
    Result,
    commands::{output, root, run, say, unless_missing},
    packages,
};

/// The oldest Node that its tools take.
const NODE: u32 = 20;

/// What to do with the console.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make console/dist: servers that are built after that have it
    Build,
    /// Serve it while it is worked on, on a mock server; on a real one, if `MUSTER_URL` names it
    Dev,
    /// Types, lints, format, unit tests, sizes, and every page in a browser on a mock server
    Check,
    /// Write console/screenshots: every page, light and dark
    Screenshots,
    /// What Lighthouse says of it with ten thousand hosts; where nobody else is at work
    Lighthouse,
}

/// Does it.
pub fn console(action: &Action) -> Result {
    // Where there is no Node, everything else is tested all the same.
    if matches!(action, Action::Check) && unless_missing(node())?.is_none() {
        return Ok(());
    }
    install()?;
    match action {
        Action::Build => build(),
        Action::Dev => npm(&["run", "dev"]),
        Action::Check => check(),
        Action::Screenshots => shown("screenshots"),
        Action::Lighthouse => shown("lighthouse"),
    }
}

/// Whether it was built.
pub fn is_built() -> bool {
    folder().join("dist/index.html").exists()
}

/// Where the console is, built and ready to be tested in a browser.
pub fn ready() -> Result<PathBuf> {
    install()?;
    build()?;
    packages::provide_browser()?;
    Ok(folder())
}

/// Builds it for a server that is compiled next: which one it is, by the name of its program. Empty, and said, without Node.
pub fn put_into_servers() -> Result<String> {
    if let Err(reason) = node() {
        say(&format!("The server goes without the console: {reason}"));
        return Ok(String::new());
    }
    console(&Action::Build)?;
    let page = folder().join("dist/index.html");
    let text = fs::read_to_string(&page).map_err(|error| format!("cannot read {}: {error}", page.display()))?;
    let name = text.split("/assets/index-").nth(1).and_then(|rest| rest.split('.').next());
    Ok(name.unwrap_or_default().into())
}

fn check() -> Result {
    npm(&["run", "check"])?;
    npm(&["test"])?;
    build()?;
    npm(&["run", "size"])?;
    packages::provide_browser()?;
    npm(&["run", "test:browser"])
}

/// A script that needs a browser and the built console.
fn shown(script: &str) -> Result {
    ready()?;
    npm(&["run", script])
}

fn build() -> Result {
    npm(&["run", "build"])
}

/// What the lock file names, once for each lock file.
fn install() -> Result {
    node()?;
    let (lock, installed) = (folder().join("package-lock.json"), folder().join("node_modules/.installed"));
    let wanted = fs::read(&lock).map_err(|error| format!("cannot read {}: {error}", lock.display()))?;
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    npm(&["ci", "--no-audit", "--no-fund"])?;
    fs::write(&installed, wanted).map_err(|error| format!("cannot write {}: {error}", installed.display()))
}

fn npm(arguments: &[&str]) -> Result {
    run(Command::new("npm").args(arguments).current_dir(folder()))
}

/// Whether there is a Node that is new enough.
pub fn node() -> Result {
    let wanted = format!("the console needs Node {NODE} or newer with npm (apt-get install nodejs npm)");
    let version = output(Command::new("node").arg("--version")).map_err(|_| format!("{wanted}; there is none"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE) { Ok(()) } else { Err(format!("{wanted}; here is {}", version.trim())) }
}

fn folder() -> PathBuf {
    root().join("console")
}
